"""What a lamp answers when it will not do what an LwM2M server asked: one class a CoAP code.

Source: OMA-TS-LightweightM2M_Transport-V1_1, table "Response codes" (registry of RFC 7252 section 12.1.2).

    LwM2MError(reason, path)
    ├── BadRequest         4.00  a value, a path or a payload is wrong
    ├── NotFound           4.04  no such object, instance or resource
    ├── NotAllowed         4.05  it exists, and does not offer this operation
    ├── NotAcceptable      4.06  the answer cannot be given in the format asked for
    ├── TooLarge           4.13  more records than the lamp holds at once
    ├── UnsupportedFormat  4.15  the payload's content format is not spoken here
    └── Unavailable        5.03  right, but not now (flash full, busy); the same request may be repeated later

Every one becomes a response with `code` and, as diagnostic payload, its text: the path first, then what to do.
"""

from contract import paths


class LwM2MError(Exception):
    """`reason` tells a person what to do next; `path` (contract.paths.Path) is what was refused, or None."""

    code = 0xA0

    def __init__(self, reason, path=None):
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def __str__(self):
        return self.reason if self.path is None else paths.format(self.path) + ": " + self.reason


class BadRequest(LwM2MError):
    code = 0x80


class NotFound(LwM2MError):
    code = 0x84


class NotAllowed(LwM2MError):
    code = 0x85


class NotAcceptable(LwM2MError):
    code = 0x86


class TooLarge(LwM2MError):
    code = 0x8D


class UnsupportedFormat(LwM2MError):
    code = 0x8F


class Unavailable(LwM2MError):
    code = 0xA3
