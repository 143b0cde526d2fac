"""Sealed boxes and signatures of ledgers: libsodium by PyNaCl, and nothing else here imports it.

Source: contract.ledger (formats), RFC 7748 (X25519), RFC 8032 (Ed25519).
"""

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.signing import VerifyKey


class Unreadable(Exception):
    """A box that this key does not open; says nothing of what is inside."""


def draw() -> tuple[bytes, bytes]:
    """A new key pair: (private, public)."""
    key = PrivateKey.generate()
    return bytes(key), bytes(key.public_key)


def unseal(box: bytes, private: bytes) -> bytes:
    """What is in the box. Raises Unreadable: it was sealed for another key, or changed."""
    try:
        return bytes(SealedBox(PrivateKey(private)).decrypt(box))
    except (CryptoError, ValueError, TypeError):
        raise Unreadable("the box does not open with this backend's key") from None


def is_signed(data: bytes, signature: bytes, station: bytes) -> bool:
    """Whether the holder of this public key signed `data`; libsodium refuses keys for which anybody could."""
    try:
        VerifyKey(station).verify(data, signature)
    except (CryptoError, ValueError, TypeError):
        return False
    return True
