"""HMAC and HKDF with SHA-256 against RFC 5869 and against the standard library."""

import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.oscore.hkdf import hkdf, hmac_sha256
from tests.vectors.rfc5869 import CASES


@pytest.mark.parametrize("case", CASES, ids=["A.1", "A.2", "A.3"])
def test_the_cases_of_rfc_5869_come_out(case: tuple[str, str, str, int, str]) -> None:
    secret, salt, info = (bytes.fromhex(part) for part in case[:3])
    assert hkdf(salt, secret, info, case[3]).hex() == case[4]


@given(st.binary(max_size=130), st.binary(max_size=200))
@settings(max_examples=100)
def test_hmac_is_that_of_the_standard_library(key: bytes, data: bytes) -> None:
    assert hmac_sha256(key, data) == hmac.digest(key, data, "sha256")


@given(
    st.binary(min_size=1, max_size=100), st.binary(min_size=1, max_size=40), st.binary(max_size=40), st.integers(1, 99)
)
@settings(max_examples=100)
def test_another_library_derives_the_same(salt: bytes, secret: bytes, info: bytes, size: int) -> None:
    assert hkdf(salt, secret, info, size) == HKDF(SHA256(), size, salt, info).derive(secret)


def test_there_is_an_end_to_what_can_be_derived() -> None:
    assert hkdf(b"", b"secret", b"", 0) == b""
    assert len(hkdf(b"", b"secret", b"", 8160)) == 8160
    for size in (-1, 8161):
        with pytest.raises(ValueError, match="0 to 8160"):
            hkdf(b"", b"secret", b"", size)
