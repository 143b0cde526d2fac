"""Block-wise transfer, client against server in memory and each against a peer that breaks the rules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.coap import blockwise
from firmware.coap import message as coap
from firmware.coap.blockwise import Block, Reassembly, Serving, Transfer, find_block
from firmware.coap.errors import MessageError, Refused, TooLarge, Unexpected
from firmware.coap.message import BLOCK1, BLOCK2, ETAG, OBSERVE, REQUEST_TAG, SIZE1, SIZE2, Message

PEER = ("192.0.2.2", 5683)
OTHER = ("192.0.2.3", 5683)
BODY = bytes(range(256)) * 12


def block(number, more, exponent):
    return Block(number, more, exponent).encode()


def post(payload=b"", **blocks):
    message = Message(coap.POST, payload=payload).add_path("dp")
    for name, value in blocks.items():
        message.add({"block1": BLOCK1, "block2": BLOCK2, "size1": SIZE1, "size2": SIZE2}[name], value)
    return message


def get(**blocks):
    message = post(**blocks)
    message.code = coap.GET
    return message


def reassembly(**more):
    return Reassembly(247_000, **more)


def serving(**more):
    return Serving(247_000, lambda n: b"\0" * n, **more)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", (0, False, 16)),
        (b"\x06", (0, False, 1024)),
        (b"\x1e", (1, True, 1024)),
        (b"\xff\xff\xfe", (0xFFFFF, True, 1024)),
    ],
)
def test_the_option_is_read_as_the_rfc_says(value, expected):
    found = find_block(Message(coap.GET, options=[(BLOCK1, value)]), BLOCK1)
    assert (found.number, found.more, found.size) == expected
    assert found.encode() == value


@pytest.mark.parametrize("value", [b"\x07", b"\x00\x0f", b"\0\0\0\0"])
def test_a_block_option_outside_of_the_rules_is_refused(value):
    with pytest.raises(MessageError, match="block option"):
        find_block(Message(coap.GET, options=[(BLOCK2, value)]), BLOCK2)


def test_a_block_size_is_a_power_of_two():
    assert [blockwise.exponent_of(size) for size in (16, 512, 1024)] == [0, 5, 6]
    with pytest.raises(ValueError, match="1024"):
        blockwise.exponent_of(2048)


def talk(request, answer_size, client_bytes, server_bytes):
    """Run a whole request through both sides; the response has `answer_size` bytes. Returns (seen, response)."""
    transfer = Transfer(request, b"\1", client_bytes)
    bodies, kept = reassembly(), serving(block_bytes=server_bytes)
    seen = []
    while True:
        message = transfer.next()
        whole = bodies.receive(message, PEER, 0)
        if whole is None:
            response = Message(coap.CONTINUE)
        else:
            response = kept.find(whole, PEER, 0)
            if response is None:
                seen.append(whole.payload)
                response = kept.cut(whole, Message(coap.CONTENT, payload=b"r" * answer_size), PEER, 0)
        if message.option(BLOCK1) is not None:
            response.add(BLOCK1, message.option(BLOCK1))
        found = transfer.receive(response)
        if found is not None:
            return seen, found


@settings(max_examples=100)
@given(
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.sampled_from([64, 256, 512, 1024]),
    st.sampled_from([64, 256, 512, 1024]),
)
def test_bodies_of_any_size_arrive_whole_and_once(sent, answered, client_bytes, server_bytes):
    seen, response = talk(post(b"q" * sent), answered, client_bytes, server_bytes)
    assert seen == [b"q" * sent]
    assert response.payload == b"r" * answered


def test_a_small_request_goes_as_it_is():
    request = post(b"x")
    message = Transfer(request).next()
    assert message.options == request.options and message.payload == b"x"


def test_the_first_block_tells_the_size_and_all_carry_the_tag():
    transfer = Transfer(post(BODY), b"\7")
    first = transfer.next()
    assert (first.uint(SIZE1), first.option(REQUEST_TAG), first.option(BLOCK1)) == (3072, b"\7", block(0, True, 5))
    assert transfer.receive(Message(coap.CONTINUE).add(BLOCK1, block(0, True, 5))) is None
    second = transfer.next()
    assert (second.uint(SIZE1), second.option(REQUEST_TAG), second.option(BLOCK1)) == (None, b"\7", block(1, True, 5))
    assert second.payload == BODY[512:1024]


def test_the_tag_goes_on_while_the_answer_is_fetched_because_servers_take_it_as_part_of_the_request():
    transfer = Transfer(post(b"q" * 600), b"\7")
    assert transfer.receive(Message(coap.CONTINUE).add(BLOCK1, block(0, True, 5))) is None
    assert transfer.receive(content(0, True).add(BLOCK1, block(1, False, 5))) is None
    assert transfer.next().option(REQUEST_TAG) == b"\7"


def test_a_body_without_a_tag_carries_none():
    assert Transfer(post(BODY)).next().option(REQUEST_TAG) is None


def test_a_peer_may_ask_for_smaller_blocks_of_our_payload():
    transfer = Transfer(post(BODY))
    transfer.next()
    assert transfer.receive(Message(coap.CONTINUE).add(BLOCK1, block(0, True, 3))) is None
    second = transfer.next()
    assert second.option(BLOCK1) == block(4, True, 3)
    assert second.payload == BODY[512:640]


def test_a_peer_may_refuse_the_first_block_for_its_size():
    transfer = Transfer(post(BODY))
    transfer.next()
    assert transfer.receive(Message(coap.REQUEST_ENTITY_TOO_LARGE).add(BLOCK1, block(0, True, 2))) is None
    assert transfer.next().payload == BODY[:64]
    refusal = Message(coap.REQUEST_ENTITY_TOO_LARGE)
    assert transfer.receive(refusal) is refusal


def test_an_error_in_the_middle_of_a_payload_is_the_answer():
    transfer = Transfer(post(BODY))
    refusal = Message(coap.REQUEST_ENTITY_INCOMPLETE)
    assert transfer.receive(refusal) is refusal


@pytest.mark.parametrize("value", [None, block(1, True, 5)])
def test_the_confirmation_of_another_block_is_unexpected(value):
    transfer = Transfer(post(BODY))
    response = Message(coap.CONTINUE)
    if value is not None:
        response.add(BLOCK1, value)
    with pytest.raises(Unexpected, match="another block"):
        transfer.receive(response)


def test_a_peer_that_waits_for_more_than_there_is_is_unexpected():
    with pytest.raises(Unexpected, match="more blocks than there are"):
        Transfer(post(b"x")).receive(Message(coap.CONTINUE))


def test_a_faulty_block_option_in_an_answer_is_unexpected():
    with pytest.raises(Unexpected, match="faulty"):
        Transfer(get()).receive(Message(coap.CONTENT).add(BLOCK2, b"\x07"))


def content(number, more, exponent=5, payload=b"x" * 512, etag=b"e", **more_options):
    message = Message(coap.CONTENT, payload=payload).add(ETAG, etag).add(BLOCK2, block(number, more, exponent))
    if "size2" in more_options:
        message.add(SIZE2, more_options["size2"])
    return message


def test_a_large_answer_is_fetched_block_by_block_without_observing_again():
    transfer = Transfer(get().add(OBSERVE, 0))
    assert transfer.next().uint(OBSERVE) == 0
    assert transfer.receive(content(0, True, size2=600)) is None
    following = transfer.next()
    assert (following.option(BLOCK2), following.option(OBSERVE)) == (block(1, False, 5), None)
    whole = transfer.receive(content(1, False, payload=b"end"))
    assert whole.payload == b"x" * 512 + b"end"
    assert (whole.option(BLOCK2), whole.option(SIZE2), whole.option(ETAG)) == (None, None, b"e")


def test_an_answer_may_come_in_smaller_or_larger_blocks_than_ours():
    transfer = Transfer(get())
    assert transfer.receive(content(0, True, 6, b"x" * 1024)) is None
    assert transfer.next().option(BLOCK2) == block(1, False, 6)
    assert transfer.receive(content(2, True, 5)) is None
    assert transfer.next().option(BLOCK2) == block(3, False, 5)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (content(2, True), "another block"),
        (content(1, True, etag=b"f"), "changed"),
        (content(1, True, payload=b"x" * 511), "shorter or longer"),
        (content(1, False, payload=b"x" * 513), "shorter or longer"),
        (Message(coap.CONTENT), "the answer is none"),
    ],
)
def test_an_answer_that_does_not_continue_is_unexpected(response, reason):
    transfer = Transfer(get())
    transfer.receive(content(0, True))
    with pytest.raises(Unexpected, match=reason):
        transfer.receive(response)


def test_an_error_while_fetching_is_the_answer():
    transfer = Transfer(get())
    transfer.receive(content(0, True))
    gone = Message(coap.NOT_FOUND)
    assert transfer.receive(gone) is gone


def test_an_answer_that_is_too_large_is_given_up_as_soon_as_that_is_known():
    with pytest.raises(TooLarge, match="8192 bytes"):
        Transfer(get()).receive(content(0, True, size2=9000))
    transfer = Transfer(get(), body_bytes=600)
    transfer.receive(content(0, True))
    with pytest.raises(TooLarge, match="600 bytes"):
        transfer.receive(content(1, True))


def test_a_request_for_one_block_gets_that_block():
    transfer = Transfer(get(block2=block(7, False, 5)))
    assert transfer.next().option(BLOCK2) == block(7, False, 5)
    answer = content(7, True)
    assert transfer.receive(answer) is answer


def test_a_body_is_put_together_and_keeps_what_the_request_was():
    bodies = reassembly()
    assert bodies.receive(post(BODY[:512], block1=block(0, True, 5)), PEER, 0) is None
    assert bodies.receive(post(BODY[512:528], block1=block(32, True, 0)), PEER, 0) is None
    whole = bodies.receive(post(b"end", block1=block(33, False, 0)), PEER, 0)
    assert whole.payload == BODY[:528] + b"end"
    assert whole.path() == "dp"


def test_a_block_that_does_not_follow_is_incomplete():
    for number in (1, 3):
        bodies = reassembly()
        bodies.receive(post(b"x" * 16, block1=block(0, True, 0)), PEER, 0)
        source = OTHER if number == 1 else PEER
        with pytest.raises(Refused, match="start again") as caught:
            bodies.receive(post(b"x" * 16, block1=block(number, True, 0)), source, 0)
        assert caught.value.code == coap.REQUEST_ENTITY_INCOMPLETE


def test_a_body_may_begin_anew():
    bodies = reassembly()
    bodies.receive(post(b"old" * 5 + b"x", block1=block(0, True, 0)), PEER, 0)
    bodies.receive(post(b"n" * 16, block1=block(0, True, 0)), PEER, 0)
    assert bodies.receive(post(b"n", block1=block(1, False, 0)), PEER, 0).payload == b"n" * 17


def test_a_body_is_forgotten_after_its_time():
    bodies = reassembly()
    bodies.receive(post(b"x" * 16, block1=block(0, True, 0)), PEER, 0)
    with pytest.raises(Refused) as caught:
        bodies.receive(post(b"x", block1=block(1, False, 0)), PEER, 247_000)
    assert caught.value.code == coap.REQUEST_ENTITY_INCOMPLETE


def test_a_third_body_pushes_out_the_one_that_was_idle_longest():
    bodies = reassembly()
    for port in (1, 2, 3):
        bodies.receive(post(b"x" * 16, block1=block(0, True, 0)), ("192.0.2.9", port), 0)
    assert bodies.receive(post(b"y", block1=block(1, False, 0)), ("192.0.2.9", 2), 0).payload == b"x" * 16 + b"y"
    with pytest.raises(Refused):
        bodies.receive(post(b"y", block1=block(1, False, 0)), ("192.0.2.9", 1), 0)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (post(b"x" * 15, block1=block(0, True, 0)), coap.BAD_REQUEST),
        (post(b"x" * 17, block1=block(0, False, 0)), coap.BAD_REQUEST),
        (post(b"x", block1=b"\x07"), coap.BAD_REQUEST),
        (post(b"x" * 16, block1=block(0, True, 0), size1=65), coap.REQUEST_ENTITY_TOO_LARGE),
        (post(b"x" * 16, block1=block(4, True, 0)), coap.REQUEST_ENTITY_TOO_LARGE),
    ],
)
def test_faulty_and_too_large_blocks_are_refused_with_their_code(request_, code):
    with pytest.raises(Refused) as caught:
        reassembly(body_bytes=64).receive(request_, PEER, 0)
    assert caught.value.code == code
    if code == coap.REQUEST_ENTITY_TOO_LARGE:
        assert caught.value.response.uint(SIZE1) == 64


def test_a_small_answer_is_not_cut():
    answer = Message(coap.CONTENT, payload=b"x" * 512)
    assert serving().cut(get(), answer, PEER, 0) is answer
    assert answer.options == []


def test_a_large_answer_is_handed_out_in_the_blocks_that_are_asked_for():
    kept = serving()
    first = kept.cut(get(block2=block(0, False, 6), size2=b""), Message(coap.CONTENT, payload=BODY), PEER, 0)
    assert (first.payload, first.option(BLOCK2), first.uint(SIZE2)) == (BODY[:512], block(0, True, 5), 3072)
    part = kept.find(get(block2=block(1, False, 6)), PEER, 0)
    assert (part.payload, part.option(BLOCK2)) == (BODY[1024:1536], block(2, True, 5))
    assert part.option(ETAG) == first.option(ETAG)
    last = kept.find(get(block2=block(191, False, 0)), PEER, 0)
    assert (last.payload, last.option(BLOCK2)) == (BODY[-16:], block(191, False, 0))
    assert kept.find(get(block2=block(1, False, 5)), PEER, 0) is None  # fetched to its end: no longer kept


def test_another_body_has_another_etag_but_an_etag_of_the_handler_stays():
    kept = serving()
    tags = [kept.cut(get(), Message(coap.CONTENT, payload=BODY), PEER, 0).option(ETAG) for _ in range(2)]
    assert tags[0] != tags[1]
    own = Message(coap.CONTENT, payload=BODY).add(ETAG, b"own")
    assert kept.cut(get(), own, PEER, 0).options_of(ETAG) == [b"own"]


def test_a_later_block_of_a_read_that_is_not_kept_is_read_again_and_one_of_a_post_is_not():
    kept = serving()
    kept.cut(get(), Message(coap.CONTENT, payload=BODY), PEER, 0)
    later = get(block2=block(1, False, 5))
    assert kept.find(later, OTHER, 0) is None
    assert kept.find(later, PEER, 247_000) is None
    assert kept.cut(later, Message(coap.CONTENT, payload=BODY), PEER, 0).payload == BODY[512:1024]
    with pytest.raises(Refused, match="send the request again") as caught:
        kept.find(post(block2=block(1, False, 5)), PEER, 0)
    assert caught.value.code == coap.REQUEST_ENTITY_INCOMPLETE


def test_a_block_beyond_the_end_is_refused():
    kept = serving()
    kept.cut(get(), Message(coap.CONTENT, payload=BODY), PEER, 0)
    with pytest.raises(Refused, match="no block 6"):
        kept.find(get(block2=block(6, False, 5)), PEER, 0)
    with pytest.raises(Refused, match="no block 1"):
        kept.cut(get(block2=block(1, False, 5)), Message(coap.CONTENT, payload=b"small"), PEER, 0)
    with pytest.raises(Refused, match="block option"):
        kept.find(get(block2=b"\x07"), PEER, 0)


def test_two_answers_are_kept_and_a_third_pushes_out_the_first():
    kept = serving()
    for port in (1, 2, 3):
        kept.cut(get(), Message(coap.CONTENT, payload=BODY), ("192.0.2.9", port), 0)
    later = get(block2=block(1, False, 5))
    assert kept.find(later, ("192.0.2.9", 1), 0) is None
    assert kept.find(later, ("192.0.2.9", 2), 0) is not None
