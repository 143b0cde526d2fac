"""The pure parts of the black-start drill: the modelled lamp against the firmware's own OSCORE, on virtual time."""

from random import Random

import cbor2
import pytest

from contract import limits
from firmware.coap import message as coap
from firmware.coap.errors import Refused
from firmware.coap.message import ACK, CON, EMPTY, Message
from firmware.oscore.context import Context
from firmware.oscore.protect import Oscore
from firmware.oscore.window import ReplayWindow
from tests.bench import storm, storm_true
from tests.bench.load import SALT, keys_of
from tests.bench.storm_keys import Keys, Unreadable
from tests.bench.storm_lamp import StormLamp, Tally, report

UTC_S = 1_795_334_400
HELD, WANTED = "0" * 16, "5e789218b177ad31"


class Server:
    """A device server of one lamp, with the firmware's codecs; it has just started, so that the first request is
    challenged. `refusals` are given to the next requests instead of service: (code, Max-Age or None, protected)."""

    def __init__(self, index=0):
        kid, secret = keys_of(index)
        context = Context(limits.SERVER_ID, kid, secret, lambda limit: None, SALT, window=None)
        self.oscore = Oscore(context, lambda n: b"\x07" * n)
        self.refusals = []
        self.requests = []
        self.reports = []
        self.mid = 100

    def answer(self, data):
        outer = coap.decode(data)
        if self.refusals and not self.refusals[0][2]:
            return [coap.encode(Message(self.refusals.pop(0)[0], ACK, outer.mid, outer.token))]
        try:
            request, binding = self.oscore.unprotect_request(outer)
        except Refused as refused:
            response = refused.response
        else:
            response = self.oscore.protect_response(self.serve(request), binding)
        response.type, response.mid, response.token = ACK, outer.mid, outer.token
        return [coap.encode(response)]

    def serve(self, request):
        self.requests.append((request.code, request.path()))
        if self.refusals:
            code, max_age_s, _ = self.refusals.pop(0)
            return Message(code).add(coap.MAX_AGE, max_age_s)
        if request.path() == limits.RD_PATH:
            return Message(coap.CREATED).add(coap.LOCATION_PATH, "rd").add(coap.LOCATION_PATH, "5")
        if request.path() == limits.TIME_PATH:
            return Message(coap.CONTENT, payload=cbor2.dumps(UTC_S * 1000))
        if request.path() == limits.DP_PATH:
            self.reports.append(cbor2.loads(request.payload))
        return Message(coap.CHANGED)

    def ask(self, lamp, message):
        """What the lamp answers to a request of ours."""
        self.mid += 1
        protected, binding = self.oscore.protect_request(message)
        protected.type, protected.mid, protected.token = CON, self.mid, b"\x01"
        (data,) = lamp.receive(coap.encode(protected), 0)
        return self.oscore.unprotect_response(coap.decode(data), binding)


class Street:
    """One lamp and its server on virtual time."""

    def __init__(self):
        self.tally = Tally()
        self.lamp = StormLamp(0, self.tally, Random(4), 30, HELD, WANTED, lambda: UTC_S)
        self.server = Server()
        self.now_ms = 0
        self.sent = []
        self.lamp.power_up(0)

    def run(self, until_ms, is_up=True):
        while self.lamp.due_ms <= until_ms:
            self.now_ms = max(self.now_ms, self.lamp.due_ms)
            waiting = self.lamp.poll(self.now_ms)
            while waiting:
                data = waiting.pop(0)
                self.sent.append((self.now_ms, data))
                for answer in self.server.answer(data) if is_up else ():
                    waiting += self.lamp.receive(answer, self.now_ms)
        self.now_ms = until_ms


@pytest.fixture
def street():
    return Street()


def test_a_lamp_comes_home_and_is_quiet(street):
    street.run(31_000)
    paths = [path for _, path in street.server.requests]
    assert paths == ["rd", "time", "time", "time", "dp", "dp"]
    assert 0 < street.sent[0][0] <= 30_000, "within the jitter"
    assert (street.tally.registered, street.tally.settled, street.tally.reports) == (1, 1, 2)
    assert street.tally.sent == 7, "the first one twice, with the Echo"
    assert sum(len(taken) for taken in street.tally.latencies.values()) == 6


def test_then_it_updates_by_its_lifetime_and_reports_by_its_interval(street):
    street.run(31_000)
    del street.server.requests[:]
    street.run(31_000 + 1_800_000)
    paths = [path for _, path in street.server.requests]
    assert paths.count("dp") == 2, "one in 15 minutes"
    assert 12 <= paths.count("rd/5") <= 14, "half of 300 s, less a tenth"


def test_without_an_answer_it_repeats_as_coap_says_and_gives_up_after_its_patience(street):
    street.run(60_000, is_up=False)
    times = [at_ms for at_ms, _ in street.sent]
    first = [at_ms - times[0] for at_ms in times if at_ms < times[0] + 20_000]
    assert len(first) == 4 and 2000 <= first[1] <= 3000
    assert first[2] == 3 * first[1] and first[3] == 7 * first[1]
    assert len({data for at_ms, data in street.sent if at_ms < times[0] + 20_000}) == 1, "the same bytes again"
    assert street.tally.unanswered >= 1 and street.tally.retransmitted >= 3
    street.run(400_000)
    assert street.tally.settled == 1, "it never gives up"


def test_sent_away_in_the_open_it_comes_again_after_a_minute(street):
    street.server.refusals.append((coap.SERVICE_UNAVAILABLE, None, False))
    street.run(30_000)
    assert street.tally.busy == 1
    came_ms = street.sent[0][0]
    street.run(200_000)
    assert 60_000 <= street.sent[1][0] - came_ms <= 151_000
    assert street.tally.settled == 1


def test_told_when_to_come_back_it_waits_that_long_and_up_to_a_quarter_more(street):
    street.server.refusals.append((coap.SERVICE_UNAVAILABLE, 200, True))
    street.run(30_000)
    came_ms = street.sent[0][0]
    street.run(400_000)
    assert 200_000 <= street.sent[2][0] - came_ms <= 251_000
    assert street.tally.settled == 1


def test_its_introduction_carries_the_digest(street):
    street.run(31_000)
    evidence, introduction = street.server.reports
    assert HELD not in str(evidence) and HELD in str(introduction)
    assert introduction[0][-3] == UTC_S
    assert len(report("introduction", UTC_S, HELD)) > len(report("telemetry", UTC_S, HELD))


def test_it_challenges_the_server_once_and_then_answers_what_it_holds(street):
    street.run(31_000)
    question = Message(coap.GET).add_path("42769/0/3")
    challenge = street.server.ask(street.lamp, question.copy())
    assert challenge.code == coap.UNAUTHORIZED
    echo = challenge.option(coap.ECHO)
    answer = street.server.ask(street.lamp, question.copy().add(coap.ECHO, echo))
    assert (answer.code, cbor2.loads(answer.payload)) == (coap.CONTENT, [{0: "/42769/0/3", 3: HELD}])
    assert street.server.ask(street.lamp, question.copy()).code == coap.CONTENT
    assert street.server.ask(street.lamp, Message(coap.GET).add_path("3/0/0")).code == coap.NOT_FOUND


def test_a_schedule_written_in_blocks_is_held_after_the_last(street):
    street.lamp._echo = None
    first = street.server.ask(street.lamp, Message(coap.IPATCH, payload=b"x" * 512).add(coap.BLOCK1, 0x0D))
    assert (first.code, first.uint(coap.BLOCK1), street.tally.schedules) == (coap.CONTINUE, 0x0D, 0)
    last = street.server.ask(street.lamp, Message(coap.IPATCH, payload=b"x").add(coap.BLOCK1, 0x15))
    assert (last.code, street.tally.schedules, street.lamp._held) == (coap.CHANGED, 1, WANTED)


def test_a_repeated_request_of_the_server_gets_the_answer_that_it_got(street):
    protected, _ = street.server.oscore.protect_request(Message(coap.GET).add_path("42769/0/3"))
    protected.type, protected.mid, protected.token = CON, 9, b"\x01"
    data = coap.encode(protected)
    assert street.lamp.receive(data, 0) == street.lamp.receive(data, 0)
    assert street.tally.served == 0, "challenged"


def test_noise_is_passed_over(street):
    assert street.lamp.receive(b"\xff", 0) == [] and street.tally.unreadable == 1
    assert street.lamp.receive(coap.encode(Message(EMPTY, ACK, 7)), 0) == []
    stranger = Message(coap.POST, CON, 9, b"\x01", [(coap.OSCORE, b"\x09\x00\x01")], b"0123456789")
    (reset,) = street.lamp.receive(coap.encode(stranger), 0)
    assert reset[0] >> 4 & 3 == 3


def test_the_lean_context_refuses_what_the_true_one_would():
    keys = Keys(0)
    with pytest.raises(Unreadable):
        keys.unprotect_request(Message(coap.POST, payload=b"x"))
    with pytest.raises(Unreadable):
        keys.unprotect_request(Message(coap.POST, options=[(coap.OSCORE, b"")], payload=b"x" * 20))
    kid, secret = keys_of(0)
    context = Context(limits.SERVER_ID, kid, secret, lambda limit: None, SALT, window=ReplayWindow())
    other, _ = Oscore(context, lambda n: bytes(n)).protect_request(Message(coap.GET))
    other.payload = other.payload[:-1] + bytes((other.payload[-1] ^ 1,))
    with pytest.raises(Unreadable):
        keys.unprotect_request(other)


def test_tallies_add_up_and_their_table_has_a_line_a_minute():
    first, second = Tally(registered=2, latencies={0: [1, 2], 1: [9]}), Tally(registered=3, latencies={1: [4]})
    total = storm.merge([first, second])
    assert (total.registered, total.latencies) == (5, {0: [1, 2], 1: [9, 4]})
    lines = storm.table(total).splitlines()
    assert len(lines) == 3 and lines[2].split() == ["2", "2", "9", "9", "9"]
    assert storm.percentile([5, 1, 3], 0.5) == 3


def test_a_drill_passes_or_says_why_not():
    passed = storm.Outcome(5, 100.0, 110.0, 120.0, Tally(registered=5, latencies={0: [9000], 1: [4999]}))
    assert passed.faults() == []
    failed = storm.Outcome(5, None, None, None, Tally(registered=4, latencies={0: [1], 2: [5001]}))
    assert failed.faults() == [
        "only 4 of 5 registered within 600 s",
        "not every schedule was verified",
        "an acknowledgement after the first minute took 5.0 s",
    ]


def test_what_the_server_counted_is_the_last_thing_it_logs(tmp_path):
    log = tmp_path / "log"
    log.write_text("1 INFO x coap stopped requests=1\n2 INFO x coap stopped requests=7 deferred=2\n3 INFO other\n")
    assert storm.counters(log) == {"requests": 7, "deferred": 2}
    log.write_text("nothing")
    assert storm.counters(log) == {}


def line(what, at_s, ticks_ms):
    return f"2026-11-23T00:00:00Z report {what} kind=telemetry at_s={at_s} ticks_ms={ticks_ms}"


def test_a_true_lamp_waits_until_its_last_report_is_acknowledged():
    log = line("sent", 1, 61_000)
    assert storm_true.is_waiting("") and storm_true.is_waiting(log)
    log += "\n" + line("acknowledged", 1, 61_500)
    assert not storm_true.is_waiting(log)


def test_only_what_a_true_lamp_sent_after_its_first_minute_counts_as_slow():
    log = "\n".join([line("sent", 1, 59_000), line("acknowledged", 1, 66_000), line("sent", 2, 70_000)])
    assert storm_true.slowest_ms(log) == 0
    assert storm_true.slowest_ms(log + "\n" + line("acknowledged", 2, 70_250)) == 250


def test_a_true_drill_ends_when_all_are_registered_verified_and_answered(capsys):
    course = storm_true.Course(2)
    silent, done = "", "\n".join(["registration registered", line("sent", 1, 9_000), line("acknowledged", 1, 9_050)])
    course.look(4.0, [silent, done], 1)
    assert course.quiet_s is None and course.faults()
    course.look(8.0, [done, done], 2)
    assert (course.registered_s, course.verified_s, course.quiet_s) == (8.0, 8.0, 8.0)
    assert course.faults() == []


def test_the_load_of_a_drill_is_its_highest(monkeypatch):
    used_s = iter([1.0, 3.0, 3.5])
    at_s = iter([10.0, 12.0, 14.0])
    monkeypatch.setattr(storm, "process_figures", lambda pid: {"cpu_s": next(used_s)})
    monkeypatch.setattr(storm.time, "monotonic", lambda: next(at_s))
    load = storm.Load(1)
    assert load.peaks()[1] == 100
    assert load.peaks()[1] == 100, "25 % after it is less"
