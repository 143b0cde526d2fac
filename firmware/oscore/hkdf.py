"""HKDF with SHA-256, on an interpreter without an `hmac` module.

Source: RFC 2104 section 2 (HMAC), RFC 5869 section 2 (HKDF).
"""

import hashlib

_HASH_BYTES = 32
_BLOCK_BYTES = 64


def hmac_sha256(key, data):
    """The 32-byte HMAC of `data` under a key of any length."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    padded = key + bytes(_BLOCK_BYTES - len(key))
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    inner.update(data)
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
    outer.update(inner.digest())
    return outer.digest()


def hkdf(salt, secret, info, size):
    """`size` (0..8160) bytes derived from `secret` for the purpose `info`; an empty salt is 32 zero bytes.

    Raises ValueError when more is asked for than HKDF can give.
    """
    if not 0 <= size <= 255 * _HASH_BYTES:
        raise ValueError("HKDF with SHA-256 derives 0 to 8160 bytes")
    key = hmac_sha256(salt or bytes(_HASH_BYTES), secret)
    output = block = b""
    index = 0
    while len(output) < size:
        index += 1
        block = hmac_sha256(key, block + info + bytes((index,)))
        output += block
    return output[:size]
