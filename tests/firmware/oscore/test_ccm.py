"""AES-CCM-16-64-128 against RFC 3610 and against OpenSSL by way of `cryptography`."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.oscore.ccm import Ccm
from firmware.oscore.errors import AuthenticationError
from tests.vectors.rfc3610 import PACKETS

KEY = bytes(range(16))
NONCE = bytes(13)


@pytest.mark.parametrize("packet", PACKETS, ids=[f"packet {packet[0]}" for packet in PACKETS])
def test_the_packets_of_rfc_3610_come_out(packet: tuple[int, str, str, str, str, str]) -> None:
    key, nonce, header, text, sealed = (bytes.fromhex(part) for part in packet[1:])
    assert Ccm(key).encrypt(nonce, header, text) == sealed
    assert Ccm(key).decrypt(nonce, header, sealed) == text


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=13, max_size=13), st.binary(min_size=1), st.binary())
@settings(max_examples=150)
def test_openssl_gives_the_same_bytes(key: bytes, nonce: bytes, aad: bytes, text: bytes) -> None:
    sealed = AESCCM(key, 8).encrypt(nonce, text, aad)
    assert Ccm(key).encrypt(nonce, aad, text) == sealed
    assert Ccm(key).decrypt(nonce, aad, sealed) == text


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4095, 4096, 4097, 65535])
def test_every_length_of_text_is_right(size: int) -> None:
    text = bytes(index & 0xFF for index in range(size))
    assert Ccm(KEY).encrypt(NONCE, b"aad", text) == AESCCM(KEY, 8).encrypt(NONCE, text, b"aad")


@pytest.mark.parametrize("size", [1, 13, 14, 15, 30, 31, 65279])
def test_every_length_of_associated_data_is_right(size: int) -> None:
    aad = bytes(size)
    assert Ccm(KEY).encrypt(NONCE, aad, b"text") == AESCCM(KEY, 8).encrypt(NONCE, b"text", aad)


def test_one_key_serves_many_messages() -> None:
    ccm = Ccm(KEY)
    assert ccm.encrypt(NONCE, b"aad", b"text") == ccm.encrypt(NONCE, b"aad", b"text")


def test_any_changed_bit_is_noticed() -> None:
    ccm = Ccm(KEY)
    sealed = ccm.encrypt(NONCE, b"aad", b"level 40")
    for bit in range(8 * len(sealed)):
        forged = bytearray(sealed)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AuthenticationError):
            ccm.decrypt(NONCE, b"aad", bytes(forged))
    for nonce, aad in ((bytes(12) + b"\x01", b"aad"), (NONCE, b"aae"), (NONCE, b"aad\x00")):
        with pytest.raises(AuthenticationError):
            ccm.decrypt(nonce, aad, sealed)
    with pytest.raises(AuthenticationError):
        Ccm(bytes(16)).decrypt(NONCE, b"aad", sealed)


@pytest.mark.parametrize("size", range(8))
def test_less_than_a_tag_is_no_ciphertext(size: int) -> None:
    with pytest.raises(AuthenticationError, match="shorter than its tag"):
        Ccm(KEY).decrypt(NONCE, b"aad", bytes(size))


def test_sizes_that_ccm_cannot_have_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Ccm(bytes(32))
    ccm = Ccm(KEY)
    for nonce, aad, text, words in (
        (bytes(12), b"aad", b"", "nonce has 13 bytes"),
        (NONCE, b"", b"", "1 to 65279 bytes"),
        (NONCE, bytes(65280), b"", "1 to 65279 bytes"),
        (NONCE, b"aad", bytes(65536), "at most 65535 bytes"),
    ):
        with pytest.raises(ValueError, match=words):
            ccm.encrypt(nonce, aad, text)
        with pytest.raises(ValueError, match=words):
            ccm.decrypt(nonce, aad, text + bytes(8))
