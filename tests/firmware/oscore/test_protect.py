"""Protection and refusal of messages. Source: RFC 8613 sections 4, 7 and 8, Appendices B.1.2 and C."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.coap import message as coap
from firmware.coap.message import Message, decode, encode
from firmware.oscore import option
from firmware.oscore.context import NUMBERS, Context, associated_data
from firmware.oscore.errors import OscoreError, Refused, SequenceExhausted
from firmware.oscore.protect import ECHOES, Oscore
from firmware.oscore.window import ReplayWindow
from tests.firmware.oscore.sides import LAMP_ID, SERVER_ID, Counting, lamp, server
from tests.vectors.rfc8613 import C4, C7_PROTECTED, C8_PROTECTED, REQUESTS, RESPONSE_PLAIN, SECRET, Derivation

h = bytes.fromhex


def end(vector: Derivation, is_server: bool, sequence: int = 0) -> Oscore:
    """The client or the server of Appendix C."""
    ids = [h(vector.client_id), h(vector.server_id)]
    if is_server:
        ids.reverse()
    id_context = None if vector.id_context is None else h(vector.id_context)
    context = Context(
        *ids,
        h(SECRET),
        lambda limit: None,
        master_salt=h(vector.salt),
        id_context=id_context,
        sequence=sequence,
        window=ReplayWindow(),
    )
    return Oscore(context, Counting())


def get(*options: tuple[int, bytes], payload: bytes = b"") -> Message:
    return Message(coap.GET, mid=7, token=b"tk", options=[(coap.URI_PATH, b"3"), *options], payload=payload)


def over_the_air(message: Message) -> Message:
    """As it arrives: encoded, decoded, and no object shared with the sender."""
    message.mid = 7 if message.mid is None else message.mid
    return decode(encode(message))


def ask(client: Oscore, peer: Oscore, request: Message) -> tuple[Message, Any, Any]:
    """The request as the peer gets it, and both bindings."""
    protected, ours = client.protect_request(request)
    received, theirs = peer.unprotect_request(over_the_air(protected))
    return received, ours, theirs


def refusal(call: Callable[..., Any], *arguments: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("vector", REQUESTS, ids=[vector.name for vector in REQUESTS])
def test_the_requests_of_appendix_c_come_out(vector) -> None:
    protected, _ = end(vector.derivation, False, 20).protect_request(decode(h(vector.plain)))
    assert encode(protected).hex() == vector.protected
    request, _ = end(vector.derivation, True).unprotect_request(decode(h(vector.protected)))
    assert encode(request).hex() == vector.plain


def test_the_responses_of_appendix_c_come_out() -> None:
    client, peer = end(C4.derivation, False, 20), end(C4.derivation, True)
    _, ours = client.protect_request(decode(h(C4.plain)))
    _, theirs = peer.unprotect_request(decode(h(C4.protected)))
    # C.7 with the nonce of the request, and C.8: a second response needs, and gets, a number of its own.
    for expected in (C7_PROTECTED, C8_PROTECTED):
        assert encode(peer.protect_response(decode(h(RESPONSE_PLAIN)), theirs)).hex() == expected
        assert encode(client.unprotect_response(decode(h(expected)), ours)).hex() == RESPONSE_PLAIN


def test_outside_remains_what_proxies_need() -> None:
    request = get(
        (coap.URI_HOST, b"a"),
        (coap.URI_PORT, b"\x16"),
        (coap.PROXY_SCHEME, b"coap"),
        (coap.URI_QUERY, b"q"),
        (coap.MAX_AGE, b"\x01"),
        (coap.BLOCK2, b"\x06"),
        (coap.NO_RESPONSE, b"\x1a"),
        (9999, b"new"),
        payload=b"secret",
    )
    protected, _ = lamp().protect_request(request)
    assert (protected.code, protected.mid, protected.token) == (coap.POST, 7, b"tk")
    outside = {coap.URI_HOST, coap.URI_PORT, coap.PROXY_SCHEME, coap.OSCORE}
    assert {number for number, _ in protected.options} == outside
    received, _ = server().unprotect_request(over_the_air(protected))
    assert sorted(received.options) == sorted(request.options)
    assert (received.code, received.mid, received.token, received.payload) == (coap.GET, 7, b"tk", b"secret")


def test_options_that_belong_inside_are_dropped_outside() -> None:
    protected, _ = lamp().protect_request(get())
    for number in (coap.IF_MATCH, coap.OBSERVE, coap.MAX_AGE, coap.BLOCK1, coap.NO_RESPONSE, coap.ECHO):
        protected.add(number, b"")
    received, binding = server().unprotect_request(over_the_air(protected))
    assert received.options == [(coap.URI_PATH, b"3")]
    assert not binding.observe


@pytest.mark.parametrize("number", [coap.OSCORE, coap.PROXY_URI])
def test_a_message_that_cannot_be_protected_costs_no_number(number: int) -> None:
    client = lamp()
    with pytest.raises(OscoreError):
        client.protect_request(get((number, b"coap://a/b")))
    protected, _ = client.protect_request(get())
    assert option.decode(protected.option(coap.OSCORE)).piv == b"\x00"
    _, _, binding = ask(lamp(sequence=9), server(), get())
    with pytest.raises(OscoreError):
        server().protect_response(Message(coap.CONTENT, options=[(number, b"")]), binding)


def test_a_response_goes_without_a_number_once() -> None:
    client, peer = lamp(), server()
    _, ours, theirs = ask(client, peer, get())
    headers = []
    for index in range(3):
        response = peer.protect_response(Message(coap.CONTENT, payload=b"%d" % index), theirs)
        headers.append(response.option(coap.OSCORE))
        assert response.code == coap.CHANGED
        assert client.unprotect_response(over_the_air(response), ours).payload == b"%d" % index
    assert headers == [b"", b"\x01\x00", b"\x01\x01"]


def test_a_notification_has_a_number_even_when_it_is_the_first_response() -> None:
    client, peer = lamp(), server()
    _, ours, theirs = ask(client, peer, get((coap.OBSERVE, b"")))
    message = Message(coap.CONTENT, options=[(coap.OBSERVE, b"\x2a")], payload=b"1")
    protected = peer.protect_response(message, theirs, True)
    assert protected.option(coap.OSCORE) == b"\x01\x00"
    nonce = client._context.nonce(SERVER_ID, b"\x00")
    # RFC 8613 section 4.1.3.5.2: the inner Observe option of a notification is empty.
    assert client._context.recipient.decrypt(nonce, ours.aad, protected.payload) == b"\x45\x60\xff1"


def test_notifications_have_numbers_and_an_order() -> None:
    client, peer = lamp(), server(sequence=0xFFFFFF)
    received, ours, theirs = ask(client, peer, get((coap.OBSERVE, b"")))
    assert received.option(coap.OBSERVE) == b""

    def notify(text: bytes, is_later: bool) -> Message:
        message = Message(coap.CONTENT, options=[(coap.OBSERVE, b"\x09")], payload=text)
        protected = peer.protect_response(message, theirs, is_later)
        assert protected.code == coap.CONTENT and protected.option(coap.OBSERVE) == b"\x09"
        return over_the_air(protected)

    first, second, third, fourth = (notify(b"%d" % index, index > 0) for index in range(4))
    assert client.unprotect_response(first, ours).option(coap.OBSERVE) == b""
    assert client.unprotect_response(second, ours).uint(coap.OBSERVE) == 0xFFFFFF
    assert client.unprotect_response(fourth, ours).uint(coap.OBSERVE) == 1
    for old in (first, second, third, fourth):
        assert refusal(client.unprotect_response, old, ours).code == coap.UNAUTHORIZED
    final = peer.protect_response(Message(coap.NOT_FOUND), theirs, True)
    assert final.code == coap.CHANGED and final.option(coap.OBSERVE) is None
    assert client.unprotect_response(over_the_air(final), ours).code == coap.NOT_FOUND


def test_the_notification_without_a_number_is_the_oldest() -> None:
    client, peer = lamp(), server()
    _, ours, theirs = ask(client, peer, get((coap.OBSERVE, b"")))
    message = Message(coap.CONTENT, options=[(coap.OBSERVE, b"")])
    first, second = (over_the_air(peer.protect_response(message, theirs, later)) for later in (False, True))
    assert client.unprotect_response(second, ours).code == coap.CONTENT
    assert str(refusal(client.unprotect_response, first, ours)) == "Replay detected"


def test_a_notification_nobody_asked_for_is_refused() -> None:
    client, peer = lamp(), server()
    _, ours, theirs = ask(client, peer, get())
    answer = peer.protect_response(Message(coap.CONTENT, options=[(coap.OBSERVE, b"")]), theirs)
    assert "without an observation" in str(refusal(client.unprotect_response, over_the_air(answer), ours))


def test_the_nonce_of_a_request_is_used_once_and_numbers_never_twice() -> None:
    """What everything rests on: (key, nonce) pairs over a long mixed traffic in both directions."""
    ends = [lamp(), server()]
    used = set()
    for turn in range(60):
        client, peer = ends if turn % 2 else ends[::-1]
        protected, ours = client.protect_request(get((coap.OBSERVE, b"")))
        _, theirs = peer.unprotect_request(over_the_air(protected))
        responses = [
            peer.protect_response(Message(coap.CONTENT, options=[(coap.OBSERVE, b"")]), theirs, later)
            for later in (False, True, False, False)
        ]
        nonces = [(turn % 2, ours.nonce)]
        for response in responses:
            piv = option.decode(response.option(coap.OSCORE)).piv
            sender = SERVER_ID if turn % 2 else LAMP_ID
            nonces.append((1 - turn % 2, peer._context.nonce(sender, piv) if piv else theirs.nonce))
        for pair in nonces:
            assert pair not in used
            used.add(pair)
    assert len(used) == 60 * 5


def test_a_replay_is_refused() -> None:
    client, peer = lamp(), server()
    protected = [over_the_air(client.protect_request(get())[0]) for _ in range(40)]
    for message in (protected[1], protected[0], protected[39]):
        peer.unprotect_request(message)
    for message in (protected[0], protected[1], protected[39], protected[7]):
        error = refusal(peer.unprotect_request, message)
        assert (error.code, error.diagnostic, error.response) == (coap.UNAUTHORIZED, "Replay detected", None)
    peer.unprotect_request(protected[8])


def test_a_tampered_request_is_refused_and_does_not_move_the_window() -> None:
    client, peer = lamp(), server()
    protected = over_the_air(client.protect_request(get())[0])
    for position in range(len(protected.payload)):
        forged = protected.copy()
        forged.payload = bytes(byte ^ (index == position) for index, byte in enumerate(protected.payload))
        error = refusal(peer.unprotect_request, forged)
        assert (error.code, error.diagnostic, error.response) == (coap.BAD_REQUEST, "Decryption failed", None)
    # A higher number, so that the true one would be behind the window.
    ahead = protected.copy().remove(coap.OSCORE).add(coap.OSCORE, option.encode(b"\x01\x00", LAMP_ID))
    assert refusal(peer.unprotect_request, ahead).diagnostic == "Decryption failed"
    assert refusal(peer.unprotect_request, Message(coap.POST, options=protected.options)).code == coap.BAD_REQUEST
    peer.unprotect_request(protected)


def test_an_unprotected_request_is_refused() -> None:
    error = refusal(server().unprotect_request, get())
    assert (error.code, error.response) == (coap.UNAUTHORIZED, None)
    assert "OSCORE" in error.diagnostic


def test_a_lab_may_allow_unprotected_requests() -> None:
    peer = server(allow_plain=True)
    request = get()
    assert peer.unprotect_request(request) == (request, None)
    response = Message(coap.CONTENT)
    assert peer.protect_response(response, None) is response
    assert peer.unprotect_response(response, None) is response
    assert ask(lamp(), peer, get())[0].code == coap.GET


@pytest.mark.parametrize(
    ("kid", "kid_context", "client_context", "server_context"),
    [
        (b"other", None, None, None),
        (b"", None, None, None),
        (LAMP_ID, b"elsewhere", None, None),
        (LAMP_ID, b"elsewhere", b"here", b"here"),
    ],
)
def test_an_unknown_key_id_is_refused(kid, kid_context, client_context, server_context) -> None:
    protected = lamp(id_context=client_context).protect_request(get())[0]
    protected.remove(coap.OSCORE).add(coap.OSCORE, option.encode(b"\x00", kid, kid_context))
    error = refusal(server(id_context=server_context).unprotect_request, protected)
    assert (error.code, error.diagnostic, error.response) == (coap.UNAUTHORIZED, "Security context not found", None)


def test_the_id_context_may_be_left_out() -> None:
    protected = lamp(id_context=b"here").protect_request(get())[0]
    protected.remove(coap.OSCORE).add(coap.OSCORE, option.encode(b"\x00", LAMP_ID))
    assert server(id_context=b"here").unprotect_request(protected)[0].code == coap.GET


@pytest.mark.parametrize("value", [b"", b"\x01\x00", b"\x08lamp\x07", b"\x00", b"\xe9\x00", b"\x0f", b"\x19\x00\xff"])
def test_a_malformed_cose_object_is_refused(value: bytes) -> None:
    protected = lamp().protect_request(get())[0]
    protected.remove(coap.OSCORE).add(coap.OSCORE, value)
    error = refusal(server().unprotect_request, protected)
    assert (error.code, error.diagnostic, error.response) == (coap.BAD_OPTION, "Failed to decode COSE", None)


def crafted(client: Oscore, plaintext: bytes) -> Message:
    """A request by a peer that has the key, and no sense."""
    context = client._context
    piv = context.next_piv()
    nonce, aad = context.nonce(context.sender_id, piv), associated_data(context.sender_id, piv)
    header = [(coap.OSCORE, option.encode(piv, context.sender_id))]
    return Message(coap.POST, mid=7, token=b"tk", options=header, payload=context.sender.encrypt(nonce, aad, plaintext))


@pytest.mark.parametrize(
    ("plaintext", "words"),
    [
        (b"", "there is no code inside"),
        (b"\x00", "no method"),
        (b"\x45", "no method"),
        (b"\x01\xff", "no payload after the payload marker"),
        (b"\x01\xb5x", "cut short"),
        (b"\x01\x90", "cannot be nested"),
    ],
)
def test_a_malformed_inner_request_is_refused_under_protection(plaintext: bytes, words: str) -> None:
    client, peer = lamp(), server()
    message = crafted(client, plaintext)
    error = refusal(peer.unprotect_request, over_the_air(message))
    assert error.code == coap.BAD_REQUEST and words in error.diagnostic
    assert error.response.code == coap.CHANGED and error.response.option(coap.OSCORE) == b""
    # It was authentic, so its number is used up.
    assert refusal(peer.unprotect_request, over_the_air(message)).diagnostic == "Replay detected"


def response_to(peer: Oscore, binding: Any, plaintext: bytes) -> Message:
    context = peer._context
    payload = context.sender.encrypt(binding.nonce, binding.aad, plaintext)
    return Message(coap.CHANGED, mid=7, options=[(coap.OSCORE, b"")], payload=payload)


@pytest.mark.parametrize(
    ("plaintext", "words"),
    [
        (b"", "there is no code inside"),
        (b"\x01", "no response"),
        (b"\x45\xff", "no payload after the payload marker"),
        (b"\x45\x90", "cannot be nested"),
    ],
)
def test_a_malformed_inner_response_is_refused(plaintext: bytes, words: str) -> None:
    client, peer = lamp(), server()
    _, ours, theirs = ask(client, peer, get())
    error = refusal(client.unprotect_response, over_the_air(response_to(peer, theirs, plaintext)), ours)
    assert error.code == coap.BAD_REQUEST and words in error.diagnostic


def test_a_response_that_is_not_for_us_is_refused() -> None:
    client, peer = lamp(), server()
    _, ours, theirs = ask(client, peer, get())
    response = over_the_air(peer.protect_response(Message(coap.CONTENT, payload=b"1"), theirs))
    _, other, _ = ask(client, peer, get())
    assert refusal(client.unprotect_response, response, other).diagnostic == "Decryption failed"
    for value, code in (
        (option.encode(b"", b"other"), coap.UNAUTHORIZED),
        (option.encode(b"", SERVER_ID, b"elsewhere"), coap.UNAUTHORIZED),
        (b"\xe0", coap.BAD_OPTION),
        (b"\x01\x05", coap.BAD_REQUEST),
    ):
        forged = response.copy().remove(coap.OSCORE).add(coap.OSCORE, value)
        assert refusal(client.unprotect_response, forged, ours).code == code
    named = response.copy().remove(coap.OSCORE).add(coap.OSCORE, option.encode(b"", SERVER_ID))
    assert client.unprotect_response(named, ours).payload == b"1"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"Security context not found", "Unprotected response 4.01 Security context not found"),
        (b"\xff", "Unprotected response 4.01"),
        (b"", "Unprotected response 4.01"),
    ],
)
def test_an_unprotected_response_is_shown_and_not_believed(payload: bytes, words: str) -> None:
    client = lamp()
    _, binding = client.protect_request(get())
    response = Message(coap.UNAUTHORIZED, payload=payload)
    error = refusal(client.unprotect_response, response, binding)
    assert (error.code, error.diagnostic, error.response) == (coap.UNAUTHORIZED, words, response)


def challenge(client: Oscore, peer: Oscore, request: Message) -> tuple[bytes, Message]:
    """Send a request to a peer that wants an Echo: the Echo, and the datagram that was sent."""
    protected, binding = client.protect_request(request)
    error = refusal(peer.unprotect_request, over_the_air(protected))
    assert error.code == coap.UNAUTHORIZED and error.response.token == request.token
    assert option.decode(error.response.option(coap.OSCORE)).piv, "the nonce of a possible replay must not be used"
    answer = client.unprotect_response(over_the_air(error.response), binding)
    assert answer.code == coap.UNAUTHORIZED and answer.payload == b""
    assert [number for number, _ in answer.options] == [coap.ECHO]
    return answer.option(coap.ECHO), over_the_air(protected)


def test_after_a_restart_the_first_request_must_bring_the_echo() -> None:
    client, peer = server(sequence=500), lamp(restarted=True)
    echo, sent = challenge(client, peer, get())
    protected, ours = client.protect_request(get((coap.ECHO, echo)))
    received, theirs = peer.unprotect_request(over_the_air(protected))
    assert received.option(coap.ECHO) == echo
    answer = peer.protect_response(Message(coap.CONTENT), theirs)
    assert client.unprotect_response(over_the_air(answer), ours).code == coap.CONTENT
    # From here on the window decides: nothing from before counts, the next request needs no Echo.
    for old in (sent, over_the_air(protected)):
        assert refusal(peer.unprotect_request, old).diagnostic == "Replay detected"
    assert ask(client, peer, get())[0].code == coap.GET


def test_a_replay_before_the_window_is_known_gets_a_challenge_each_time() -> None:
    """Each is answered under a number of its own, and none of them reaches the lamp."""
    client, peer = server(), lamp(restarted=True)
    _, sent = challenge(client, peer, get())
    pivs = {refusal(peer.unprotect_request, sent).response.option(coap.OSCORE) for _ in range(5)}
    assert len(pivs) == 5


def test_only_an_echo_of_ours_and_not_an_old_one_counts() -> None:
    client, peer = server(), lamp(restarted=True)
    first, sent = challenge(client, peer, get())
    for _ in range(ECHOES - 1):
        refusal(peer.unprotect_request, sent)
    challenge(client, peer, get((coap.ECHO, b"invented")))
    last, _ = challenge(client, peer, get((coap.ECHO, first)))
    assert ask(client, peer, get((coap.ECHO, last)))[0].code == coap.GET


def test_a_challenge_that_cannot_be_numbered_is_not_sent() -> None:
    peer = lamp(restarted=True, sequence=NUMBERS)
    protected, _ = server().protect_request(get())
    with pytest.raises(SequenceExhausted):
        peer.unprotect_request(over_the_air(protected))


OPTIONS = st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=8)), max_size=4)


@given(OPTIONS, st.binary(max_size=40), st.booleans())
@settings(max_examples=200)
def test_noise_is_refused_and_nothing_else_happens(options: Any, payload: bytes, restarted: bool) -> None:
    client, peer = lamp(), server(restarted=restarted)
    with pytest.raises(Refused):
        peer.unprotect_request(Message(coap.POST, options=list(options), payload=payload))
    _, binding = client.protect_request(get())
    with pytest.raises(Refused):
        client.unprotect_response(Message(coap.CHANGED, options=list(options), payload=payload), binding)


@given(st.binary(max_size=40))
@settings(max_examples=200)
def test_noise_from_a_peer_with_the_key_is_refused_and_nothing_else_happens(plaintext: bytes) -> None:
    client, peer = lamp(), server()
    try:
        request, _ = peer.unprotect_request(crafted(client, plaintext))
    except Refused:
        return
    assert request.code == plaintext[0]
