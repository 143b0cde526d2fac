"""Our OSCORE and aiocoap's understand one another, as client and as server. Source: RFC 8613."""

from typing import Any

import aiocoap
import pytest
from aiocoap import oscore
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.coap import message as coap
from firmware.coap.message import Message
from firmware.oscore.errors import Refused
from tests.firmware.oscore.sides import LAMP_ID, SERVER_ID, Peer, from_peer, lamp, to_peer

ID_CONTEXTS = pytest.mark.parametrize("id_context", [None, b"", b"street 7"])

# Block options, Echo, Request-Tag and one that nobody knows are inner; Uri-Host is outer.
OPTIONS = [
    (coap.URI_HOST, b"lamp.example"),
    (coap.URI_PATH, b"3416"),
    (coap.URI_PATH, b"0"),
    (coap.CONTENT_FORMAT, b"\x70"),
    (coap.URI_QUERY, b"lt=300"),
    (coap.ACCEPT, b"\x70"),
    (coap.BLOCK1, b"\x0d"),
    (coap.SIZE1, b"\x10\x00"),
    (coap.NO_RESPONSE, b"\x02"),
    (coap.REQUEST_TAG, b"\x01"),
    (2050, b"unknown"),
]


def fields(message: Message | aiocoap.Message) -> tuple[int, list[tuple[int, bytes]], bytes]:
    """Code, options in order and payload, of either library's message."""
    if isinstance(message, Message):
        return message.code, sorted(message.options, key=lambda item: item[0]), message.payload
    return int(message.code), [(int(o.number), o.encode()) for o in message.opt.option_list()], message.payload


@ID_CONTEXTS
def test_aiocoap_serves_our_request(id_context: bytes | None) -> None:
    ours, theirs = lamp(id_context=id_context), Peer(SERVER_ID, LAMP_ID, id_context)
    for payload in (b"", b"x", b"report" * 150):
        request = Message(coap.POST, token=b"ab", options=list(OPTIONS), payload=payload)
        protected, binding = ours.protect_request(request)
        assert protected.code == coap.POST
        assert [number for number, _ in protected.options] == [coap.URI_HOST, coap.OSCORE]
        received, request_id = theirs.unprotect(to_peer(protected))
        assert fields(received)[0] == coap.POST
        # aiocoap leaves outer options where they were: outside.
        assert fields(received)[1:] == (OPTIONS[1:], payload)
        answer = aiocoap.Message(code=aiocoap.CONTENT, payload=payload, block2=(2, True, 6), max_age=7)
        response = ours.unprotect_response(from_peer(theirs.protect(answer, request_id)[0]), binding)
        assert fields(response) == (coap.CONTENT, [(coap.MAX_AGE, b"\x07"), (coap.BLOCK2, b"\x2e")], payload)


@ID_CONTEXTS
def test_we_serve_aiocoaps_request(id_context: bytes | None) -> None:
    ours, theirs = lamp(id_context=id_context), Peer(SERVER_ID, LAMP_ID, id_context)
    for _ in range(3):
        question = aiocoap.Message(code=aiocoap.PUT, uri_path=["3416", "0"], payload=b"on", block1=(1, False, 5))
        protected, request_id = theirs.protect(question)
        request, binding = ours.unprotect_request(from_peer(protected))
        assert request.code == coap.PUT and request.path() == "3416/0" and request.payload == b"on"
        assert request.option(coap.BLOCK1) == b"\x15"
        response = Message(coap.CHANGED, options=[(coap.BLOCK1, b"\x15")], payload=b"ok")
        answer = ours.protect_response(response, binding)
        assert answer.code == coap.CHANGED and answer.option(coap.OSCORE) == b""
        received, _ = theirs.unprotect(to_peer(answer), request_id)
        assert fields(received) == fields(response)


def test_aiocoap_reads_our_notifications_in_their_order() -> None:
    ours, theirs = lamp(), Peer(SERVER_ID, LAMP_ID)
    protected, request_id = theirs.protect(aiocoap.Message(code=aiocoap.GET, uri_path=["3418", "0", "1"], observe=0))
    assert protected.code == aiocoap.FETCH
    request, binding = ours.unprotect_request(from_peer(protected))
    assert request.option(coap.OBSERVE) == b"" and request.code == coap.GET
    order = []
    for index in range(4):
        value = Message(coap.CONTENT, options=[(coap.OBSERVE, bytes((index,)))], payload=b"%d" % index)
        notification = ours.protect_response(value, binding, notification=index > 0)
        assert notification.code == coap.CONTENT and notification.option(coap.OBSERVE) == bytes((index,))
        received, _ = theirs.unprotect(to_peer(notification), request_id)
        assert received.payload == b"%d" % index
        order.append(received.opt.observe)
    assert order == [-1, 0, 1, 2]


def test_we_read_aiocoaps_notifications_in_their_order() -> None:
    ours, theirs = lamp(), Peer(SERVER_ID, LAMP_ID)
    protected, binding = ours.protect_request(Message(coap.GET, options=[(coap.OBSERVE, b""), (coap.URI_PATH, b"x")]))
    assert protected.code == coap.FETCH and protected.option(coap.OBSERVE) == b""
    request, request_id = theirs.unprotect(to_peer(protected))
    assert request.opt.observe == 0
    theirs.sender_sequence_number = 5
    sent = []
    for index in range(4):
        notification = aiocoap.Message(code=aiocoap.CONTENT, observe=0, payload=b"%d" % index)
        sent.append(from_peer(theirs.protect(notification, request_id)[0]))
    for index, observe in ((0, b""), (1, b"\x05"), (3, b"\x07")):
        response = ours.unprotect_response(sent[index], binding)
        assert response.payload == b"%d" % index and response.option(coap.OBSERVE) == observe
    for index in (0, 1, 2, 3):
        with pytest.raises(Refused, match="Replay detected"):
            ours.unprotect_response(sent[index], binding)


def test_aiocoap_proves_itself_fresh_to_a_lamp_that_restarted() -> None:
    ours, theirs = lamp(restarted=True), Peer(SERVER_ID, LAMP_ID)
    question = aiocoap.Message(code=aiocoap.GET, uri_path=["3", "0"])
    protected, request_id = theirs.protect(question)
    with pytest.raises(Refused) as caught:
        ours.unprotect_request(from_peer(protected))
    answer, _ = theirs.unprotect(to_peer(caught.value.response), request_id)
    assert answer.code == aiocoap.UNAUTHORIZED and answer.opt.echo and answer.payload == b""
    again, request_id = theirs.protect(question.copy(echo=answer.opt.echo))
    request, binding = ours.unprotect_request(from_peer(again))
    assert request.path() == "3/0"
    received, _ = theirs.unprotect(to_peer(ours.protect_response(Message(coap.CONTENT), binding)), request_id)
    assert received.code == aiocoap.CONTENT


def test_we_prove_ourselves_fresh_to_an_aiocoap_that_restarted() -> None:
    ours, theirs = lamp(), Peer(SERVER_ID, LAMP_ID, restarted=True)
    request = Message(coap.POST, options=[(coap.URI_PATH, b"rd")], payload=b"</3/0>")
    protected, binding = ours.protect_request(request)
    with pytest.raises(oscore.ReplayErrorWithEcho) as caught:
        theirs.unprotect(to_peer(protected))
    challenge = ours.unprotect_response(from_peer(caught.value.to_message()), binding)
    assert challenge.code == coap.UNAUTHORIZED and challenge.option(coap.ECHO) == theirs.echo_recovery
    protected, binding = ours.protect_request(request.copy().add(coap.ECHO, challenge.option(coap.ECHO)))
    received, request_id = theirs.unprotect(to_peer(protected))
    assert received.payload == b"</3/0>"
    answer, _ = theirs.protect(aiocoap.Message(code=aiocoap.CREATED, location_path=["rd", "5"]), request_id)
    assert ours.unprotect_response(from_peer(answer), binding).location() == "rd/5"


# Options that aiocoap keeps as bytes; the others it reads and writes anew.
OPAQUE = st.sampled_from([coap.IF_MATCH, coap.ETAG, coap.ECHO, coap.REQUEST_TAG, 2048, 65001])
INNER = st.lists(st.tuples(OPAQUE, st.binary(min_size=1, max_size=4)), max_size=6)
METHODS = st.sampled_from([coap.GET, coap.POST, coap.PUT, coap.DELETE, coap.FETCH, coap.PATCH, coap.IPATCH])


@given(METHODS, INNER, st.binary(max_size=300), st.integers(0, (1 << 40) - 2))
@settings(max_examples=100)
def test_any_request_arrives_as_it_was(code: int, options: Any, payload: bytes, sequence: int) -> None:
    request = Message(code, token=b"t", options=list(options), payload=payload)
    ours, theirs = lamp(sequence=sequence), Peer(SERVER_ID, LAMP_ID)
    received, _ = theirs.unprotect(to_peer(ours.protect_request(request)[0]))
    assert fields(received) == fields(request)

    theirs.sender_sequence_number = sequence
    question = aiocoap.Message.decode(coap.encode(Message(code, mid=1, options=list(options), payload=payload)))
    question.direction = aiocoap.message.Direction.OUTGOING
    assert fields(ours.unprotect_request(from_peer(theirs.protect(question)[0]))[0]) == fields(request)
