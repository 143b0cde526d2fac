"""Messages against the examples of RFC 7252 appendix A, and against bytes that are none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.coap import message as coap
from firmware.coap.errors import MessageError
from firmware.coap.message import ACK, CON, NON, RST, Message

# RFC 7252 appendix A, figures 16 and 17.
REQUEST = bytes.fromhex("40017d34bb") + b"temperature"
RESPONSE = bytes.fromhex("60457d34ff") + b"22.3 C"
REQUEST_WITH_TOKEN = bytes.fromhex("41017d3520bb") + b"temperature"
RESPONSE_WITH_TOKEN = bytes.fromhex("61457d3520ff") + b"22.3 C"

options = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20)), max_size=12)
messages = st.builds(
    Message,
    st.sampled_from([coap.GET, coap.POST, coap.FETCH, 0x1F, coap.CONTENT, coap.NOT_FOUND, 0xBF]),
    st.sampled_from([CON, NON, ACK, RST]),
    st.integers(0, 0xFFFF),
    st.binary(max_size=8),
    options,
    st.binary(max_size=64),
)


@pytest.mark.parametrize("data", [REQUEST, RESPONSE, REQUEST_WITH_TOKEN, RESPONSE_WITH_TOKEN])
def test_the_examples_of_the_rfc_are_read_and_written_alike(data):
    assert coap.encode(coap.decode(data)) == data


def test_the_first_example_means_what_the_rfc_says():
    request = coap.decode(REQUEST)
    assert (request.type, request.code, request.mid, request.token) == (CON, coap.GET, 0x7D34, b"")
    assert (request.path(), request.payload) == ("temperature", b"")
    response = coap.decode(RESPONSE_WITH_TOKEN)
    assert (response.type, response.code, response.mid, response.token) == (ACK, coap.CONTENT, 0x7D35, b"\x20")
    assert response.payload == b"22.3 C"


@settings(max_examples=150)
@given(messages)
def test_a_message_survives_the_way_over_the_wire(message):
    read = coap.decode(coap.encode(message))
    assert (read.code, read.type, read.mid, read.token) == (message.code, message.type, message.mid, message.token)
    assert read.options == sorted(message.options, key=lambda option: option[0])
    assert read.payload == message.payload


@settings(max_examples=300)
@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda tail: b"\x41\x02\x12\x34\xaa" + tail))
def test_bytes_are_a_message_or_a_message_error_and_nothing_else(data):
    try:
        message = coap.decode(data)
        message.path(), message.query(), message.location()
    except MessageError as error:
        assert str(error)
    else:
        assert coap.decode(coap.encode(message)).options == message.options


@pytest.mark.parametrize("length", [0, 12, 13, 268, 269, 700])
def test_lengths_and_deltas_of_every_encoding_are_read_back(length):
    message = Message(coap.GET, mid=1, options=[(length, b"x" * length), (2 * length, b"")])
    assert coap.decode(coap.encode(message)).options == message.options


def test_the_largest_option_number_is_read_back():
    body = coap.encode_body([(0xFFFF, b"x")], b"")
    assert coap.decode_body(body) == ([(0xFFFF, b"x")], b"")


@pytest.mark.parametrize(
    ("data", "reason", "mid"),
    [
        ("", "at least 4 bytes", None),
        ("400112", "at least 4 bytes", None),
        ("00017d34", "version", None),
        ("80017d34", "version", None),
        ("c0017d34", "version", None),
        ("49017d34", "token lengths", 0x7D34),
        ("4f017d34", "token lengths", 0x7D34),
        ("48017d34 01020304050607", "token is cut short", 0x7D34),
        ("40007d34 00", "empty message", 0x7D34),
        ("41007d34 aa", "empty message", 0x7D34),
        ("40207d34", "1.00 belongs to a reserved class", 0x7D34),
        ("40c07d34", "6.00 belongs to a reserved class", 0x7D34),
        ("40ff7d34", "7.31 belongs to a reserved class", 0x7D34),
        ("40017d34 ff", "no payload after the payload marker", 0x7D34),
        ("40017d34 b161 ff", "no payload after the payload marker", 0x7D34),
        ("40017d34 f0", "option delta 15", 0x7D34),
        ("40017d34 0f", "option length 15", 0x7D34),
        ("40017d34 d0", "extended option delta is cut short", 0x7D34),
        ("40017d34 e000", "extended option delta is cut short", 0x7D34),
        ("40017d34 0d", "extended option length is cut short", 0x7D34),
        ("40017d34 0e00", "extended option length is cut short", 0x7D34),
        ("40017d34 e0ffff", "option number is above 65535", 0x7D34),
        ("40017d34 b5 74656d70", "value of option 11 is cut short", 0x7D34),
        ("40017d34" + "00" * 65, "at most 64 options", 0x7D34),
        ("40017d34ff" + "00" * 1300, "at most 1232 bytes", 0x7D34),
        ("50017d34 ff", "no payload after the payload marker", 0x7D34),  # NON: may be rejected
        ("60457d34 ff", "no payload after the payload marker", None),  # ACK and RST: ignored in silence
        ("70007d34 00", "empty message", None),
    ],
)
def test_what_the_rfc_forbids_is_refused_by_name(data, reason, mid):
    with pytest.raises(MessageError, match=reason) as caught:
        coap.decode(bytes.fromhex(data))
    assert caught.value.mid == mid


def test_64_options_and_1232_bytes_are_still_taken():
    assert len(coap.decode(bytes.fromhex("40017d34" + "00" * 64)).options) == 64
    assert len(coap.decode(bytes.fromhex("40017d34ff") + b"x" * 1227).payload) == 1227


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(coap.GET), "message id"),
        (Message(coap.GET, mid=0x10000), "message id"),
        (Message(coap.GET, mid=1, token=b"123456789"), "token"),
        (Message(coap.EMPTY, mid=1, payload=b"x"), "empty message"),
        (Message(coap.GET, mid=1, options=[(0x10000, b"")]), "number is above 65535"),
        (Message(coap.GET, mid=1, options=[(1, b"x" * 0x10000)]), "length is above 65535"),
        (Message(coap.GET, mid=1, payload=b"x" * 1228), "use block-wise transfer"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(message, reason):
    with pytest.raises(MessageError, match=reason):
        coap.encode(message)


def test_equal_options_keep_their_order_and_others_are_sorted():
    message = Message(coap.POST, mid=1).add(coap.URI_QUERY, "b").add_path("/rd/5").add(coap.URI_QUERY, "a")
    read = coap.decode(coap.encode(message))
    assert (read.path(), read.query()) == ("rd/5", ["b", "a"])


def test_a_slash_inside_a_segment_is_not_a_path():
    message = Message(coap.GET).add(coap.URI_PATH, "3/0").add(coap.URI_PATH, "50%")
    assert message.path() == "3%2F0/50%25"
    assert Message(coap.GET).add_path(message.path()).options == message.options


def test_the_root_has_no_path_options():
    assert Message(coap.GET).add_path("").options == Message(coap.GET).add_path("/").options == []
    assert Message(coap.GET).path() == ""


def test_a_location_is_a_path():
    assert Message(coap.CREATED).add(coap.LOCATION_PATH, "rd").add(coap.LOCATION_PATH, "5a").location() == "rd/5a"


def test_text_that_is_not_utf_8_is_refused():
    with pytest.raises(MessageError, match="path segment"):
        Message(coap.GET).add(coap.URI_PATH, b"\xff").path()
    with pytest.raises(MessageError, match="Uri-Query"):
        Message(coap.GET).add(coap.URI_QUERY, b"\xff").query()


def test_options_are_found_by_number_and_taken_out():
    message = Message(coap.GET).add(coap.ETAG, b"a").add(coap.ETAG, b"b").add(coap.MAX_AGE, 0x1234)
    assert (message.option(coap.ETAG), message.options_of(coap.ETAG)) == (b"a", [b"a", b"b"])
    assert (message.option(coap.ACCEPT), message.uint(coap.ACCEPT), message.uint(coap.MAX_AGE)) == (None, None, 0x1234)
    assert message.remove(coap.ETAG).options == [(coap.MAX_AGE, b"\x12\x34")]


@settings(max_examples=100)
@given(st.integers(0, 2**40))
def test_an_unsigned_integer_takes_as_few_bytes_as_it_can(value):
    data = coap.encode_uint(value)
    assert coap.decode_uint(data) == value
    assert not data or data[0] != 0


def test_codes_fall_into_their_classes():
    assert [coap.format_code(code) for code in (coap.GET, coap.CONTENT, coap.NOT_FOUND)] == ["0.01", "2.05", "4.04"]
    assert [coap.is_request(code) for code in (coap.EMPTY, coap.GET, 0x1F, coap.CONTENT)] == [False, True, True, False]
    assert [coap.is_response(code) for code in (coap.GET, coap.CREATED, 0xBF, 0xC0)] == [False, True, True, False]
    assert [coap.is_success(code) for code in (coap.CONTENT, coap.NOT_FOUND)] == [True, False]
    assert coap.is_critical(coap.URI_PATH) and not coap.is_critical(coap.SIZE1)


def test_a_message_shows_sizes_and_no_content():
    message = Message(coap.GET, mid=7, token=b"secret", payload=b"secret").add(coap.URI_PATH, "secret")
    assert repr(message) == "<CON 0.01 mid=7 options=[11] payload_bytes=6>"


def test_a_copy_has_options_of_its_own():
    message = Message(coap.GET, NON, 7, b"t", [(11, b"a")], b"p")
    copy = message.copy().add(11, b"b")
    assert (message.options, copy.options) == ([(11, b"a")], [(11, b"a"), (11, b"b")])
    assert (copy.type, copy.mid, copy.token, copy.payload) == (NON, 7, b"t", b"p")
