"""The OSCORE option: the headers of the COSE object, compressed. Source: RFC 8613 sections 6.1 and 6.3."""

from collections import namedtuple

from firmware.oscore.context import PIV_BYTES
from firmware.oscore.errors import OptionError

# `piv`: 1..5 bytes, or b"" when there is none; `kid` and `kid_context`: bytes, or None when there is none.
Header = namedtuple("Header", ("piv", "kid", "kid_context"))

_PIV_SIZE = 0x07
_HAS_KID = 0x08
_HAS_KID_CONTEXT = 0x10
_RESERVED = 0xE0


def encode(piv=b"", kid=None, kid_context=None):
    """The option's value. Raises OptionError when a part is too long for its field."""
    if len(piv) > PIV_BYTES:
        raise OptionError("a partial IV has at most 5 bytes")
    flags = len(piv)
    value = bytearray((flags,))
    value += piv
    if kid_context is not None:
        if len(kid_context) > 255:
            raise OptionError("a kid context has at most 255 bytes")
        flags |= _HAS_KID_CONTEXT
        value.append(len(kid_context))
        value += kid_context
    if kid is not None:
        flags |= _HAS_KID
        value += kid
    value[0] = flags
    return bytes(value) if flags else b""


def decode(value):
    """The Header in an option's value (bytes). Raises OptionError for anything section 6.1 does not allow."""
    if not value:
        return Header(b"", None, None)
    flags = value[0]
    if flags & _RESERVED:
        raise OptionError("reserved flag bits are set")
    if not flags:
        raise OptionError("no flag is set, and yet the option is not empty")
    at = 1 + (flags & _PIV_SIZE)
    if at > 1 + PIV_BYTES:
        raise OptionError("partial IVs of 6 and 7 bytes are reserved")
    if at > len(value):
        raise OptionError("the partial IV is cut short")
    piv = value[1:at]
    kid_context = None
    if flags & _HAS_KID_CONTEXT:
        if at == len(value) or at + 1 + value[at] > len(value):
            raise OptionError("the kid context is cut short")
        end = at + 1 + value[at]
        kid_context = value[at + 1 : end]
        at = end
    if flags & _HAS_KID:
        return Header(piv, value[at:], kid_context)
    if at < len(value):
        raise OptionError("bytes follow the last field")
    return Header(piv, None, kid_context)
