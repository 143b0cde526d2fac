"""What can go wrong between a datagram and a request.

CoapError
├── MessageError         bytes that are no CoAP message, or a message that cannot be written
├── Refused              a request or response that is answered with an error code instead of being handled
└── RequestError         a request of ours that got no usable answer
    ├── Timeout          nobody answered in time
    ├── Reset            the peer rejected the message
    ├── TooLarge         the answer, or the refusal of ours, is beyond the sizes both sides hold
    ├── Unexpected       an answer that breaks the rules of block-wise transfer
    ├── Unverified       an error answer that the security in use does not vouch for
    ├── Unprotected      a request that the security in use could not protect, and that was not sent
    └── Busy             too many requests are already waiting

Source: RFC 7252 sections 4.2, 4.3 and 5.4.1.
"""


class CoapError(Exception):
    """Everything this package raises on purpose."""


class MessageError(CoapError):
    """A message that breaks the format of RFC 7252 section 3; the text names what.

    `mid` is the message id to reject with a Reset (RFC 7252 sections 4.2 and 4.3), or None when the message
    must be ignored in silence: too short for a header, another version of CoAP, or itself an ACK or a Reset.
    """

    def __init__(self, reason, mid=None):
        super().__init__(reason)
        self.mid = mid


class Refused(CoapError):
    """A request that must be answered with `code` and the text `diagnostic`, without reaching a handler.

    `response` is the ready message to send instead, when the refusal carries options (Echo) or protection of its own.
    """

    def __init__(self, code, diagnostic, response=None):
        super().__init__(diagnostic)
        self.code = code
        self.diagnostic = diagnostic
        self.response = response


class RequestError(CoapError):
    """A request of ours that got no usable answer."""


class Timeout(RequestError):
    """Nobody answered in time."""


class Reset(RequestError):
    """The peer received the message and rejected it."""


class TooLarge(RequestError):
    """A transfer beyond the size that both sides can hold."""


class Unexpected(RequestError):
    """An answer that does not continue the transfer it belongs to."""


class Unverified(RequestError):
    """An error answer (`code`) outside of the security in use: the peer does not know our keys, or is not the peer."""

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code


class Unprotected(RequestError):
    """The security in use failed (its own words are in the text); nothing was sent."""


class Busy(RequestError):
    """Too many requests are already waiting for their turn."""
