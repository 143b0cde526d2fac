import pytest
from aiocoap import Message
from hypothesis import given
from hypothesis import strategies as st

from backend.device_server.lean import LeanContext, is_truncated_option
from backend.device_server.tuning import Malformed, check_datagram
from tests.backend.device_server.peers import SALT, SECRET, Context


def checked(data):
    try:
        check_datagram(data)
    except Malformed:
        return False
    return True


@given(st.binary(max_size=40), st.sampled_from([b"", b"\x40\x01\x00\x01", b"\x44\x45\x00\x01abcd"]))
def test_what_passes_can_be_decoded(tail, head):
    data = head + tail
    if checked(data):
        try:
            Message.decode(data)
        except UnicodeDecodeError:
            pass


@given(st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=300)), max_size=8), st.binary(max_size=20))
def test_every_message_that_aiocoap_writes_passes(options, payload):
    from aiocoap.numbers.optionnumbers import OptionNumber
    from aiocoap.optiontypes import OpaqueOption

    message = Message(code=2, payload=payload, _mid=7, _mtype=0, _token=b"12345678")
    for number, value in options:
        message.opt.add_option(OpaqueOption(OptionNumber(number), value))
    assert checked(message.encode())


def test_options_have_a_limit():
    head = b"\x40\x01\x00\x01"
    assert checked(head + b"\x10" * 64)
    assert not checked(head + b"\x10" * 65)
    assert not checked(head + b"\xe0\xff\x00" * 2)


@given(st.binary(max_size=20))
def test_an_oscore_option_that_passes_can_be_taken_apart(value):
    from aiocoap import oscore

    if not is_truncated_option(value) and not (value and value[0] & 0xE0):
        oscore.CanUnprotect._uncompress(value, b"")


class Lean(LeanContext):
    """The same keys over our own code."""

    hashfun = Context.hashfun
    echo_recovery = None
    post_seqnoincrease = Context.post_seqnoincrease

    def __init__(self, sender_id, recipient_id):
        super().__init__()
        self.sender_id, self.recipient_id = sender_id, recipient_id
        self.sender_sequence_number = 0
        self.recipient_replay_window = Context().recipient_replay_window
        self.derive_keys(SALT, SECRET)


@pytest.mark.parametrize("sequence", [0, 1, 255, 256, 2**40 - 2])
@given(payload=st.binary(max_size=40), sender_id=st.binary(min_size=1, max_size=7))
def test_the_lean_context_is_byte_for_byte_the_stock_one(sequence, payload, sender_id):
    ours, stock = Lean(sender_id, b"\x01"), Context(sender_id)
    ours.sender_sequence_number = stock.sender_sequence_number = sequence
    request = Message(code=2, uri_path=("rd", "x"), uri_query=("a=b",), payload=payload, content_format=112)
    (mine, my_id), (theirs, their_id) = ours.protect(request), stock.protect(request)
    assert (mine.payload, mine.opt.oscore, mine.code) == (theirs.payload, theirs.opt.oscore, theirs.code)
    answer = Message(code=69, payload=payload, max_age=0)
    server = Context(b"\x01")
    server.recipient_id = sender_id
    server.derive_keys(SALT, SECRET)
    theirs.direction = mine.direction = request.direction.__class__.INCOMING
    _, request_id = server.unprotect(theirs)
    response, _ = server.protect(answer, request_id)
    response.direction = theirs.direction
    assert ours.unprotect(response, my_id)[0].payload == payload
    assert their_id.partial_iv == my_id.partial_iv


def test_a_key_is_expanded_once():
    ours = Lean(b"\x11", b"\x01")
    for _ in range(3):
        ours.protect(Message(code=1))
    assert list(ours.alg_aead._ciphers) == [ours.sender_key]
