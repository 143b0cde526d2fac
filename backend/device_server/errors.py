"""What can go wrong between the device server and a lamp, or between it and the person who runs it.

DeviceServerError
├── LampUnreachable      no session, or the lamp did not answer in time: wait for its next check-in
├── LampRefused          the lamp answered with an error: its code and diagnostic say why
├── CredentialConflict   another lamp holds this endpoint or this sender id
├── CredentialInvalid    keys or identifiers that OSCORE cannot use
└── PortTaken            the UDP port cannot be bound
Refusal                  (not for callers) a received request that is answered with `code` and a diagnostic
"""


class DeviceServerError(Exception):
    """Base of everything this package raises towards its callers."""


class LampUnreachable(DeviceServerError):
    """The lamp has no session or did not answer; the command may be sent again at its next check-in."""


class LampRefused(DeviceServerError):
    """The lamp answered with an error. `code` is its CoAP code as text ("4.05"), `diagnostic` its own words."""

    def __init__(self, code: str, diagnostic: str) -> None:
        super().__init__(f"the lamp answered {code}: {diagnostic or 'no diagnostic'}")
        self.code = code
        self.diagnostic = diagnostic

    @property
    def is_passing(self) -> bool:
        """The lamp cannot do it now (5.00 without memory, 5.03 with its flash in trouble) and may well do it later;
        5.01 is what it never will."""
        return self.code.startswith("5.") and self.code != "5.01"


class CredentialConflict(DeviceServerError):
    """The endpoint or the sender id belongs to another lamp: retire that one first, or provision with a new id."""


class CredentialInvalid(DeviceServerError, ValueError):
    """A key or an identifier that OSCORE cannot use; the message names the field and its bounds."""


class PortTaken(DeviceServerError):
    """The UDP port could not be bound; the message says what to look for."""


class Refusal(Exception):
    """Answer the request with `code` (a CoAP code as an int, 0x84 is 4.04), a diagnostic, and perhaps Max-Age."""

    def __init__(self, code: int, diagnostic: str, max_age_s: int | None = None) -> None:
        super().__init__(diagnostic)
        self.code = code
        self.diagnostic = diagnostic
        self.max_age_s = max_age_s


BAD_REQUEST = 0x80
UNAUTHORIZED = 0x81
BAD_OPTION = 0x82
FORBIDDEN = 0x83
NOT_FOUND = 0x84
METHOD_NOT_ALLOWED = 0x85
NOT_ACCEPTABLE = 0x86
INCOMPLETE = 0x88
PRECONDITION_FAILED = 0x8C
TOO_LARGE = 0x8D
UNSUPPORTED_FORMAT = 0x8F
INTERNAL_ERROR = 0xA0
UNAVAILABLE = 0xA3
