"""A security context: keys derived from the provisioned secret, nonces, sequence numbers that are never used twice.

Source: RFC 8613 sections 3.1 to 3.3 (context and derivation), 5.2 (nonce), 5.4 (associated data), 7.2.1 (end of the
sequence numbers), Appendix B.1.1 (sequence numbers and power cuts). Algorithms: AES-CCM-16-64-128, HKDF SHA-256.
"""

from firmware.codec import cbor
from firmware.oscore.ccm import KEY_BYTES, NONCE_BYTES, Ccm
from firmware.oscore.errors import SequenceExhausted
from firmware.rarely import borrow

ALGORITHM = 10  # AES-CCM-16-64-128 in IANA's registry "COSE Algorithms"
VERSION = 1
ID_BYTES = NONCE_BYTES - 6
PIV_BYTES = 5
NUMBERS = 1 << 8 * PIV_BYTES

# A flash record is written once for so many messages; a restart skips at most so many of the 10^12 numbers.
CHUNK = 256


class Context:
    """What one pair of endpoints shares, seen from one of them.

    `sender_id`, `recipient_id`: 0..7 bytes, different. `id_context`: bytes or None. `sequence`: the first sender
    sequence number that was never used, which after a restart is the limit reserved last. `reserve(limit)` must keep
    `limit` in storage before it returns; it is called before the first number of each chunk of `chunk` is used, and
    what it raises stops the message. `window`: a `ReplayWindow` for a context that was never used before, None when
    what the peer sent is unknown (after a restart): its first request must then prove itself fresh (see `protect`).
    Raises ValueError when the parameters do not make a context.
    """

    def __init__(
        self,
        sender_id,
        recipient_id,
        master_secret,
        reserve,
        master_salt=b"",
        id_context=None,
        sequence=0,
        chunk=CHUNK,
        window=None,
    ):
        if len(sender_id) > ID_BYTES or len(recipient_id) > ID_BYTES:
            raise ValueError("sender and recipient id have at most %d bytes: provision shorter ones" % ID_BYTES)
        if sender_id == recipient_id:
            raise ValueError("sender and recipient id are the same: provision different ones")
        if not master_secret:
            raise ValueError("the master secret is empty: provision the lamp again")
        self.sender_id = sender_id
        self.recipient_id = recipient_id
        self.id_context = id_context
        self.window = window
        self.sender = Ccm(derive(master_secret, master_salt, sender_id, id_context, "Key", KEY_BYTES))
        self.recipient = Ccm(derive(master_secret, master_salt, recipient_id, id_context, "Key", KEY_BYTES))
        self.common_iv = derive(master_secret, master_salt, b"", id_context, "IV", NONCE_BYTES)
        self._next = sequence
        self._limit = sequence
        self._chunk = chunk
        self._reserve = reserve

    def next_piv(self):
        """The partial IV of a sender sequence number that no message ever had. Raises SequenceExhausted."""
        number = self._next
        if number >= NUMBERS:
            raise SequenceExhausted()
        if number >= self._limit:
            limit = min(number + self._chunk, NUMBERS)
            self._reserve(limit)
            self._limit = limit
        self._next = number + 1
        return encode_piv(number)

    def nonce(self, id, piv):
        """The nonce (13 bytes) for a partial IV (1..5 bytes) of the endpoint `id` (0..7 bytes)."""
        nonce = bytearray(self.common_iv)
        nonce[0] ^= len(id)
        for index, byte in enumerate(id):
            nonce[1 + ID_BYTES - len(id) + index] ^= byte
        for index, byte in enumerate(piv):
            nonce[NONCE_BYTES - len(piv) + index] ^= byte
        return bytes(nonce)


def derive(secret, salt, id, id_context, kind, size):
    """Key or common IV of `size` bytes for `kind` "Key" or "IV" (RFC 8613 section 3.2.1)."""
    hkdf = borrow("firmware.oscore.hkdf").hkdf
    return hkdf(salt, secret, cbor.encode([id, id_context, ALGORITHM, kind, size]), size)


def associated_data(kid, piv):
    """What the tag vouches for besides the text: version, algorithm and the request that the message belongs to."""
    return cbor.encode(["Encrypt0", b"", cbor.encode([VERSION, [ALGORITHM], kid, piv, b""])])


def encode_piv(number):
    """A sequence number without leading zeros; 0 is one zero byte."""
    piv = number.to_bytes(PIV_BYTES, "big")
    start = 0
    while start < PIV_BYTES - 1 and not piv[start]:
        start += 1
    return piv[start:]
