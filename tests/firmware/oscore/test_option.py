"""The OSCORE option against the examples of RFC 8613 section 6.3, and against noise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.oscore.errors import OptionError
from firmware.oscore.option import Header, decode, encode
from tests.vectors.rfc8613 import COMPRESSED, REQUESTS


def part(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


@pytest.mark.parametrize(("value", "piv", "kid", "kid_context"), COMPRESSED)
def test_the_examples_of_section_6_3_come_out(value: str, piv: str, kid: str | None, kid_context: str | None) -> None:
    header = Header(bytes.fromhex(piv), part(kid), part(kid_context))
    assert encode(*header) == bytes.fromhex(value)
    assert decode(bytes.fromhex(value)) == header


@pytest.mark.parametrize("request_", REQUESTS, ids=[item.name for item in REQUESTS])
def test_the_options_of_appendix_c_are_read(request_) -> None:
    header = decode(bytes.fromhex(request_.option))
    assert header == Header(b"\x14", bytes.fromhex(request_.derivation.client_id), part(request_.derivation.id_context))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2900", "reserved flag"),
        ("40", "reserved flag"),
        ("80", "reserved flag"),
        ("00", "no flag is set"),
        ("0e010203040506", "6 and 7 bytes"),
        ("0f01020304050607", "6 and 7 bytes"),
        ("09", "partial IV is cut short"),
        ("0a01", "partial IV is cut short"),
        ("1101", "kid context is cut short"),
        ("11010244", "kid context is cut short"),
        ("010700", "bytes follow"),
        ("1101014400", "bytes follow"),
    ],
)
def test_a_malformed_option_is_refused(value: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        decode(bytes.fromhex(value))


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(OptionError, match="partial IV has at most 5"):
        encode(bytes(6))
    with pytest.raises(OptionError, match="kid context has at most 255"):
        encode(b"\x01", b"", bytes(256))


HEADERS = st.builds(
    Header, st.binary(max_size=5), st.none() | st.binary(max_size=7), st.none() | st.binary(max_size=255)
)


@given(HEADERS)
@settings(max_examples=150)
def test_headers_come_back(header: Header) -> None:
    assert decode(encode(*header)) == header


@given(st.binary(max_size=12))
@settings(max_examples=300)
def test_noise_is_a_header_or_refused(value: bytes) -> None:
    try:
        header = decode(value)
    except OptionError:
        return
    assert encode(*header) == value
