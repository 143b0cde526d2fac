"""The client against a server that keeps the rules of LwM2M, and fails in every way that a server fails."""

import asyncio

import pytest

from firmware.clock import Clock
from firmware.coap import message as coap
from firmware.coap.errors import Timeout, Unverified
from firmware.codec import cbor
from firmware.log import Log
from firmware.lwm2m.client import Client
from firmware.lwm2m.queue import FAULT, TELEMETRY, Queue
from firmware.settings import Settings
from tests.firmware.lwm2m.fakes import FakeStore, Lamp

UTC_MS = 1_800_000_000_000


class Board:
    """Virtual time: sleeping is what moves it. The RTC runs at the rate of the ticks."""

    def __init__(self):
        self.now_ms = 0
        self.end_ms = 0
        self.cause = "power"
        self.is_up = False
        self.can_connect = True
        self.ip = "10.0.0.2"
        self.drawn = 0

    def ticks_ms(self):
        return self.now_ms

    def rtc_ms(self):
        return self.now_ms + 777

    async def sleep_ms(self, ms):
        self.now_ms += ms
        await asyncio.sleep(0)
        if self.now_ms >= self.end_ms:
            raise asyncio.CancelledError

    def random(self, n):
        return self.drawn.to_bytes(n, "big")

    async def connect(self):
        await self.sleep_ms(1000)
        self.is_up = self.can_connect
        return self.can_connect

    def is_connected(self):
        return self.is_up

    def address(self):
        return self.ip

    def reset_cause(self):
        return self.cause


class Server:
    """The endpoint of the lamp and the server behind it. `seen` lists (seconds, method and path)."""

    def __init__(self, board):
        self.board = board
        self.observations = Observations()
        self.seen = []
        self.registrations = {}
        self.reports = []
        self.resolved = 0
        self.is_silent = False
        self.refusal = None  # code of an error in the open
        self.answers = {}  # path: [(code, max age or None)], used up before the ordinary ones
        self.clock = None  # payload of /time instead of the true one

    def resolve(self, host, port):
        assert (host, port) == ("server.example", 5683)
        self.resolved += 1
        return ("198.51.100.1", port)

    async def request(self, code, path, address, options, payload, timeout_ms):
        assert address == ("198.51.100.1", 5683)
        request = coap.Message(code, options=list(options), payload=payload).add_path(path)
        method = {coap.GET: "GET", coap.POST: "POST", coap.DELETE: "DELETE"}[code]
        self.seen.append((self.board.now_ms // 1000, f"{method} {path}"))
        if self.is_silent:
            await self.board.sleep_ms(timeout_ms)
            raise Timeout("no acknowledgement after 4 transmissions")
        await self.board.sleep_ms(40)
        if self.refusal is not None:
            raise Unverified(self.refusal, "the peer answered without protection")
        if self.answers.get(path):
            answer, max_age_s = self.answers[path].pop(0)
            response = coap.Message(answer)
            return response if max_age_s is None else response.add(coap.MAX_AGE, max_age_s)
        return getattr(self, path.split("/")[0])(request)

    def rd(self, request):
        path = request.path()
        if path == "rd":
            self.registrations = {f"rd/{len(self.seen)}": request}
            response = coap.Message(coap.CREATED)
            for segment in next(iter(self.registrations)).split("/"):
                response.add(coap.LOCATION_PATH, segment)
            return response
        if path not in self.registrations:
            return coap.Message(coap.NOT_FOUND)
        if request.code == coap.DELETE:
            del self.registrations[path]
            return coap.Message(coap.DELETED)
        return coap.Message(coap.CHANGED)

    def time(self, request):
        assert request.uint(coap.ACCEPT) == 60
        payload = cbor.encode(UTC_MS + self.board.now_ms) if self.clock is None else self.clock
        return coap.Message(coap.CONTENT, payload=payload)

    def dp(self, request):
        if not self.registrations:
            return coap.Message(coap.NOT_FOUND)
        assert request.uint(coap.CONTENT_FORMAT) == 112
        self.reports.append(request.payload)
        return coap.Message(coap.CHANGED)


class Observations(list):
    def end(self, observation):
        self.remove(observation)


class Identity:
    endpoint = "urn:dev:x"
    server_host = "server.example"
    server_port = 5683


class Street:
    """One lamp's client and its server."""

    def __init__(self, jitter_s=0):
        self.board = Board()
        self.server = Server(self.board)
        self.lamp = Lamp()
        self.clock = Clock()
        self.queue = Queue(FakeStore())
        self.settings = Settings(FakeStore())
        self.log = Log()
        self.client = Client(
            self.board,
            self.server,
            self.server.resolve,
            self.lamp.tree,
            self.clock,
            self.queue,
            self.settings,
            Identity(),
            self.log,
            jitter_s,
        )

    async def run(self, seconds):
        """Let the client run; returns what the server saw meanwhile."""
        before = len(self.server.seen)
        self.board.end_ms = self.board.now_ms + seconds * 1000
        with pytest.raises(asyncio.CancelledError):
            await self.client.run()
        return [what for _, what in self.server.seen[before:]]


@pytest.fixture
def street():
    return Street()


class TestStart:
    async def test_a_lamp_connects_registers_takes_the_time_and_reports(self, street):
        street.queue.put(TELEMETRY, b"t")
        street.queue.put(FAULT, b"f", 1)
        seen = await street.run(5)
        assert seen == ["POST rd", "GET time", "GET time", "GET time", "POST dp", "POST dp"]
        assert street.server.reports == [b"f", b"t"]
        assert street.client.is_registered()
        assert street.queue.waiting() == 0
        [request] = street.server.registrations.values()
        assert request.query() == ["ep=urn:dev:x", "lt=300", "lwm2m=1.1", "b=U"]
        assert request.uint(coap.CONTENT_FORMAT) == 40
        assert request.payload.startswith(b'</>;ct="110 112";rt="oma.lwm2m",</9001>;ver=2.0,</9001/0>')

    async def test_the_clock_is_off_by_half_a_round_trip_at_most(self, street):
        await street.run(5)
        rtc_ms = street.board.rtc_ms()
        assert abs(street.clock.now_ms(rtc_ms) - (UTC_MS + street.board.now_ms)) <= 21
        assert street.clock.error_bound_ms(rtc_ms) <= 22

    async def test_lamps_of_a_feeder_spread_and_a_restarted_one_does_not_wait(self):
        for cause, latest_s in (("power", 30), ("watchdog", 2)):
            street = Street(jitter_s=None)
            street.board.cause = cause
            street.board.drawn = 0xFFFFFFFF
            await street.run(60)
            assert 0 < street.server.seen[0][0] <= 1 + latest_s

    async def test_a_network_that_does_not_come_up_is_tried_for_ever(self, street):
        street.board.can_connect = False
        assert await street.run(60) == []
        street.board.can_connect = True
        assert (await street.run(5))[0] == "POST rd"

    async def test_a_registration_is_kept_alive(self, street):
        seen = await street.run(1000)
        assert [what for what in seen if what.startswith("POST")] == ["POST rd"] + ["POST rd/1"] * 6

    async def test_progress_is_seen_by_a_watchdog(self, street):
        await street.run(20)
        assert street.board.now_ms - street.client.progress_ms <= 250


class TestTime:
    async def test_it_is_taken_again_every_hour(self, street):
        seen = await street.run(2 * 3600 + 60)
        assert seen.count("GET time") == 9

    @pytest.mark.parametrize("payload", [b"", b"\xff", b"\x20", b"\x61a", b"\xf5", b"\x1b" + b"\xff" * 8])
    async def test_nonsense_is_not_taken_and_asked_again(self, street, payload):
        street.server.clock = payload
        assert (await street.run(40)).count("GET time") == 2
        assert street.clock.now_ms(0) is None
        street.server.clock = None
        await street.run(40)
        assert street.clock.now_ms(0) is not None

    async def test_a_server_without_time_does_not_hold_up_reports(self, street):
        street.server.answers["time"] = [(coap.NOT_FOUND, None)] * 100
        street.queue.put(TELEMETRY, b"t")
        assert (await street.run(10)) == ["POST rd", "GET time", "POST dp"]


class TestOutages:
    async def test_a_network_that_is_back_is_used_within_seconds(self, street):
        await street.run(10)
        street.board.is_up = False
        street.board.can_connect = False
        await street.run(100)
        street.board.can_connect = True
        assert (await street.run(6))[:2] == ["POST rd/1", "GET time"]
        assert street.server.resolved == 2

    async def test_another_address_is_told(self, street):
        await street.run(10)
        street.board.ip = "10.0.0.3"
        assert (await street.run(3)) == ["POST rd/1"]

    async def test_a_silent_server_costs_no_report(self, street):
        await street.run(10)
        street.server.is_silent = True
        street.queue.put(TELEMETRY, b"t")
        seen = await street.run(120)
        assert seen[0] == "POST dp"
        assert set(seen[1:]) == {"POST rd/1"}
        street.server.is_silent = False
        await street.run(30)
        assert street.server.reports == [b"t"]
        assert street.server.resolved > 1

    async def test_a_server_that_restarted_without_memory_gets_a_registration(self, street):
        await street.run(10)
        street.server.registrations.clear()
        street.queue.put(TELEMETRY, b"t")
        seen = await street.run(10)
        assert seen[:2] == ["POST dp", "POST rd"]
        assert street.server.reports == [b"t"]

    async def test_each_time_that_a_server_forgets_the_lamp_it_is_told_at_once(self, street):
        await street.run(10)
        for number in range(3):
            street.server.registrations.clear()
            street.queue.put(TELEMETRY, b"%d" % number)
            start_ms = street.board.now_ms
            assert (await street.run(10))[:2] == ["POST dp", "POST rd"]
            assert [at for at, what in street.server.seen if what == "POST rd"][-1] * 1000 <= start_ms + 400
        assert street.server.reports == [b"0", b"1", b"2"]

    async def test_a_server_that_is_down_for_a_minute_has_the_lamp_back_within_another(self, street):
        await street.run(10)
        street.server.is_silent = True
        street.queue.put(TELEMETRY, b"t")
        await street.run(60)
        street.server.is_silent = False
        start_ms = street.board.now_ms
        await street.run(60)
        first_s = next(at for at, what in street.server.seen if at * 1000 >= start_ms)
        assert first_s * 1000 - start_ms < 45000
        assert street.server.reports == [b"t"]

    async def test_a_busy_server_is_left_alone(self, street):
        street.server.answers["rd"] = [(coap.SERVICE_UNAVAILABLE, 100)]
        await street.run(130)
        assert [at for at, what in street.server.seen if what == "POST rd"] == [1, 101]

    async def test_an_address_that_is_not_known_is_asked_for_again(self, street):
        resolve = street.server.resolve
        failures = [OSError("no address")] * 3

        def fail_first(host, port):
            if failures:
                raise failures.pop()
            return resolve(host, port)

        street.client._uplink._resolve = fail_first
        assert (await street.run(20))[0] == "POST rd"

    async def test_a_location_that_is_no_text_is_no_registration(self, street):
        street.server.rd = lambda request: coap.Message(coap.CREATED, options=[(coap.LOCATION_PATH, b"\xff")])
        seen = await street.run(10)
        assert seen.count("POST rd") >= 3
        assert not street.client.is_registered()


class TestRefusals:
    async def test_a_revoked_lamp_keeps_its_reports_and_comes_back_when_it_is_welcome(self, street):
        street.server.refusal = coap.UNAUTHORIZED
        street.queue.put(TELEMETRY, b"t")
        seen = await street.run(3600)
        assert set(seen) == {"POST rd"}
        assert len(seen) < 12
        street.server.refusal = None
        await street.run(2400)
        assert street.server.reports == [b"t"]

    async def test_a_report_refused_for_our_keys_ends_the_registration(self, street):
        await street.run(5)
        street.queue.put(TELEMETRY, b"t")
        street.server.answers["dp"] = [(coap.UNAUTHORIZED, None)]
        seen = await street.run(60)
        assert seen[:3] == ["POST dp", "POST rd", "GET time"]
        assert street.server.reports == [b"t"]

    async def test_a_report_that_is_refused_for_itself_does_not_hold_up_the_next(self, street):
        await street.run(5)
        street.queue.put(TELEMETRY, b"bad")
        street.queue.put(TELEMETRY, b"good")
        street.server.answers["dp"] = [(coap.BAD_REQUEST, None)] * 3
        seen = await street.run(60)
        assert seen == ["POST dp", "POST rd/1"] * 3 + ["POST dp"]
        assert street.server.reports == [b"good"]
        assert street.queue.dropped == 1

    async def test_a_fault_that_was_refused_is_sent_again_after_a_new_registration(self, street):
        await street.run(5)
        street.queue.put(FAULT, b"f", 1)
        street.server.answers["dp"] = [(coap.BAD_REQUEST, None)] * 3
        await street.run(60)
        assert street.server.reports == []
        street.server.registrations.clear()
        street.client.trigger_update()
        await street.run(10)
        assert street.server.reports == [b"f"]

    @pytest.mark.parametrize(("max_age_s", "wait_s"), [(60, 60), (None, 10)])
    async def test_a_server_that_cannot_store_now_gets_the_report_later(self, street, max_age_s, wait_s):
        await street.run(5)
        street.queue.put(TELEMETRY, b"t")
        street.server.answers["dp"] = [(coap.SERVICE_UNAVAILABLE, max_age_s)]
        await street.run(100)
        sent = [at for at, what in street.server.seen if what == "POST dp"]
        assert len(sent) == 2
        assert wait_s <= sent[1] - sent[0] <= wait_s + 1
        assert street.server.reports == [b"t"]

    async def test_a_muted_lamp_keeps_its_reports(self, street):
        street.settings.set({"mute_send": True})
        street.queue.put(TELEMETRY, b"t")
        assert "POST dp" not in await street.run(30)
        street.settings.set({"mute_send": False})
        assert "POST dp" in await street.run(3)


class TestServerObject:
    async def test_objects_that_come_and_a_new_lifetime_are_told(self, street):
        await street.run(5)
        street.lamp.post("9002", {"/9002/0": "a"})
        assert await street.run(3) == ["POST rd/1"]
        street.settings.set({"lifetime_s": 600})
        assert await street.run(3) == ["POST rd/1"]
        street.settings.set({"report_interval_s": 60})
        assert await street.run(3) == []

    async def test_an_update_can_be_triggered(self, street):
        await street.run(5)
        street.client.trigger_update()
        assert await street.run(1) == ["POST rd/1"]

    async def test_a_disabled_lamp_leaves_and_comes_back(self, street):
        street.settings.set({"disable_timeout_s": 100})
        await street.run(5)
        street.client.disable()
        assert await street.run(90) == ["DELETE rd/1"]
        assert not street.client.is_registered()
        assert (await street.run(30))[0] == "POST rd"

    async def test_a_new_registration_ends_observations(self, street):
        street.server.observations.append("one")
        await street.run(5)
        assert street.server.observations == []


class TestStop:
    async def test_a_planned_stop_says_good_bye_and_keeps_the_reports(self, street):
        await street.run(5)
        street.settings.set({"mute_send": True})
        street.queue.put(TELEMETRY, b"t")
        street.board.end_ms = street.board.now_ms + 60000
        running = asyncio.ensure_future(street.client.run())
        await street.client.stop()
        assert street.server.seen[-1][1] == "DELETE rd/1"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert Queue(street.queue._store).next()[1] == b"t"

    async def test_a_stop_does_not_wait_for_a_silent_server(self, street):
        await street.run(5)
        street.server.is_silent = True
        street.board.end_ms = street.board.now_ms + 60000
        before_ms = street.board.now_ms
        await street.client.stop()
        assert street.board.now_ms - before_ms <= 5100
