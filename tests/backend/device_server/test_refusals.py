"""Who is refused, and how: RFC 8613, sections 7.4 and 8.2."""

import asyncio
import socket

import aiocoap
import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.device_server.errors import PortTaken
from backend.device_server.tuning import Address
from tests.backend.device_server.conftest import enrol
from tests.backend.device_server.peers import SECRET, Context, Raw
from tests.backend.waiting import PATIENCE_S, until


def get(path="time", **options):
    return Message(code=Code.GET, uri_path=(path,), **options)


async def test_an_unprotected_request_is_refused_everywhere(server, raw):
    for path in (("rd",), ("dp",), ("time",), (".well-known", "core"), (".well-known", "edhoc"), ()):
        answer = await raw.ask(raw.encode(Message(code=Code.POST, uri_path=path)))
        assert answer.code == Code.UNAUTHORIZED
    assert server.counters.unprotected == 6 and server.counters.requests == 0


async def test_an_unknown_key_id_is_refused(server, raw):
    outer, _ = Context(b"\x99").protect(get())
    answer = await raw.ask(raw.encode(outer))
    assert (answer.code, answer.payload) == (Code.UNAUTHORIZED, b"Security context not found")
    assert server.counters.unknown_kid == 1


async def test_a_message_of_another_key_is_refused(server, raw):
    outer, _ = Context(secret=SECRET[::-1]).protect(get())
    assert (await raw.ask(raw.encode(outer))).code == Code.BAD_REQUEST
    assert server.counters.tampered == 1


async def test_a_tampered_message_is_refused(server, raw):
    context = Context()
    assert (await raw.protected(context, get())).code == Code.CONTENT
    for position in range(len(context.protect(get())[0].payload)):
        outer, _ = context.protect(get())
        outer.payload = outer.payload[:position] + bytes([outer.payload[position] ^ 1]) + outer.payload[position + 1 :]
        assert (await raw.ask(raw.encode(outer))).code == Code.BAD_REQUEST
    assert server.counters.tampered == 14 and server.counters.requests == 1


async def test_a_replayed_message_is_refused_and_a_retransmitted_one_answered_again(server, raw):
    context = Context()
    await raw.protected(context, get())
    outer, request_id = context.protect(get())
    datagram = raw.encode(outer)
    answer = await raw.ask(datagram)
    again = await raw.ask(datagram)
    assert again.payload == answer.payload, "encrypted once"
    assert context.unprotect(answer, request_id)[0].code == Code.CONTENT
    assert server.counters.requests == 2

    replayed = await raw.ask(raw.encode(outer))
    assert (replayed.code, replayed.payload) == (Code.UNAUTHORIZED, b"Replay detected")
    assert server.counters.replayed == 1 and server.counters.requests == 2


async def test_a_copy_that_was_harmed_does_not_spoil_the_one_that_follows(server, raw):
    context = Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    outer, request_id = context.protect(Message(code=Code.GET, uri_path=("time",)))
    whole = raw.encode(outer)
    harmed = whole[:-1] + bytes([whole[-1] ^ 1])
    assert (await raw.ask(harmed)).code == Code.BAD_REQUEST
    answer = await raw.ask(whole)
    assert context.unprotect(answer, request_id)[0].code == Code.CONTENT
    assert (await raw.ask(whole)).payload == answer.payload, "from memory"


async def test_an_answer_bears_the_token_of_the_copy_that_it_answers(server, raw):
    context = Context()
    await raw.protected(context, Message(code=Code.GET, uri_path=("time",)))
    outer, request_id = context.protect(Message(code=Code.GET, uri_path=("time",)))
    whole = raw.encode(outer)
    requests = server.counters.requests
    harmed = whole[:4] + bytes([whole[4] ^ 0x10]) + whole[5:]
    assert (await raw.ask(harmed)).token == harmed[4:5]
    answer = await raw.ask(whole)
    assert answer.token == whole[4:5]
    assert context.unprotect(answer, request_id)[0].code == Code.CONTENT
    assert server.counters.requests == requests + 1, "and it is served once"


async def test_the_first_message_after_a_start_must_prove_that_it_is_fresh(server, raw):
    context = Context()
    outer, request_id = context.protect(get())
    inner, _ = context.unprotect(await raw.ask(raw.encode(outer)), request_id)
    assert inner.code == Code.UNAUTHORIZED and len(inner.opt.echo) == 8
    outer, request_id = context.protect(get(echo=b"wrong"))
    assert context.unprotect(await raw.ask(raw.encode(outer)), request_id)[0].code == Code.UNAUTHORIZED
    assert (await raw.protected(context, get(echo=inner.opt.echo))).code == Code.CONTENT
    assert server.counters.echo_challenges == 2 and server.counters.requests == 1


@pytest.mark.parametrize(
    "option", [b"", b"\x00", b"\x01\x00", b"\xe9\x00\x11", b"\x09", b"\x19\x00\x05ab", b"\x0f1234567", b"\x10"]
)
async def test_an_oscore_option_that_cannot_be_read_is_refused(server, raw, option):
    outer = Message(code=Code.POST, oscore=option, payload=b"0123456789")
    assert (await raw.ask(raw.encode(outer))).code == Code.BAD_OPTION
    assert server.counters.malformed == 1


async def test_an_id_context_leads_to_the_key_and_does_not_fit_it(server, raw):
    outer, _ = Context().protect(get(), kid_context=b"ctx")
    assert (await raw.ask(raw.encode(outer))).code == Code.BAD_REQUEST


async def test_a_protected_message_needs_post_or_fetch_outside(server, raw):
    outer, _ = Context().protect(get())
    outer.code = Code.PUT
    assert (await raw.ask(raw.encode(outer))).code == Code.METHOD_NOT_ALLOWED


async def test_critical_options_that_are_not_understood_are_refused(server, raw):
    context = Context()
    assert (await raw.protected(context, get())).code == Code.CONTENT
    answer = await raw.protected(context, get(if_none_match=True))
    assert answer.code == Code.BAD_OPTION and b"option 5" in answer.payload
    outer, _ = context.protect(get())
    outer.opt.block1 = (0, True, 2)
    assert (await raw.ask(raw.encode(outer))).code == Code.BAD_OPTION


async def test_a_sealed_message_that_is_no_request_or_no_coap_is_refused(server, raw):
    context = Context()
    await raw.protected(context, get())
    split = context._split_message
    for plaintext in (
        b"\x45",
        b"\x00",
        b"\x01\xff",
        b"\x01\xf0",
        b"\x01\xb1\xff",
        b"\x01\xd0",
        b"\x01\xe0\x01",
        b"\x01\xb5a",
    ):
        context._split_message = lambda message, request_id, inner=plaintext: (split(message, request_id)[0], inner)
        outer, _ = context.protect(get())
        assert (await raw.ask(raw.encode(outer))).code == Code.BAD_REQUEST
    del context._split_message
    assert (await raw.protected(context, get())).code == Code.CONTENT


async def test_refusals_of_non_confirmable_requests_are_silent_and_forgotten(server, raw):
    raw.transport.sendto(raw.encode(get(), aiocoap.NON))
    outer, _ = Context(b"\x99").protect(get())
    raw.transport.sendto(raw.encode(outer, aiocoap.NON))
    assert await raw.hears_nothing()
    await until(lambda: server.counters.unknown_kid and not server._endpoint.tokens.incoming_requests)
    assert server.counters.unprotected == 1


async def test_a_revoked_key_is_refused_at_once(server, raw, database):
    context = Context()
    assert (await raw.protected(context, get())).code == Code.CONTENT
    with database.session(writes=True) as session:
        server.credentials.revoke(session, 7)
    outer, _ = context.protect(get())
    assert (await raw.ask(raw.encode(outer))).code == Code.UNAUTHORIZED
    await asyncio.sleep(0)
    assert server.sessions.find(7) is None
    enrol(server, database)
    assert (await raw.protected(context, get())).code == Code.CONTENT


async def test_too_many_strangers_at_once_are_told_to_come_back(make_server, make_raw, database):
    server = await make_server(waiting_lookups=0)
    enrol(server, database)
    raw = await make_raw(server)
    outer, _ = Context().protect(get())
    answer = await raw.ask(raw.encode(outer))
    assert (answer.code, answer.opt.max_age, server.counters.overloaded) == (Code.SERVICE_UNAVAILABLE, 10, 1)


async def test_a_database_that_does_not_answer_is_no_crash(server, raw, database, caplog):
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE device_credential")
    outer, _ = Context().protect(get())
    assert (await raw.ask(raw.encode(outer))).code == Code.SERVICE_UNAVAILABLE
    assert "request not served" in caplog.text


async def test_a_mistake_of_ours_is_an_internal_error(server, raw, clock, caplog):
    context = Context()
    assert (await raw.protected(context, get())).code == Code.CONTENT
    server._door._site.serve = None
    assert (await raw.protected(context, get())).code == Code.INTERNAL_SERVER_ERROR
    server._door._sessions = None
    outer, _ = context.protect(get())
    assert (await raw.ask(raw.encode(outer))).code == Code.INTERNAL_SERVER_ERROR
    assert "request not served" in caplog.text


@pytest.mark.parametrize(
    ("datagram", "answer"),
    [
        ("40", None),
        ("00 01 0007", None),
        ("80 01 0007", None),
        ("49 01 0007 010203040506070809", "70 00 0007"),
        ("42 01 0007 01", "70 00 0007"),
        ("40 01 0007 ff", "70 00 0007"),
        ("40 01 0007 b5", "70 00 0007"),
        ("40 01 0007 f0", "70 00 0007"),
        ("40 01 0007 0f", "70 00 0007"),
        ("40 01 0007 e0ffff e0ffff", "70 00 0007"),
        ("40 01 0007 d0", "70 00 0007"),
        ("40 01 0007 0d", "70 00 0007"),
        ("40 01 0007 0e01", "70 00 0007"),
        ("40 20 0007", "70 00 0007"),
        ("50 01 0007 ff", None),
        ("60 01 0007", None),
        ("70 01 0007", None),
        ("50 00 0007", None),
        ("40 00 0007 00", "70 00 0007"),
        ("41 01 0007 55 b2c3ff", "61 82 0007 55"),
        ("51 01 0007 55 b2c3ff", None),
        ("40 00 0007", "70 00 0007"),
    ],
)
async def test_a_malformed_datagram_is_reset_or_ignored(server, raw, datagram, answer):
    raw.transport.sendto(bytes.fromhex(datagram))
    if answer is None:
        assert await raw.hears_nothing()
    else:
        async with asyncio.timeout(PATIENCE_S):
            assert await raw.received.get() == bytes.fromhex(answer)
    assert server.counters.malformed == (datagram != "40 00 0007")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(st.binary(max_size=60), min_size=1, max_size=5))
async def test_no_datagram_stops_the_server(server, data):
    raw = await Raw.open(server.port)
    for datagram in data:
        raw.transport.sendto(datagram)
        raw.transport.sendto(b"\x40\x02\x12\x34" + datagram)
        raw.transport.sendto(b"\x40\x02\x12\x35\x94\x09\x00\x11\x22\xff" + datagram)
    raw.transport.close()
    raw = await Raw.open(server.port)
    assert (await raw.ask(raw.encode(get()))).code == Code.UNAUTHORIZED
    raw.transport.close()


async def test_a_port_that_is_taken_says_what_to_do(server, make_server):
    with pytest.raises(PortTaken, match=f"ss -lunp sport = :{server.port}"):
        await make_server(port=server.port)
    with pytest.raises(PortTaken, match="check the address"):
        await make_server(host="192.0.2.1")
    with pytest.raises(PortTaken, match="check the host name"):
        await make_server(host="no-such-host.invalid")


async def test_an_icmp_error_is_no_crash(server, raw, caplog):
    """The lamp is gone when the answer arrives: its host says so, and the server lives on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.sendto(raw.encode(get()), ("127.0.0.1", server.port))
    assert (await raw.ask(raw.encode(get()))).code == Code.UNAUTHORIZED
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_what_became_of_a_strangers_datagram_takes_no_lamp_its_answer(server, raw):
    """A refused datagram to somebody who is gone is reported by the kernel on the next one, which it does not send."""
    context = Context()
    await raw.protected(context, get())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    datagrams = server._endpoint.datagrams
    nobody = Address(("::ffff:127.0.0.1", port, 0, 0), datagrams)
    lamp = next(key[0] for key in datagrams._ctx._recent)
    for number in range(5):
        datagrams.send_bytes(b"\x70\x00\x12\x34", nobody)
        datagrams.send_bytes(b"\x70\x00\x12" + bytes([number]), lamp)
        assert (await raw.next()).mid == 0x1200 + number
