"""CBOR against the RFC's own tables, against cbor2, and against noise. Source: RFC 8949."""

import math
import struct
from typing import Any

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware.codec import cbor
from firmware.codec.cbor import UNDEFINED, CborError, Simple, Tag, decode, encode
from tests.vectors.rfc8949 import APPENDIX_A, NOT_WELL_FORMED

MALFORMED = [(kind, text) for kind, texts in NOT_WELL_FORMED.items() for text in texts.split()]


def native(value: Any) -> Any:
    """A value of the vectors as the codec spells it."""
    if isinstance(value, tuple):
        return Simple(value[1]) if value[0] == "simple" else Tag(value[1], native(value[2]))
    return value


def same(left: Any, right: Any) -> bool:
    """Equal in value and in type, signs of zero and NaN included."""
    if isinstance(left, float) and isinstance(right, float):
        return struct.pack(">d", left) == struct.pack(">d", right) or (left != left and right != right)
    return type(left) is type(right) and left == right


@pytest.mark.parametrize(("text", "value", "preferred"), APPENDIX_A, ids=[text for text, _, _ in APPENDIX_A])
def test_the_examples_of_appendix_a_are_read(text: str, value: Any, preferred: bool) -> None:
    assert same(decode(bytes.fromhex(text)), native(value))


@pytest.mark.parametrize(("text", "value"), [(text, value) for text, value, preferred in APPENDIX_A if preferred])
def test_the_preferred_examples_of_appendix_a_are_written(text: str, value: Any) -> None:
    assert encode(native(value)).hex() == text


@pytest.mark.parametrize(("kind", "text"), MALFORMED, ids=[text for _, text in MALFORMED])
def test_what_appendix_f_calls_not_well_formed_is_refused(kind: str, text: str) -> None:
    with pytest.raises(CborError) as caught:
        decode(bytes.fromhex(text))
    assert caught.value.offset is not None


@pytest.mark.parametrize(
    ("text", "words", "offset"),
    [
        ("", "cut short", 0),
        ("8301", "cut short", 0),
        ("0000", "1 bytes are left over", 1),
        ("820161ff", "text string whose byte 0 is not UTF-8", 2),
        ("a2010102", "cut short", 4),
        ("a201010102", "occurs twice", 3),
        ("a1f501", "neither integer nor string", 1),
        ("bff93c0001ff", "neither integer nor string", 1),
        ("a18001", "neither integer nor string", 1),
        ("c201", "no byte string", 0),
        ("5eff", "information 30 has no meaning .byte string.", 0),
        ("c3" + "5841" + "01" * 65, "no byte string of at most 64", 0),
        ("81" * 9 + "00", "nested deeper than 8", 8),
        ("c1" * 9 + "00", "nested deeper than 8", 8),
        ("9a00010000", "65536 items are announced", 0),
        ("ba00010000", "65536 items are announced", 0),
    ],
)
def test_an_error_says_what_and_where(text: str, words: str, offset: int) -> None:
    with pytest.raises(CborError, match=words) as caught:
        decode(bytes.fromhex(text))
    assert caught.value.offset == offset
    assert str(caught.value).endswith(f"at byte {offset}")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "type object"),
        ({1: {2: object()}}, "type object"),
        (Simple(24), "simple value 24"),
        (Simple(256), "simple value 256"),
        (Simple(-1), "simple value -1"),
        (Tag(-1, 0), "tag -1"),
        (Tag(1 << 64, 0), "tag 18446744073709551616"),
        ("\ud800", "surrogate"),
    ],
)
def test_a_value_without_a_cbor_form_is_refused(value: Any, words: str) -> None:
    with pytest.raises(CborError, match=words) as caught:
        encode(value)
    assert caught.value.offset is None


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_nesting_has_the_same_limit_both_ways() -> None:
    assert decode(encode(nested(cbor.MAX_DEPTH))) == nested(cbor.MAX_DEPTH)
    with pytest.raises(CborError, match="nested deeper"):
        encode(nested(cbor.MAX_DEPTH + 1))
    with pytest.raises(CborError, match="nested deeper"):
        decode(encode([[1]]), max_depth=1)


def test_maps_are_written_in_the_order_of_their_encoded_keys() -> None:
    assert encode({"bb": 1, "a": 2, 100: 3, -1: 4, 10: 5}).hex() == "a50a051864032004" + "616102" + "62626201"


def test_bytes_of_any_kind_are_byte_strings() -> None:
    assert encode(bytearray(b"ab")) == encode(memoryview(b"ab")) == encode(b"ab")
    assert encode((1, 2)) == encode([1, 2])
    assert decode(bytearray(b"\x42ab")) == b"ab"


def test_every_length_of_head_is_the_shortest() -> None:
    for bits in (5, 8, 16, 32, 64):
        for value in range((1 << bits) - 10, (1 << bits) + 2):
            assert encode(value) == cbor2.dumps(value) and encode(-value) == cbor2.dumps(-value)
    for size in (23, 24, 255, 256, 65535, 65536):
        assert encode(bytes(size)) == cbor2.dumps(bytes(size))


def test_undefined_and_other_simple_values_come_back() -> None:
    assert decode(encode(UNDEFINED)) == UNDEFINED
    for number in [*range(20), *range(32, 256)]:
        assert decode(encode(Simple(number))) == Simple(number)


def test_every_half_precision_number_comes_back_in_half_precision() -> None:
    for bits in (*range(0, 1 << 16, 5), *range(0x400), *range(0x7BF0, 0x7C10), *range(0xFBF0, 0xFC10)):
        data = b"\xf9" + bits.to_bytes(2, "big")
        value = decode(data)
        assert same(value, struct.unpack(">e", data[1:])[0])
        assert math.isnan(value) or encode(value) == data


@example(2.0**-16 + 2.0**-30)  # a subnormal half could hold its size, but not its last bit
@given(st.floats(allow_nan=False) | st.floats(width=32, allow_nan=False) | st.floats(width=16, allow_nan=False))
@settings(max_examples=200)
def test_a_float_takes_the_shortest_form_that_holds_it(value: float) -> None:
    data = encode(value)
    assert data == cbor2.dumps(value, canonical=True)
    assert same(decode(data), value)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 80), 1 << 80)
    | st.floats(allow_nan=False)
    | st.text(max_size=30)
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.integers() | st.text() | st.binary(), inner, max_size=5)
    ),
    max_leaves=20,
)


def deep(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(deep, value.values()), default=0)
    return 1 + max(map(deep, value), default=0) if isinstance(value, list) else 0


@given(VALUES.filter(lambda value: deep(value) <= cbor.MAX_DEPTH))
@settings(max_examples=200)
def test_values_come_back_and_another_library_reads_the_same(value: Any) -> None:
    data = encode(value)
    assert decode(data) == value
    assert cbor2.loads(data) == value


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"\x9f\xbf" + tail))
@settings(max_examples=300)
def test_noise_is_read_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        value = decode(data)
    except CborError:
        return
    assert same(decode(encode(value)), value) or value != value or repr(decode(encode(value))) == repr(value)


@given(VALUES.filter(lambda value: deep(value) <= cbor.MAX_DEPTH), st.data())
@settings(max_examples=100)
def test_a_message_cut_anywhere_is_refused(value: Any, data: st.DataObject) -> None:
    whole = encode(value)
    end = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(CborError):
        decode(whole[:end])
