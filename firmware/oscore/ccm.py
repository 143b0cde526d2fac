"""AES-CCM-16-64-128: 128-bit key, 13-byte nonce, 8-byte tag, messages of at most 65,535 bytes.

CCM is counter mode for the text and CBC-MAC for the tag. The MAC is the last block of one CBC call; the key stream is
one ECB call over all counter blocks.
Source: RFC 3610 sections 2.2 to 2.6 with L = 2, M = 8; RFC 9053 section 4.2 (algorithm 10).
"""

from firmware.oscore.aes import BLOCK_BYTES, MODE_CBC, MODE_ECB, aes
from firmware.oscore.errors import AuthenticationError

KEY_BYTES = 16
NONCE_BYTES = 13
TAG_BYTES = 8

_LONGEST = 0xFFFF  # L = 2: the length has two bytes
_LONGEST_AAD = 0xFEFF  # beyond it the length of the associated data takes more than two bytes
_FLAGS = (TAG_BYTES - 2) // 2 << 3 | 1  # M' and L' of the first block
_HAS_AAD = 0x40
_ZERO = bytes(BLOCK_BYTES)


class Ccm:
    """One key. `encrypt` and `decrypt` may be called as often as there are nonces."""

    def __init__(self, key):
        if len(key) != KEY_BYTES:
            raise ValueError("an AES-128 key has 16 bytes")
        self._key = key
        self._blocks = aes(key, MODE_ECB)

    def encrypt(self, nonce, aad, plaintext):
        """Ciphertext and tag (8 bytes longer than `plaintext`). A nonce of 13 bytes must never come twice.

        Raises ValueError when the nonce, the associated data (1..65,279 bytes) or the text has a size CCM cannot have.
        """
        _check(nonce, aad, len(plaintext))
        stream = self._stream(nonce, len(plaintext))
        return _xor(plaintext, stream, BLOCK_BYTES) + self._tag(nonce, aad, plaintext, stream)

    def decrypt(self, nonce, aad, ciphertext):
        """The plaintext of ciphertext and tag.

        Raises AuthenticationError when the tag is not theirs, ValueError for sizes as `encrypt`.
        """
        size = len(ciphertext) - TAG_BYTES
        if size < 0:
            raise AuthenticationError("the ciphertext is shorter than its tag")
        _check(nonce, aad, size)
        stream = self._stream(nonce, size)
        plaintext = _xor(ciphertext[:size], stream, BLOCK_BYTES)
        expected = self._tag(nonce, aad, plaintext, stream)
        # Every byte is looked at, so that time does not tell how much of a forged tag was right.
        difference = 0
        for at in range(TAG_BYTES):
            difference |= expected[at] ^ ciphertext[size + at]
        if difference:
            raise AuthenticationError("the tag does not match")
        return plaintext

    def _tag(self, nonce, aad, plaintext, stream):
        """The MAC over lengths, associated data and text, under the first block of the key stream."""
        aad_blocks = (2 + len(aad) + BLOCK_BYTES - 1) // BLOCK_BYTES
        text_blocks = (len(plaintext) + BLOCK_BYTES - 1) // BLOCK_BYTES
        text_at = (1 + aad_blocks) * BLOCK_BYTES
        data = bytearray(text_at + text_blocks * BLOCK_BYTES)
        data[0] = _HAS_AAD | _FLAGS
        data[1:14] = nonce
        data[14] = len(plaintext) >> 8
        data[15] = len(plaintext) & 0xFF
        data[16] = len(aad) >> 8
        data[17] = len(aad) & 0xFF
        data[18 : 18 + len(aad)] = aad
        data[text_at : text_at + len(plaintext)] = plaintext
        aes(self._key, MODE_CBC, _ZERO).encrypt(data, data)
        return _xor(data[-BLOCK_BYTES : TAG_BYTES - BLOCK_BYTES], stream, 0)

    def _stream(self, nonce, size):
        """The key stream: block 0 hides the tag, the others the text."""
        count = 1 + (size + BLOCK_BYTES - 1) // BLOCK_BYTES
        stream = bytearray(count * BLOCK_BYTES)
        for index in range(count):
            at = index * BLOCK_BYTES
            stream[at] = 1  # L'
            stream[at + 1 : at + 14] = nonce
            stream[at + 14] = index >> 8
            stream[at + 15] = index & 0xFF
        self._blocks.encrypt(stream, stream)
        return stream


def _check(nonce, aad, size):
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce has 13 bytes")
    if not 0 < len(aad) <= _LONGEST_AAD:
        raise ValueError("associated data has 1 to 65279 bytes")
    if size > _LONGEST:
        raise ValueError("a text has at most 65535 bytes")


def _xor(data, stream, at):
    """`data` under the key stream from `at` on. One long integer is faster than a loop on either interpreter."""
    size = len(data)
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[at : at + size], "big")).to_bytes(size, "big")
