"""Operations on a lamp: an aiocoap server that acts as the lamp, on the socket from which it registered."""

import asyncio
import threading

import cbor2
import orjson
import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import ACK, CON

from backend.device_server import linkformat, tlv
from backend.device_server.errors import LampRefused, LampUnreachable
from backend.device_server.requester import Requester
from backend.device_server.values import ValueRefused
from contract.paths import parse
from tests.backend.device_server.conftest import enrol
from tests.backend.device_server.peers import Context, Tree
from tests.backend.waiting import PATIENCE_S


def content(payload, content_format=112):
    return Message(code=Code.CONTENT, payload=payload, content_format=content_format)


def pack(*entries):
    return content(cbor2.dumps(list(entries)))


@pytest.fixture
async def joined(lamp):
    """The lamp, registered as ours does it (SenML-CBOR), answering 2.04 to everything."""
    await lamp.register()
    lamp.tree.answer = lambda request: Message(code=Code.CHANGED)
    return lamp


async def test_a_resource_is_read(server, joined, clock):
    joined.tree.answer = lambda request: pack({-2: "/3416/0/", 0: "1", 2: 40})
    clock.real += 5
    assert await server.gateway.read(7, "/3416/0/1") == 40
    (request,) = joined.tree.requests
    assert (request.code, request.opt.uri_path, request.opt.accept) == (Code.GET, ("3416", "0", "1"), 112)
    assert server.sessions.find(7).heard_ms == clock.real, "an answer is a sign of life"
    assert (server.counters.lamp_requests, server.counters.lamp_timeouts) == (1, 0)


async def test_a_multiple_resource_and_an_instance_are_read(server, joined):
    joined.tree.answer = lambda request: pack({-2: "/3416/0/13/", 0: "0", 2: 5}, {0: "1", 2: 7})
    assert await server.gateway.read(7, parse("/3416/0/13")) == {0: 5, 1: 7}
    joined.tree.answer = lambda request: pack({-2: "/3416/0/", 0: "1", 2: 5}, {0: "54", 4: True})
    assert await server.gateway.read(7, parse("/3416/0")) == {parse("/3416/0/1"): 5, parse("/3416/0/54"): True}


async def test_a_resource_is_written_and_an_instance_updated(server, joined):
    await server.gateway.write(7, "/3416/0/1", 40)
    await server.gateway.write(7, "/3416/0", {1: 40, 13: {0: 5}})
    first, second = joined.tree.requests
    assert (first.code, first.opt.uri_path, first.opt.content_format) == (Code.PUT, ("3416", "0", "1"), 112)
    assert cbor2.loads(first.payload) == [{0: "/3416/0/1", 2: 40}]
    assert (second.code, second.opt.uri_path) == (Code.POST, ("3416", "0"))
    assert cbor2.loads(second.payload) == [{-2: "/3416/0/", 0: "1", 2: 40}, {0: "13/0", 2: 5}]


async def test_an_override_is_one_composite_write(server, joined):
    await server.gateway.write_composite(7, {"/3416/0/1": 40, "/3416/0/51": 1_800_000_000, "/3416/0/52": 2})
    (request,) = joined.tree.requests
    assert (request.code, request.opt.uri_path, request.opt.content_format) == (Code.iPATCH, (), 112)
    assert [entry[2] for entry in cbor2.loads(request.payload)] == [40, 1_800_000_000, 2.0]
    await server.gateway.write_composite(7, {})
    assert len(joined.tree.requests) == 1


async def test_several_values_are_one_composite_read(server, joined):
    joined.tree.answer = lambda request: pack({0: "/3416/0/1", 2: 40}, {0: "/3/0/0", 3: "Maker"})
    values = await server.gateway.read_composite(7, ["/3416/0/1", parse("/3/0/0"), "/9/9/9"])
    assert values == {parse("/3416/0/1"): 40, parse("/3/0/0"): "Maker"}
    (request,) = joined.tree.requests
    assert (request.code, request.opt.accept) == (Code.FETCH, 112)
    assert cbor2.loads(request.payload) == [{0: "/3416/0/1"}, {0: "/3/0/0"}, {0: "/9/9/9"}]


@pytest.mark.parametrize("code", [Code.METHOD_NOT_ALLOWED, Code.NOT_IMPLEMENTED, Code.NOT_FOUND])
async def test_a_lamp_without_composites_gets_single_operations(server, joined, code):
    def answer(request):
        if request.code in (Code.FETCH, Code.iPATCH):
            return Message(code=code)
        if request.code == Code.GET:
            if request.opt.uri_path == ("3", "0", "0"):
                return Message(code=Code.NOT_FOUND)
            return pack({0: "/3416/0/1", 2: 40})
        return Message(code=Code.CHANGED)

    joined.tree.answer = answer
    assert await server.gateway.read_composite(7, ["/3416/0/1", "/3/0/0"]) == {parse("/3416/0/1"): 40}
    await server.gateway.write_composite(7, {"/3416/0/1": 40, "/3416/0/52": 1, "/3/0/14": "+07:00"})
    writes = joined.tree.requests[-2:]
    assert [(one.code, one.opt.uri_path) for one in writes] == [(Code.POST, ("3416", "0")), (Code.POST, ("3", "0"))]


async def test_other_refusals_are_told(server, joined):
    joined.tree.answer = lambda request: Message(code=Code.FORBIDDEN, payload=b"not today")
    for call in (
        server.gateway.read(7, "/3/0/0"),
        server.gateway.read_composite(7, ["/3/0/0"]),
        server.gateway.write(7, "/3416/0/1", 1),
        server.gateway.write_composite(7, {"/3416/0/1": 1}),
        server.gateway.delete(7, "/3452/1"),
    ):
        with pytest.raises(LampRefused, match=r"4\.03: not today") as caught:
            await call
        assert (caught.value.code, caught.value.diagnostic) == ("4.03", "not today")
    assert server.counters.lamp_refusals == 5
    joined.tree.answer = lambda request: Message(
        code=Code.METHOD_NOT_ALLOWED if request.code == Code.FETCH else Code.FORBIDDEN
    )
    with pytest.raises(LampRefused):
        await server.gateway.read_composite(7, ["/3/0/0"])
    joined.tree.answer = lambda request: Message(code=Code.FORBIDDEN)
    with pytest.raises(LampRefused, match="no diagnostic"):
        await server.gateway.read(7, "/3/0/0")


async def test_execute_create_delete_and_discover(server, joined):
    await server.gateway.execute(7, "/3/0/4")
    await server.gateway.execute(7, "/3/0/4", "0='now'")
    await server.gateway.create(7, "/3452/2", {1: True, 2: 100})
    await server.gateway.delete(7, "/3452/2")
    joined.tree.answer = lambda request: content(b"</3416/0>,</3416/0/1>;pmin=5", 40)
    links = await server.gateway.discover(7, "/3416")
    assert links == [linkformat.Link("/3416/0"), linkformat.Link("/3416/0/1", {"pmin": "5"})]
    sent = [(one.code, "/".join(one.opt.uri_path), one.opt.content_format) for one in joined.tree.requests]
    assert sent == [
        (Code.POST, "3/0/4", None),
        (Code.POST, "3/0/4", 0),
        (Code.POST, "3452", 112),
        (Code.DELETE, "3452/2", None),
        (Code.GET, "3416", None),
    ]
    assert joined.tree.requests[-1].opt.accept == 40
    joined.tree.answer = lambda request: content(b"</3416", 40)
    with pytest.raises(LampRefused, match="cannot be read"):
        await server.gateway.discover(7, "/3416")


async def test_an_answer_that_cannot_be_read_is_a_refusal(server, joined):
    joined.tree.answer = lambda request: content(b"\xff")
    with pytest.raises(LampRefused, match="cannot be read: CBOR"):
        await server.gateway.read(7, "/3/0/0")


async def test_a_value_that_does_not_fit_is_not_sent(server, joined):
    with pytest.raises(ValueRefused, match="expected Integer"):
        await server.gateway.write(7, "/3416/0/1", "forty")
    with pytest.raises(ValueRefused, match="not one resource"):
        await server.gateway.write(7, "/3416/0", 5)
    with pytest.raises(ValueRefused, match="takes no mapping"):
        await server.gateway.write(7, "/3416/0/13/0", {1: 5})
    assert joined.tree.requests == []


async def test_a_lamp_of_1_0_is_spoken_to_in_tlv_without_accept(server, lamp):
    await lamp.register(query="", payload=b"</3416/0>")
    lamp.tree.answer = lambda request: (
        content(tlv.encode(parse("/3416/0"), {1: 40}), 11542)
        if request.code == Code.GET
        else Message(code=Code.CHANGED)
    )
    assert await server.gateway.read(7, "/3416/0/1") == 40
    assert await server.gateway.read_composite(7, ["/3416/0/1"]) == {parse("/3416/0/1"): 40}
    await server.gateway.write_composite(7, {"/3416/0/1": 40, "/3416/0/52": 2})
    await server.gateway.create(7, "/3452/300", {1: True})
    codes = [one.code for one in lamp.tree.requests]
    assert codes == [Code.GET, Code.GET, Code.POST, Code.POST]
    assert all(one.opt.accept is None for one in lamp.tree.requests)
    assert lamp.tree.requests[2].payload == bytes.fromhex("c10128 c83408 4000000000000000")
    assert lamp.tree.requests[3].payload == bytes.fromhex("23 012c c10101")


async def test_a_lamp_that_prefers_json_gets_json(server, lamp):
    await lamp.register(payload=b'</lw>;rt="oma.lwm2m";ct=110,</lw/3416/0>')
    lamp.tree.answer = lambda request: (
        content(orjson.dumps([{"n": "/3416/0/1", "v": 40}]), 110)
        if request.code in (Code.GET, Code.FETCH)
        else Message(code=Code.CHANGED)
    )
    assert await server.gateway.read(7, "/3416/0/1") == 40
    assert await server.gateway.read_composite(7, ["/3416/0/1"]) == {parse("/3416/0/1"): 40}
    await server.gateway.write_composite(7, {"/3416/0/1": 40})
    read, _, write = lamp.tree.requests
    assert read.opt.uri_path == ("lw", "3416", "0", "1"), "below the alternate path"
    assert orjson.loads(write.payload) == [{"n": "/3416/0/1", "v": 40}]


async def test_plain_text_and_opaque_answers_are_read(server, joined):
    joined.tree.answer = lambda request: content(b"231.5", 0)
    assert await server.gateway.read(7, "/3418/0/1") == 231.5
    joined.tree.answer = lambda request: content(b"\1\2", 42)
    assert await server.gateway.read(7, "/9/0/1") == b"\1\2"
    joined.tree.answer = lambda request: content(b"1", 0)
    with pytest.raises(LampRefused, match="not one resource"):
        await server.gateway.read(7, "/3418/0")
    joined.tree.answer = lambda request: content(b"\xff", 0)
    with pytest.raises(LampRefused, match="UTF-8"):
        await server.gateway.read(7, "/3/0/0")


async def test_large_bodies_travel_in_blocks_both_ways(server, joined):
    received = []

    def answer(request):
        received.append(bytes(request.payload))
        if request.code == Code.GET:
            return pack(*[{0: f"/3416/{number}/1", 2: 40} for number in range(200)])
        return Message(code=Code.CHANGED)

    joined.tree.answer = answer
    text = "S+30=40;" * 200
    await server.gateway.write(7, "/9/0/1", text)
    assert cbor2.loads(received[0]) == [{0: "/9/0/1", 3: text}]
    values = await server.gateway.read(7, "/3416")
    assert len(values) == 200 and set(values.values()) == {40}


class Blocks:
    """A lamp that answers by hand, block by block; `answers` are called with the request, in order."""

    def __init__(self, raw, context):
        self.raw, self.context = raw, context
        self.seen = []

    async def answer(self, *answers):
        for build in answers:
            outer = await self.raw.next()
            request, request_id = self.context.unprotect(outer)
            self.seen.append(request)
            message, _ = self.context.protect(build(request), request_id)
            message.mtype, message.mid, message.token = 2, outer.mid, outer.token
            self.raw.transport.sendto(message.encode())


def block2(payload, number, more, **options):
    message = content(payload)
    message.opt.block2 = (number, more, 2)
    for name, value in options.items():
        setattr(message.opt, name, value)
    return message


@pytest.fixture
async def blocks(server, make_raw):
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    return Blocks(raw, context)


async def test_a_lamp_may_ask_for_smaller_blocks(server, blocks):
    def smaller(request):
        message = Message(code=Code.CONTINUE)
        message.opt.block1 = (0, True, 4)
        return message

    text = "x" * 1000
    writing = asyncio.ensure_future(server.gateway.write(7, "/9/0/1", text))
    last = lambda request: Message(code=Code.CHANGED)  # noqa: E731
    await blocks.answer(smaller, smaller, last)
    await writing
    asked = [tuple(request.opt.block1) for request in blocks.seen]
    assert asked == [(0, True, 5), (2, True, 4), (3, False, 4)]
    assert cbor2.loads(b"".join(request.payload for request in blocks.seen)) == [{0: "/9/0/1", 3: text}]


async def test_a_refusal_in_the_middle_ends_the_upload(server, blocks):
    writing = asyncio.ensure_future(server.gateway.write(7, "/9/0/1", "x" * 1000))
    await blocks.answer(lambda request: Message(code=Code.REQUEST_ENTITY_TOO_LARGE))
    with pytest.raises(LampRefused) as caught:
        await writing
    assert caught.value.code == "4.13"


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (lambda request: Message(code=Code.NOT_FOUND), "4.04"),
        (lambda request: content(b"y" * 64), "do not fit together"),
        (lambda request: block2(b"y" * 64, 5, True), "do not fit together"),
        (lambda request: block2(b"y" * 64, 1, True, etag=b"new"), "do not fit together"),
        (lambda request: block2(b"", 1, True), "do not fit together"),
    ],
)
async def test_blocks_that_do_not_fit_together_are_refused(server, blocks, second, reason):
    reading = asyncio.ensure_future(server.gateway.read(7, "/3416"))
    await blocks.answer(lambda request: block2(b"x" * 64, 0, True), second)
    with pytest.raises(LampRefused, match=reason):
        await reading
    assert tuple(blocks.seen[1].opt.block2) == (1, False, 2)


async def test_a_response_has_a_limit(server, blocks, monkeypatch):
    monkeypatch.setattr("backend.device_server.requester.MAX_RESPONSE_BYTES", 100)
    reading = asyncio.ensure_future(server.gateway.read(7, "/3416"))
    await blocks.answer(lambda request: block2(b"x" * 64, 0, True), lambda request: block2(b"x" * 64, 1, True))
    with pytest.raises(LampRefused, match="longer than"):
        await reading


async def test_a_key_revoked_before_the_request_is_drawn_means_unreachable(server, joined, database):
    context = server._contexts.find(Context().sender_id)
    context.limit = context.sender_sequence_number
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE device_credential SET revoked_real_ms = 1")
    with pytest.raises(LampUnreachable, match="revoked"):
        await server.gateway.read(7, "/3/0/0")


async def test_a_lamp_that_never_registered_is_unreachable(server):
    for call in (server.gateway.read(7, "/3/0/0"), server.gateway.write(99, "/3/0/0", "x")):
        with pytest.raises(LampUnreachable, match="never registered"):
            await call


async def test_a_lamp_is_present_while_its_lifetime_lasts(server, joined, clock):
    assert server.gateway.is_present(7) and not server.gateway.is_present(8)
    clock.real += 300_000
    assert server.gateway.is_present(7)
    clock.real += 1
    assert not server.gateway.is_present(7)
    session = server.sessions.find(7)
    session.lifetime_s = 0
    assert server.gateway.is_present(7), "it promised nothing"
    server.sessions.deregister(session)
    assert not server.gateway.is_present(7), "a planned stop"


async def test_a_lamp_that_is_gone_is_unreachable(server, joined):
    await joined.close()
    with pytest.raises(LampUnreachable):
        await server.gateway.read(7, "/3/0/0")
    assert server.counters.lamp_timeouts == 1
    joined.close = _nothing


async def _nothing():
    pass


async def test_a_lamp_that_is_silent_is_unreachable_after_the_retransmissions(server, make_raw):
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    with pytest.raises(LampUnreachable, match="the lamp does not answer"):
        await server.gateway.read(7, "/3/0/0")
    assert raw.received.qsize() == 3, "one and two retransmissions"


async def test_a_request_that_is_given_up_is_not_repeated_and_does_not_spoil_the_next(server, make_raw):
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    reading = asyncio.ensure_future(server.gateway.read(7, "/3/0/0"))
    given_up = await raw.next()
    reading.cancel()
    await asyncio.wait([reading])
    with pytest.raises(LampUnreachable, match="the lamp does not answer"):
        await server.gateway.read(7, "/3/0/1")
    received = [await raw.next() for _ in range(raw.received.qsize())]
    assert len(received) == 3 and given_up.mid not in {message.mid for message in received}


async def test_a_lamp_that_is_silent_does_not_hold_up_the_others(make_server, database, make_raw, make_lamp):
    server = await make_server(window=1, window_patience_s=0.05, lamp_ack_timeout_s=60.0)
    enrol(server, database)
    other = b"\x00\x00\x00\x00\x08"
    enrol(server, database, 8, endpoint="urn:dev:mac:08", sender_id=other)
    raw = await make_raw(server)
    await raw.protected(Context(), Message(code=Code.GET, uri_path=("time",)))
    lamp = await make_lamp(server, Context(other))
    await lamp.register("urn:dev:mac:08")
    lamp.tree.answer = lambda request: pack({-2: "/3416/0/", 0: "1", 2: 40})
    silent = asyncio.ensure_future(server.gateway.read(7, "/3416/0/1"))
    await raw.next()
    async with asyncio.timeout(PATIENCE_S):
        assert await server.gateway.read(8, "/3416/0/1") == 40
    assert not silent.done()
    silent.cancel()


async def test_a_request_follows_a_lamp_that_is_heard_from_elsewhere(server, make_raw):
    before, after, context = await make_raw(server), await make_raw(server), Context()
    await before.protected(context, Message(code=Code.GET, uri_path=("time",)))
    reading = asyncio.ensure_future(server.gateway.read(7, "/3416/0/1"))
    first = await before.next()
    await after.protected(context, Message(code=Code.GET, uri_path=("time",)))
    second = await after.next()
    assert second.mid != first.mid and second.opt.oscore != first.opt.oscore, "sealed anew: never one nonce twice"
    _, request_id = context.unprotect(second)
    message, _ = context.protect(pack({0: "/3416/0/1", 2: 40}), request_id)
    message.mtype, message.mid, message.token = 2, second.mid, second.token
    after.transport.sendto(message.encode())
    assert await reading == 40
    assert server.counters.lamp_timeouts == 0


async def test_a_lamp_that_moves_all_the_time_is_unreachable(server, make_raw):
    context = Context()
    raw = await make_raw(server)
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    reading = asyncio.ensure_future(server.gateway.read(7, "/3416/0/1"))
    for _ in range(4):
        await raw.next()
        raw = await make_raw(server)
        await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    with pytest.raises(LampUnreachable, match="faster than it answers"):
        await reading


async def test_a_separate_response_does_not_wait_behind_a_request_that_nobody_answers(make_server, database, make_raw):
    """A lamp has restarted: it asks, while what was asked of it before goes unanswered."""
    stored = threading.Event()
    server = await make_server([lambda connection, reports: stored.wait(5) or None], lamp_ack_timeout_s=60.0)
    enrol(server, database)
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    reading = asyncio.ensure_future(server.gateway.read(7, "/3/0/0"))
    await raw.next()
    body = cbor2.dumps([{-2: "/3418/0/", 0: "1", 2: 231.5}])
    outer, request_id = context.protect(Message(code=Code.POST, uri_path=("dp",), content_format=112, payload=body))
    acknowledgement = await raw.ask(raw.encode(outer))
    assert (acknowledgement.code, acknowledgement.mtype) == (Code.EMPTY, ACK)
    stored.set()
    answer = await raw.next()
    assert (answer.mtype, answer.token) == (CON, outer.token)
    assert context.unprotect(answer, request_id)[0].code == Code.CHANGED
    raw.transport.sendto(b"\x60\x00" + answer.mid.to_bytes(2, "big"))
    reading.cancel()


async def answer_once(raw, build):
    """Answer the next request that reaches the raw lamp with build(request)."""
    request = await raw.next()
    message = build(request)
    message.mtype, message.mid, message.token = 2, request.mid, request.token
    raw.transport.sendto(message.encode())


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda request: Message(code=Code.UNAUTHORIZED), "without protection"),
        (lambda request: Message(code=Code.CHANGED, oscore=b"", payload=b"0123456789abc"), "does not decrypt"),
        (lambda request: Message(code=Code.EMPTY), "sent no answer"),
    ],
)
async def test_an_answer_without_the_key_does_not_count(server, make_raw, build, reason):
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    reading = asyncio.ensure_future(server.gateway.read(7, "/3/0/0"))

    def reply(request):
        message = build(request)
        if message.code is Code.EMPTY:
            request.token = b""
        return message

    await answer_once(raw, reply)
    with pytest.raises(LampUnreachable, match=reason):
        await reading


async def test_a_sealed_answer_must_be_a_response(server, make_raw):
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    reading = asyncio.ensure_future(server.gateway.read(7, "/3/0/0"))

    def build(request):
        _, request_id = context.unprotect(request)
        split = context._split_message
        context._split_message = lambda message, of: (split(message, of)[0], b"\x01")
        return context.protect(Message(code=Code.CONTENT), request_id)[0]

    await answer_once(raw, build)
    with pytest.raises(LampUnreachable, match="no response"):
        await reading


async def test_a_reset_means_unreachable(server, make_raw):
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    reading = asyncio.ensure_future(server.gateway.read(7, "/3/0/0"))
    request = await raw.next()
    raw.transport.sendto(b"\x70\x00" + request.mid.to_bytes(2, "big"))
    with pytest.raises(LampUnreachable, match="cannot be reached"):
        await reading


async def test_a_lamp_that_restarted_asks_for_an_echo_and_gets_it(server, joined):
    joined.context.echo_recovery = b"freshness"
    joined.context.recipient_replay_window._index = None
    joined.tree.answer = lambda request: pack({0: "/3416/0/1", 2: 40})
    assert await server.gateway.read(7, "/3416/0/1") == 40
    assert joined.tree.requests[-1].opt.echo == b"freshness"


@pytest.mark.parametrize(("restarts", "is_answered"), [(3, True), (4, False)])
async def test_a_lamp_that_restarts_again_while_it_is_asked_gets_each_echo_it_wants(
    server, joined, monkeypatch, restarts, is_answered
):
    echoes = []

    async def protected(self, lamp_id, context, message):
        echoes.append(message.opt.echo)
        if len(echoes) <= restarts:
            return Message(code=Code.UNAUTHORIZED, echo=b"boot %d" % len(echoes))
        return pack({0: "/3416/0/1", 2: 40})

    monkeypatch.setattr(Requester, "_protected", protected)
    if is_answered:
        assert await server.gateway.read(7, "/3416/0/1") == 40
    else:
        with pytest.raises(LampUnreachable, match="restarts faster"):
            await server.gateway.read(7, "/3416/0/1")
    assert echoes == [None, *(b"boot %d" % number for number in range(1, 4))]


async def test_each_answer_on_the_way_is_a_sign_of_life(server, joined, clock, monkeypatch):
    heard = []
    monkeypatch.setattr(server.sessions, "answered", lambda lamp_id, now_ms: heard.append((lamp_id, now_ms)))
    joined.context.echo_recovery = b"freshness"
    joined.context.recipient_replay_window._index = None
    joined.tree.answer = lambda request: pack({0: "/3/0/0", 3: "x" * 1500})
    await server.gateway.read(7, "/3/0/0")
    assert heard == [(7, clock.real)] * 3, "the challenge, and two blocks"


async def test_one_request_at_a_time_reaches_a_lamp(server, joined):
    gate = asyncio.Event()
    busy = most = 0

    class Slow(Tree):
        async def render(self, request):
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            await gate.wait()
            busy -= 1
            return pack({0: "/3416/0/1", 2: 40})

    joined.endpoint.serversite._inner_site._resource = Slow(joined.tree.answer)
    calls = [asyncio.ensure_future(server.gateway.read(7, "/3416/0/1")) for _ in range(16)]
    await asyncio.sleep(0)
    with pytest.raises(LampUnreachable, match="16 requests wait"):
        await server.gateway.read(7, "/3416/0/1")
    gate.set()
    assert await asyncio.gather(*calls) == [40] * 16
    assert most == 1
    assert server.gateway._locks == {}


async def test_a_key_revoked_while_waiting_ends_the_wait(server, joined, database):
    lock = asyncio.Lock()
    await lock.acquire()
    server.gateway._locks[7] = (lock, 1)
    waiting = asyncio.ensure_future(server.gateway.read(7, "/3/0/0"))
    await asyncio.sleep(0)
    server.sessions.forget(7)
    lock.release()
    with pytest.raises(LampUnreachable, match="revoked"):
        await waiting


async def test_a_session_without_key_or_address_cannot_be_spoken_to(server, joined, database):
    session = server.sessions.find(7)
    with database.session(writes=True) as transaction:
        server.credentials.revoke(transaction, 7)
    await asyncio.sleep(0)
    server.sessions.put(session)
    with pytest.raises(LampUnreachable, match="no key in force"):
        await server.gateway.read(7, "/3/0/0")
    session.remote = None
    with pytest.raises(LampUnreachable, match="not been heard"):
        await server.gateway.read(7, "/3/0/0")


async def test_a_database_that_fails_while_numbers_are_reserved_means_unreachable(server, joined):
    context = server._contexts.find(Context().sender_id)
    context.limit = context.sender_sequence_number
    await server._writer.stop()
    with pytest.raises(LampUnreachable, match="sequence number"):
        await server.gateway.read(7, "/3/0/0")


async def test_stopping_ends_a_request_under_way(make_server, database, make_raw):
    server = await make_server(lamp_ack_timeout_s=5.0)
    enrol(server, database)
    raw, context = await make_raw(server), Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    reading = asyncio.ensure_future(server.gateway.read(7, "/3/0/0"))
    await raw.next()
    await server.stop()
    with pytest.raises(LampUnreachable, match="stopping"):
        await reading
