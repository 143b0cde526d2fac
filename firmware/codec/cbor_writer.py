"""Values to CBOR, in the one preferred way. Source: RFC 8949 sections 3, 4.1 and 4.2.1."""

import struct
from binascii import unhexlify

from firmware.codec.cbor_types import (
    ARRAY,
    BYTES,
    MAP,
    MAX_DEPTH,
    NEGATIVE,
    TAG,
    TEXT,
    UNSIGNED,
    CborError,
    Simple,
    Tag,
)


def encode(value):
    """The bytes of a value. Raises CborError for types CBOR does not have and for nesting beyond MAX_DEPTH."""
    buffer = bytearray()
    encode_into(buffer, value)
    return bytes(buffer)


def encode_into(buffer, value, depth=0):
    """Append the bytes of a value to a bytearray; raises as `encode`, and then the buffer holds a part of it."""
    if value is None:
        buffer.append(0xF6)
    elif value is True:
        buffer.append(0xF5)
    elif value is False:
        buffer.append(0xF4)
    elif isinstance(value, int):
        _encode_int(buffer, value)
    elif isinstance(value, str):
        try:
            text = value.encode()
        except UnicodeError:
            raise CborError("a text holds a surrogate, which UTF-8 cannot carry: replace it") from None
        encode_head(buffer, TEXT, len(text))
        buffer += text
    elif isinstance(value, (bytes, bytearray, memoryview)):
        encode_head(buffer, BYTES, len(value))
        buffer += value
    elif isinstance(value, float):
        _encode_float(buffer, value)
    elif isinstance(value, Simple):
        if not 0 <= value.number <= 255 or 24 <= value.number < 32:
            raise CborError("simple value %d does not exist: take 0 to 23 or 32 to 255" % value.number)
        if value.number >= 32:
            buffer.append(0xF8)
            buffer.append(value.number)
        else:
            buffer.append(0xE0 | value.number)
    elif isinstance(value, (list, tuple, dict)):
        if depth == MAX_DEPTH:
            raise CborError("nested deeper than %d: flatten the value" % MAX_DEPTH)
        _encode_container(buffer, value, depth + 1)
    else:
        raise CborError("a value of type %s has no CBOR form" % type(value).__name__)


def _encode_container(buffer, value, depth):
    if isinstance(value, Tag):
        if not 0 <= value.number < 1 << 64:
            raise CborError("tag %d does not exist: take 0 to 2^64-1" % value.number)
        encode_head(buffer, TAG, value.number)
        encode_into(buffer, value.value, depth)
    elif isinstance(value, dict):
        encode_head(buffer, MAP, len(value))
        # Keys are sorted by their bytes (RFC 8949 section 4.2.1): the order of a dict is arbitrary on MicroPython.
        for key, item in sorted(((encode(key), item) for key, item in value.items()), key=lambda pair: pair[0]):
            buffer += key
            encode_into(buffer, item, depth)
    else:
        encode_head(buffer, ARRAY, len(value))
        for item in value:
            encode_into(buffer, item, depth)


def encode_head(buffer, major, argument):
    """Append the head of an item: `major` 0..7 and its `argument` (a value, length, count or tag number) 0..2^64-1."""
    if argument < 24:
        buffer.append(major << 5 | argument)
    elif argument <= 0xFF:
        buffer.append(major << 5 | 24)
        buffer.append(argument)
    elif argument <= 0xFFFF:
        buffer.append(major << 5 | 25)
        buffer += argument.to_bytes(2, "big")
    elif argument <= 0xFFFFFFFF:
        buffer.append(major << 5 | 26)
        buffer += argument.to_bytes(4, "big")
    else:
        buffer.append(major << 5 | 27)
        buffer += argument.to_bytes(8, "big")


def _encode_int(buffer, value):
    major = UNSIGNED
    if value < 0:
        major = NEGATIVE
        value = -1 - value
    if value >> 64:
        digits = "%x" % value
        magnitude = unhexlify("0" * (len(digits) & 1) + digits)
        buffer.append(0xC2 | major)
        encode_head(buffer, BYTES, len(magnitude))
        buffer += magnitude
    else:
        encode_head(buffer, major, value)


def _encode_float(buffer, value):
    """The shortest of half, single and double precision that gives the very same value back."""
    if value != value:
        buffer += b"\xf9\x7e\x00"
        return
    try:
        single = struct.pack(">f", value)
    except OverflowError:  # CPython; MicroPython packs infinity, which differs from the value
        single = b"\x7f\x80\x00\x00"
    if struct.unpack(">f", single)[0] != value:
        buffer.append(0xFB)
        buffer += struct.pack(">d", value)
        return
    half = _half(int.from_bytes(single, "big"))
    if half is None:
        buffer.append(0xFA)
        buffer += single
    else:
        buffer.append(0xF9)
        buffer += half.to_bytes(2, "big")


def _half(single):
    """The bits of a half for the bits of a single (no NaN), or None when it cannot hold the value exactly."""
    sign = single >> 16 & 0x8000
    exponent = single >> 23 & 0xFF
    mantissa = single & 0x7FFFFF
    if exponent == 0xFF:
        return sign | 0x7C00
    if exponent == 0 and mantissa == 0:
        return sign
    if 113 <= exponent <= 142 and not mantissa & 0x1FFF:
        return sign | exponent - 112 << 10 | mantissa >> 13
    if 103 <= exponent <= 112:
        shift = 126 - exponent
        mantissa |= 0x800000
        if not mantissa & (1 << shift) - 1:
            return sign | mantissa >> shift
    return None
