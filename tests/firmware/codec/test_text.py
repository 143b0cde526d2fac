"""UTF-8 as RFC 3629 has it: our check is CPython's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.codec.text import decode_utf8, is_unicode

EDGES = (
    "00 7f c280 dfbf e0a080 ed9fbf ee8080 efbfbf f0908080 f48fbfbf c080 c1bf e09fbf eda080 f08fbfbf f4908080 f5808080"
)


def strict(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def ours(data: bytes) -> str | None:
    try:
        return decode_utf8(data)
    except UnicodeDecodeError as error:
        raise AssertionError("the interpreter noticed and we did not") from error
    except ValueError:
        return None


@pytest.mark.parametrize("text", EDGES.split())
def test_the_edges_of_utf_8_are_where_the_rfc_has_them(text: str) -> None:
    data = bytes.fromhex(text)
    for cut in range(len(data) + 1):
        assert ours(data[:cut]) == strict(data[:cut])


@given(st.binary(max_size=6) | st.text(max_size=4).map(str.encode))
@settings(max_examples=300)
def test_the_check_agrees_with_cpython(data: bytes) -> None:
    assert ours(data) == strict(data)


def test_the_first_two_bytes_decide_as_in_cpython() -> None:
    for first in range(0x80, 0x100):
        for second in (0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0):
            for tail in (b"", b"\x80", b"\xbf\xbf", b"\xc0\x80"):
                data = bytes((first, second)) + tail
                assert ours(data) == strict(data)


def test_the_error_names_the_byte() -> None:
    with pytest.raises(ValueError, match="byte 2 is not UTF-8"):
        decode_utf8(b"ok\xff")


def test_a_text_with_a_surrogate_is_not_unicode() -> None:
    assert is_unicode("đèn \U0001f4a1")
    assert not is_unicode("\ud83d")
