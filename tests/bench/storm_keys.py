"""OSCORE for lamps that exist only as packets: one AESCCM a direction and the two forms of message that a lamp needs.

A tenth of the cost of the firmware's own (which is tested elsewhere), so that thousands fit into one process. Source:
RFC 8613 sections 3.2, 5.2, 5.4, 6.1 and 8.
"""

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from contract.limits import SERVER_ID
from firmware.coap import message as coap
from firmware.coap.message import Message
from tests.bench.load import SALT, derive, keys_of

Binding = tuple[bytes, bytes]
"""(associated data, nonce) of a request; its response needs them."""


class Unreadable(Exception):
    """A message that is not protected, or not with these keys."""


class Keys:
    """The security context of lamp `index` (`load.keys_of`). Sequence numbers start at `sequence`."""

    def __init__(self, index: int, sequence: int = 0) -> None:
        self.kid, secret = keys_of(index)
        self._sender = AESCCM(derive(secret, self.kid, "Key", 16, SALT), 8)
        self._recipient = AESCCM(derive(secret, SERVER_ID, "Key", 16, SALT), 8)
        self._iv = int.from_bytes(derive(secret, b"", "IV", 13, SALT), "big")
        self.sequence = sequence

    def protect_request(self, message: Message) -> Binding:
        """Turn `message` into its protected form, in place."""
        partial_iv = self._next()
        binding = _aad(self.kid, partial_iv), self._nonce(self.kid, partial_iv)
        option = bytes((0x08 | len(partial_iv),)) + partial_iv + self.kid
        self._seal(message, coap.POST, option, binding[1], binding[0])
        return binding

    def unprotect_response(self, message: Message, binding: Binding) -> Message:
        """The response inside. Raises Unreadable."""
        option = _option(message)
        nonce = binding[1] if len(option) < 2 else self._nonce(SERVER_ID, option[1 : 1 + (option[0] & 7)])
        return self._open(message, nonce, binding[0])

    def unprotect_request(self, message: Message) -> tuple[Message, Binding]:
        """The server's request inside, and what its response needs. Raises Unreadable."""
        option = _option(message)
        if not option:
            raise Unreadable("a request without a partial IV")
        partial_iv = option[1 : 1 + (option[0] & 7)]
        binding = _aad(SERVER_ID, partial_iv), self._nonce(SERVER_ID, partial_iv)
        return self._open(message, binding[1], binding[0]), binding

    def protect_response(self, message: Message, binding: Binding, fresh: bool = False) -> None:
        """Turn the response into its protected form, in place. `fresh`: with a partial IV of our own, which a response
        must have when the request may be a replay (RFC 8613, Appendix B.1.2)."""
        option, nonce = b"", binding[1]
        if fresh:
            partial_iv = self._next()
            option, nonce = bytes((len(partial_iv),)) + partial_iv, self._nonce(self.kid, partial_iv)
        self._seal(message, coap.CHANGED, option, nonce, binding[0])

    def _next(self) -> bytes:
        number = self.sequence
        self.sequence += 1
        return number.to_bytes(5, "big").lstrip(b"\0") or b"\0"

    def _nonce(self, sender: bytes, partial_iv: bytes) -> bytes:
        padded = bytes((len(sender),)) + sender.rjust(7, b"\0") + partial_iv.rjust(5, b"\0")
        return (int.from_bytes(padded, "big") ^ self._iv).to_bytes(13, "big")

    def _seal(self, message: Message, code: int, option: bytes, nonce: bytes, aad: bytes) -> None:
        inner = bytes((message.code,)) + coap.encode_body(message.options, message.payload)
        message.code, message.options = code, [(coap.OSCORE, option)]
        message.payload = self._sender.encrypt(nonce, inner, aad)

    def _open(self, message: Message, nonce: bytes, aad: bytes) -> Message:
        try:
            inner = self._recipient.decrypt(nonce, bytes(message.payload), aad)
        except InvalidTag:
            raise Unreadable("it does not decrypt") from None
        options, payload = coap.decode_body(inner[1:])
        return Message(inner[0], message.type, message.mid, message.token, options, payload)


def _option(message: Message) -> bytes:
    option = message.option(coap.OSCORE)
    if option is None:
        raise Unreadable("no OSCORE option")
    return bytes(option)


def _aad(kid: bytes, partial_iv: bytes) -> bytes:
    return cbor2.dumps(["Encrypt0", b"", cbor2.dumps([1, [10], kid, partial_iv, b""])])
