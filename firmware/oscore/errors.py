"""What can go wrong in OSCORE.

OscoreError
├── OptionError              an OSCORE option that does not decode
├── AuthenticationError      a ciphertext that the key does not vouch for
└── SequenceExhausted        all sender sequence numbers are used: the lamp needs a new master secret

`Refused(code, diagnostic, response)` is what the caller of `oscore.protect` sees: it belongs to the security seam, and
so it is the one of firmware.coap.errors. Keys never appear in a text of these.
"""

from firmware.coap.errors import Refused

__all__ = ("AuthenticationError", "OptionError", "OscoreError", "Refused", "SequenceExhausted")


class OscoreError(Exception):
    """Everything this package raises on purpose, but Refused."""


class OptionError(OscoreError):
    """An OSCORE option value that RFC 8613 section 6.1 does not allow; the text names what."""


class AuthenticationError(OscoreError):
    """The tag does not belong to this ciphertext, nonce, associated data and key."""


class SequenceExhausted(OscoreError):
    """The sender sequence number has reached 2^40: nothing can be sent under these keys any more."""

    def __init__(self):
        super().__init__("all sender sequence numbers are used: provision the lamp again with a new master secret")
