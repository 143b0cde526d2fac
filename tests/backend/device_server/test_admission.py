"""The line of lamps at the door, with a clock that is told."""

import socket
import struct

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code

from backend.device_server.admission import Admission, Gate
from backend.device_server.peek import key_id, waited_ms
from tests.backend.device_server.conftest import enrol
from tests.backend.device_server.peers import SECRET, SENDER_ID, Context, Raw

NOW_MS = 1_790_000_000_000


def test_after_a_quiet_time_a_burst_is_let_in_and_then_the_line_begins():
    admission = Admission(rate_per_s=10, burst=3)
    assert [admission.wait_s(lamp, NOW_MS) for lamp in range(1, 5)] == [0, 0, 0, 1]
    assert admission.waiting == 1


def test_the_line_is_as_long_as_the_work():
    admission = Admission(rate_per_s=50, burst=1)
    waits = [admission.wait_s(lamp, NOW_MS) for lamp in range(20_000)]
    assert waits == sorted(waits), "first come, first served"
    assert waits[0] == 0 and 399 <= waits[-1] <= 400
    assert max(waits.count(second) for second in range(1, 400)) <= 51


def test_a_lamp_that_comes_at_its_time_is_let_in_whoever_comes_besides():
    admission = Admission(rate_per_s=1, burst=1)
    admission.wait_s(1, NOW_MS)
    wait_s = admission.wait_s(2, NOW_MS)
    for stranger in range(100, 200):
        admission.wait_s(stranger, NOW_MS)
    assert admission.wait_s(2, NOW_MS + wait_s * 1000) == 0


def test_a_lamp_that_comes_early_keeps_its_place():
    admission = Admission(rate_per_s=0.1, burst=1)
    admission.wait_s(1, NOW_MS)
    assert admission.wait_s(2, NOW_MS) == 11
    assert admission.wait_s(2, NOW_MS + 4000) == 7
    assert admission.waiting == 1


def test_nobody_is_told_to_wait_longer_than_lamps_do():
    admission = Admission(rate_per_s=1, burst=1, longest_s=60)
    assert max(admission.wait_s(lamp, NOW_MS) for lamp in range(500)) == 61


def test_while_the_server_is_behind_the_line_waits():
    admission = Admission(rate_per_s=1, burst=1)
    assert admission.wait_s(1, NOW_MS, late_ms=5000) == 0, "nobody waits: it only hesitated"
    assert admission.wait_s(2, NOW_MS) == 2
    assert admission.wait_s(2, NOW_MS + 2000, late_ms=1000) == 15, "its time has come, and is not good"
    assert admission.wait_s(3, NOW_MS + 2000, late_ms=999) > 2, "behind it"
    assert admission.wait_s(2, NOW_MS + 17_000, late_ms=999) == 0


def test_a_slot_that_nobody_came_for_is_forgotten():
    admission = Admission(rate_per_s=1, burst=1)
    for lamp in range(100):
        admission.wait_s(lamp, NOW_MS)
    assert admission.waiting == 99
    assert admission.wait_s(500, NOW_MS + 2 * 3600 * 1000) == 0
    assert admission.waiting == 0


def test_the_gate_lets_a_burst_through_and_then_its_rate():
    gate = Gate(rate_per_s=10, burst=2)
    assert [gate.let_in(NOW_MS) for _ in range(3)] == [True, True, False]
    assert [gate.let_in(NOW_MS + 100) for _ in range(2)] == [True, False]
    assert [gate.let_in(NOW_MS + 3_600_000) for _ in range(3)] == [True, True, False]
    assert not gate.let_in(NOW_MS, 0), "a clock that is put back opens nothing"


def test_a_server_that_is_behind_has_less_room_for_strangers():
    gate = Gate(rate_per_s=10, burst=12)
    assert [gate.let_in(NOW_MS, late_ms) for late_ms in (499, 999, 999, 499)] == [True, True, False, True]


async def test_a_stranger_beyond_the_rate_is_sent_away_before_its_keys_are_looked_for(
    make_server, make_raw, database, clock
):
    server = await make_server(strangers_per_s=0.1, strangers_burst=1)
    enrol(server, database)
    raw, context = await make_raw(server), Context()
    enrol(server, database, 8, endpoint="other", sender_id=b"\x44", secret=SECRET)
    nobody, _ = Context(b"\x55").protect(Message(code=Code.GET, uri_path=("time",)))
    assert (await raw.ask(raw.encode(nobody))).code == Code.UNAUTHORIZED, "and it counts for nothing"
    other = Context(b"\x44")
    assert (await raw.protected(other, Message(code=Code.GET, uri_path=("time",)))).code == Code.CONTENT
    outer, _ = context.protect(Message(code=Code.GET, uri_path=("time",)))
    answer = await raw.ask(raw.encode(outer))
    assert (answer.code, answer.opt.oscore, answer.opt.max_age) == (Code.SERVICE_UNAVAILABLE, None, None)
    assert server._contexts.find(SENDER_ID) is None and server.counters.overloaded == 1
    clock.real += 10_000
    assert (await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))).code == Code.CONTENT
    assert (await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))).code == Code.CONTENT, "known now"


async def test_a_lamp_beyond_the_rate_is_told_when_to_come_back(make_server, make_lamp, database, clock):
    server = await make_server(registrations_per_s=0.1, registrations_burst=1)
    enrol(server, database)
    enrol(server, database, 8, endpoint="other", sender_id=b"\x44", secret=SECRET)
    first, second = await make_lamp(server, Context()), await make_lamp(server, Context(b"\x44"))
    assert (await first.register()).code == Code.CREATED
    answer = await second.register("other")
    assert (answer.code, answer.opt.max_age) == (Code.SERVICE_UNAVAILABLE, 11)
    assert server.counters.deferred == 1
    assert {view.lamp_id for view in server.sessions.snapshot()} == {7, 8}, "it was heard all the same"
    clock.real += 11_000
    assert (await second.register("other")).code == Code.CREATED


async def test_updates_and_reports_stand_in_no_line(make_server, make_lamp, database):
    server = await make_server(registrations_per_s=0.001, registrations_burst=1)
    enrol(server, database)
    lamp = await make_lamp(server, Context())
    location = "/" + "/".join((await lamp.register()).opt.location_path)
    assert (await lamp.request(Code.POST, location)).code == Code.CHANGED
    assert (await lamp.report()).code == Code.CHANGED


async def test_a_wrong_registration_takes_no_slot(make_server, make_lamp, database):
    server = await make_server(registrations_per_s=0.001, registrations_burst=1)
    enrol(server, database)
    lamp = await make_lamp(server, Context())
    assert (await lamp.register("somebody-else")).code == Code.FORBIDDEN
    assert (await lamp.register()).code == Code.CREATED


async def test_what_lay_unread_until_it_is_given_up_is_passed_over(server):
    raw, context = Raw(), Context()
    outer, _ = context.protect(Message(code=Code.GET, uri_path=("time",)))
    datagram = raw.encode(outer)
    door = server._door
    assert not door.turns_away(datagram, 0)
    assert door.turns_away(datagram, 15_000) and server.counters.stale == 1
    assert not door.turns_away(b"\x60\x44\x00\x01", 99_000), "the answer to a question of ours"


async def test_a_lamp_that_is_known_is_served_while_the_server_is_behind(server):
    context = Context()
    outer, _ = context.protect(Message(code=Code.GET, uri_path=("time",)))
    datagram = Raw().encode(outer)
    await server._contexts.load(SENDER_ID)
    assert not server._door.turns_away(datagram, 14_999)


def test_the_key_id_is_read_from_a_datagram_without_decoding_it():
    for kid in (b"\x11", b"\x11\x22\x33", b"1234567"):
        for sequence in (0, 70_000, 2**39):
            outer, _ = Context(kid, sequence=sequence).protect(Message(code=Code.GET, uri_path=("time",)))
            datagram = Raw().encode(outer)
            assert key_id(datagram) == kid
            for cut in range(len(datagram)):
                assert key_id(datagram[:cut]) in (None, kid)


@pytest.mark.parametrize(
    "data", [b"", b"\x40\x00\x00\x01", b"\x44\x02\x00\x01abcd", b"\x40\x02\x00\x01\x90", b"\x40\x02\x00\x01\x9d"]
)
def test_what_has_no_key_id_goes_the_usual_way(data):
    assert key_id(data) is None


def test_the_kernels_stamp_tells_how_long_a_datagram_lay_unread():
    stamp = [(1, 2, b""), (socket.SOL_SOCKET, 35, struct.pack("qq", 100, 500_000_000))]
    assert waited_ms(stamp, 101_750_000_000) == 1250
    assert waited_ms(stamp, 100_000_000_000) == 0, "the clock was put back"
    assert waited_ms([], 5) == 0
