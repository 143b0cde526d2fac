import asyncio
import threading

import cbor2
import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import ACK, CON
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from backend.device_server import repository, tuning
from backend.device_server.errors import LampUnreachable
from contract.paths import parse
from contract.senml import Record
from tests.backend.device_server.conftest import enrol
from tests.backend.device_server.peers import SECRET, Context
from tests.backend.waiting import until


class Store:
    """An ingestor that keeps reports when their transaction is committed, and fails on demand."""

    def __init__(self):
        self.groups = []
        self.error = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, connection, reports):
        assert self.gate.wait(5)
        if self.error is not None:
            raise self.error
        if any(record.value == 666 for report in reports for record in report.records):
            raise ValueError("a bad report")
        self.groups.append(list(reports))

    @property
    def reports(self):
        return [report for group in self.groups for report in group]


@pytest.fixture
def store():
    return Store()


@pytest.fixture
async def stored(any_database, make_server, make_lamp, store):
    server = await make_server([store], database=any_database)
    enrol(server, any_database)
    lamp = await make_lamp(server, Context())
    await lamp.register()
    return server, lamp


async def test_a_report_is_stored_and_then_acknowledged(stored, store, clock, any_database):
    server, lamp = stored
    clock.lighting += 5
    clock.real += 7_000
    answer = await lamp.report({-2: "/3418/0/", -3: 1_700_000_000, 0: "1", 2: 231.5}, {0: "2", 2: 0.25})
    assert (answer.code, answer.payload) == (Code.CHANGED, b"")
    (report,) = store.reports
    assert (report.lamp_id, report.received_ms) == (7, clock.lighting)
    assert report.records == [
        Record(parse("/3418/0/1"), 1_700_000_000, 231.5),
        Record(parse("/3418/0/2"), 1_700_000_000, 0.25),
    ]
    with any_database.reading() as connection:
        assert connection.execute(select(repository.registrations.c.last_heard_real_ms)).scalar() == clock.real
    assert (server.counters.reports, server.counters.records, server.counters.report_failures) == (1, 2, 0)
    assert server.sessions.take_unsaved() == []


async def test_nothing_is_acknowledged_before_the_commit(stored, store):
    server, lamp = stored
    store.gate.clear()
    waiting = asyncio.ensure_future(lamp.report())
    await until(lambda: server.counters.requests >= 2)
    assert not waiting.done() and server.counters.reports == 0
    store.gate.set()
    assert (await waiting).code == Code.CHANGED


async def test_a_commit_that_fails_acknowledges_nothing(stored, store):
    server, lamp = stored
    store.error = OperationalError("INSERT", {}, Exception("disk full"))
    answer = await lamp.report()
    assert (answer.code, answer.opt.max_age) == (Code.SERVICE_UNAVAILABLE, 10)
    store.error = RuntimeError("no such column")
    assert (await lamp.report()).code == Code.INTERNAL_SERVER_ERROR
    assert (server.counters.reports, server.counters.report_failures) == (0, 2)
    store.error = None
    assert (await lamp.report()).code == Code.CHANGED


async def test_a_bad_report_does_not_hold_up_the_others(make_server, database, make_lamp, store):
    server = await make_server([store])
    lamps = []
    for number in range(5):
        enrol(server, database, number + 1, endpoint=f"lamp-{number}", sender_id=bytes([0x40 + number]), secret=SECRET)
        lamps.append(await make_lamp(server, Context(bytes([0x40 + number]))))
        await lamps[-1].request(Code.GET, "/time")
    store.gate.clear()
    first = asyncio.ensure_future(lamps[0].report())
    rest = [
        asyncio.ensure_future(lamp.report({0: "/3416/0/3", 2: 666 if number == 2 else 40}))
        for number, lamp in enumerate(lamps[1:])
    ]
    await until(lambda: server.counters.requests >= 10)
    store.gate.set()
    codes = [answer.code for answer in await asyncio.gather(first, *rest)]
    assert codes.count(Code.CHANGED) == 4 and codes[3] == Code.INTERNAL_SERVER_ERROR
    assert len(store.reports) == 4 and server.counters.report_failures == 1


async def test_a_full_queue_tells_the_lamp_to_come_back(make_server, database, make_lamp, store):
    server = await make_server([store], waiting_jobs=1)
    enrol(server, database)
    enrol(server, database, 8, endpoint="b", sender_id=b"\x55")
    enrol(server, database, 9, endpoint="c", sender_id=b"\x66")
    lamps = [await make_lamp(server, context) for context in (Context(), Context(b"\x55"), Context(b"\x66"))]
    for lamp in lamps:
        await lamp.request(Code.GET, "/time")
    store.gate.clear()
    waiting = []
    for lamp in lamps[:2]:
        waiting.append(asyncio.ensure_future(lamp.report()))
        # The first one is in the writer's hands before the second one comes
        await until(
            lambda: server.counters.requests >= 3 + len(waiting) and len(server._writer._queue) == len(waiting) - 1
        )
    answer = await lamps[2].report()
    assert (answer.code, answer.opt.max_age) == (Code.SERVICE_UNAVAILABLE, 10)
    assert (await lamps[2].register("c")).code == Code.SERVICE_UNAVAILABLE
    assert server.counters.overloaded == 2
    store.gate.set()
    assert [(await report).code for report in waiting] == [Code.CHANGED] * 2


@pytest.mark.parametrize(
    ("payload", "content_format", "code", "reason"),
    [
        (b"\xff", 112, Code.BAD_REQUEST, b"CBOR"),
        (cbor2.dumps([{0: "/3416/0/3", 2: "x"}]), 112, Code.BAD_REQUEST, b"record 0"),
        (b"{", 110, Code.BAD_REQUEST, b"JSON"),
        (b"\xc1\x01\x28", 11542, Code.UNSUPPORTED_CONTENT_FORMAT, b"11542"),
        (b"40", None, Code.UNSUPPORTED_CONTENT_FORMAT, b"None"),
        (cbor2.dumps(b"x" * 5000), 112, Code.REQUEST_ENTITY_TOO_LARGE, b"4096"),
    ],
)
async def test_a_report_that_cannot_be_read_is_refused_with_the_reason(
    lamp, server, payload, content_format, code, reason
):
    answer = await lamp.request(Code.POST, "/dp", payload, content_format=content_format)
    assert answer.code == code and reason in answer.payload
    assert server.counters.reports == 0


async def test_a_large_datagram_is_too_large_without_blocks(lamp, server):
    lamp_request = Message(code=Code.POST, uri_path=("dp",), payload=b"x" * 4000 + b"x" * 90, content_format=112)
    assert len(lamp_request.payload) < 4096
    assert (await lamp.request(Code.POST, "/dp", cbor2.dumps("x" * 4000), content_format=112)).code == Code.BAD_REQUEST


async def test_a_large_report_comes_in_blocks(stored, store):
    _, lamp = stored
    records = [{-2: "/3418/0/", -3: 1_700_000_000 + number, 0: "1", 2: 231.5} for number in range(120)]
    assert len(cbor2.dumps(records)) > 2048
    assert (await lamp.report(*records)).code == Code.CHANGED
    (report,) = store.reports
    assert len(report.records) == 120


async def test_blocks_that_do_not_fit_are_refused(server, make_raw):
    raw, context = await make_raw(server), Context()

    def block(number, more, payload, exponent=2):
        message = Message(code=Code.POST, uri_path=("dp",), payload=payload, content_format=112)
        message.opt.block1 = (number, more, exponent)
        return message

    assert (await raw.protected(context, block(0, True, b"x" * 64))).code == Code.CONTINUE
    assert (await raw.protected(context, block(2, False, b"x"))).code == Code.REQUEST_ENTITY_INCOMPLETE
    assert (await raw.protected(context, block(1, False, b"x"))).code == Code.REQUEST_ENTITY_INCOMPLETE
    assert (await raw.protected(context, block(0, True, b"x"))).code == Code.BAD_REQUEST


async def test_reports_that_wait_at_the_end_are_still_stored_and_acknowledged(make_server, database, make_lamp, store):
    server = await make_server([store])
    enrol(server, database)
    lamp = await make_lamp(server, Context())
    await lamp.request(Code.GET, "/time")
    store.gate.clear()
    waiting = asyncio.ensure_future(lamp.report())
    await until(lambda: server.counters.requests >= 2)
    asyncio.get_running_loop().call_later(0.02, store.gate.set)
    await server.stop()
    assert len(store.reports) == 1
    assert (await waiting).code == Code.CHANGED


async def test_a_stopping_server_takes_no_report(stored, store):
    server, lamp = stored
    await server._writer.stop()
    assert (await lamp.report()).code == Code.SERVICE_UNAVAILABLE


@pytest.fixture
async def asked_and_asking(make_server, database, make_raw, store, monkeypatch):
    """A lamp that leaves a request of the server unanswered, and whose own report waits for the database: it got an
    empty acknowledgement, and its answer is to come."""
    server = await make_server([store], lamp_ack_timeout_s=0.2, lamp_retransmissions=1)
    enrol(server, database)
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    monkeypatch.setattr(tuning._Incoming, "EMPTY_ACK_DELAY", 0.01)
    store.gate.clear()
    payload = cbor2.dumps([{-2: "/3418/0/", -3: 1_700_000_000, 0: "1", 2: 231.5}])
    outer, _ = context.protect(Message(code=Code.POST, uri_path=("dp",), content_format=112, payload=payload))
    report = raw.encode(outer)
    acknowledgement = await raw.ask(report)
    assert (acknowledgement.code, acknowledgement.mtype) == (Code.EMPTY, ACK)
    asked = asyncio.create_task(server.gateway.execute(7, "/3/0/4"))
    assert (await raw.next()).code.is_request()
    yield server, raw, report, asked
    store.gate.set()


async def test_a_late_answer_does_not_wait_for_another_exchange(asked_and_asking, store):
    """Behind the unanswered request it would be forgotten together with it."""
    server, raw, report, asked = asked_and_asking
    store.gate.set()
    separate = await raw.next()
    assert (separate.code, separate.mtype) == (Code.CHANGED, CON)
    assert (await raw.ask(report)).mtype == ACK, "the report repeated is acknowledged again"
    raw.transport.sendto(b"\x60\x00" + separate.mid.to_bytes(2, "big"))
    with pytest.raises(LampUnreachable):
        await asked
    assert not server._endpoint.tokens.token_interface._active_exchanges
    assert not server._endpoint.tokens.token_interface._backlogs


async def test_a_request_that_is_given_up_does_not_end_a_late_answer(asked_and_asking, store, caplog):
    server, raw, _, asked = asked_and_asking
    store.gate.set()
    separate = await raw.next()
    with pytest.raises(LampUnreachable):
        await asked
    messages = server._endpoint.tokens.token_interface
    assert [mid for _, mid in messages._active_exchanges] == [separate.mid], "it is still repeated"
    assert (await raw.next()).code.is_request()
    raw.transport.sendto(b"\x60\x00" + separate.mid.to_bytes(2, "big"))
    assert await raw.hears_nothing()
    assert not messages._active_exchanges
    assert not caplog.records


async def test_an_answer_within_a_second_is_no_separate_one(make_server, database, make_raw, store):
    server = await make_server([store])
    enrol(server, database)
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    store.gate.clear()
    asyncio.get_running_loop().call_later(0.15, store.gate.set)  # stock acknowledges after 0.1 s
    payload = cbor2.dumps([{-2: "/3418/0/", -3: 1_700_000_000, 0: "1", 2: 231.5}])
    outer, _ = context.protect(Message(code=Code.POST, uri_path=("dp",), content_format=112, payload=payload))
    answer = await raw.ask(raw.encode(outer))
    assert (answer.code, answer.mtype) == (Code.CHANGED, ACK)
