"""CBOR: values to bytes in the one preferred way, and any well-formed item back to values.

    int bool None float str bytes list dict     themselves; integers beyond 64 bits are bignums (tags 2 and 3)
    Tag(number, value)                          any other tag, kept so that the reader may look or not
    Simple(number)                              simple values without a Python value; UNDEFINED is Simple(23)

Written: shortest heads, shortest float that holds the value exactly, map keys in bytewise order of their encoding
(dicts have no order on MicroPython). Read: all that is well-formed, within limits; strings are UTF-8 and keys unique.
Source: RFC 8949 sections 3, 4.1, 4.2.1, 5.6 and Appendix A (vectors).
"""

import struct
from binascii import unhexlify
from collections import namedtuple

from firmware.codec.text import decode_utf8

Tag = namedtuple("Tag", ("number", "value"))
Simple = namedtuple("Simple", ("number",))

UNDEFINED = Simple(23)

# Deeper nesting than any content format of LwM2M needs, and far from the end of the C stack of a lamp.
MAX_DEPTH = 8
# Every item costs a lamp some 32 bytes of heap, however short it is on the wire; this is 32 KB, and one read at a time.
MAX_ITEMS = 1024
# A bignum holds no value of ours; the limit keeps a hostile one from turning a datagram into minutes of arithmetic.
MAX_BIGNUM_BYTES = 64

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SPECIAL = range(8)

_KINDS = ("unsigned integer", "negative integer", "byte string", "text string", "array", "map", "tag", "simple value")
_BREAK = 0xFF
_INDEFINITE = -1


class CborError(ValueError):
    """Bytes that are no CBOR, or a value that has none; the text says what.

    `offset` is the index of the byte where the offending item starts, None when encoding.
    """

    def __init__(self, what, offset=None):
        super().__init__(what if offset is None else "%s at byte %d" % (what, offset))
        self.offset = offset


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


def _float_of_half(bits):
    sign = (bits & 0x8000) << 16
    exponent = bits >> 10 & 0x1F
    mantissa = bits & 0x3FF
    if exponent == 0:
        value = mantissa / 16777216
        return -value if sign else value
    exponent = 0xFF if exponent == 0x1F else exponent + 112
    # By way of a single: exact on every interpreter, infinities and NaN included.
    return struct.unpack(">f", (sign | exponent << 23 | mantissa << 13).to_bytes(4, "big"))[0]


def decode(data, max_depth=MAX_DEPTH):
    """The value of `data` (bytes, bytearray), which must hold one item and nothing after it.

    `max_depth`: how many arrays, maps and tags may lie within one another. Raises CborError, and nothing else.
    """
    reader = Reader(data, max_depth)
    value = reader.item()
    reader.end()
    return value


class Reader:
    """A position in the bytes. `item` reads one item and moves behind it; all methods raise CborError.

    `items_left` counts down over the items of every level; who reads piece by piece may set it anew for each piece.
    """

    def __init__(self, data, max_depth=MAX_DEPTH):
        self.data = data
        self.at = 0
        self.max_depth = max_depth
        self.items_left = MAX_ITEMS

    def end(self):
        """Refuse bytes after the last item."""
        if self.at != len(self.data):
            raise CborError("%d bytes are left over after the item" % (len(self.data) - self.at), self.at)

    def items(self):
        """Yield the items of the array at this position one by one, so that only one needs memory."""
        start = self.at
        major, _, length = self.head()
        if major != ARRAY:
            raise CborError("an array is expected, not a %s" % _KINDS[major], start)
        if length == _INDEFINITE:
            while not self.at_break(start):
                yield self.item(1)
        else:
            self.count(length, start)
            for _ in range(length):
                yield self.item(1)

    def item(self, depth=0):
        """The next item; `depth` is the number of arrays, maps and tags around it."""
        start = self.at
        self.items_left -= 1
        if self.items_left < 0:
            raise CborError("too many items: send less at a time", start)
        major, detail, argument = self.head()
        if major == UNSIGNED:
            return argument
        if major == NEGATIVE:
            return -1 - argument
        if major == BYTES:
            return bytes(self.string(BYTES, argument, start))
        if major == TEXT:
            return self.string(TEXT, argument, start)
        if major == SPECIAL:
            return self.special(detail, argument, start)
        if depth == self.max_depth:
            raise CborError("nested deeper than %d" % self.max_depth, start)
        if major == ARRAY:
            return self.array(argument, start, depth + 1)
        if major == MAP:
            return self.map(argument, start, depth + 1)
        return self.tag(argument, start, depth + 1)

    def head(self):
        """Read a head: (major type, additional information, argument); the argument is _INDEFINITE for 31."""
        start = self.at
        initial = self.take(1, start)[0]
        major = initial >> 5
        detail = initial & 0x1F
        if detail < 24:
            return major, detail, detail
        if detail < 28:
            return major, detail, int.from_bytes(self.take(1 << detail - 24, start), "big")
        if detail < 31 or major in (UNSIGNED, NEGATIVE, TAG):
            raise CborError("additional information %d has no meaning (%s)" % (detail, _KINDS[major]), start)
        return major, detail, _INDEFINITE

    def take(self, count, start):
        """The next `count` bytes of the item that began at `start`."""
        end = self.at + count
        if end > len(self.data):
            raise CborError("cut short: %d bytes are missing from the item" % (end - len(self.data)), start)
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def at_break(self, start):
        """Whether a break ends the indefinite-length item that began at `start`; if so, move behind it."""
        if self.at == len(self.data):
            raise CborError("cut short: the end of the indefinite-length item is missing", start)
        if self.data[self.at] != _BREAK:
            return False
        self.at += 1
        return True

    def string(self, kind, length, start):
        """A byte or text string, in one piece or in chunks."""
        if length != _INDEFINITE:
            return self.piece(kind, length, start)
        pieces = []
        while not self.at_break(start):
            chunk_start = self.at
            major, _, length = self.head()
            if major != kind or length == _INDEFINITE:
                raise CborError("a chunk is not a %s of definite length" % _KINDS[kind], chunk_start)
            pieces.append(self.piece(kind, length, chunk_start))
        return (b"" if kind == BYTES else "").join(pieces)

    def piece(self, kind, length, start):
        piece = self.take(length, start)
        if kind == BYTES:
            return piece
        try:
            return decode_utf8(piece)
        except ValueError as error:
            raise CborError("a text string whose %s" % error, start) from None

    def count(self, argument, start):
        """Refuse at once what claims more items than there are bytes."""
        if argument > len(self.data) - self.at:
            raise CborError("cut short: %d items are announced" % argument, start)

    def array(self, length, start, depth):
        items = []
        if length == _INDEFINITE:
            while not self.at_break(start):
                items.append(self.item(depth))
        else:
            self.count(length, start)
            for _ in range(length):
                items.append(self.item(depth))
        return items

    def map(self, length, start, depth):
        items = {}
        if length == _INDEFINITE:
            while not self.at_break(start):
                self.entry(items, depth)
        else:
            self.count(length, start)
            for _ in range(length):
                self.entry(items, depth)
        return items

    def entry(self, items, depth):
        start = self.at
        key = self.item(depth)
        # True and 1.0 would be taken for the key 1, arrays and maps cannot be keys of a dict.
        if isinstance(key, bool) or not isinstance(key, (int, str, bytes)):
            raise CborError("a map key is neither integer nor string", start)
        if key in items:
            raise CborError("a map key occurs twice", start)
        items[key] = self.item(depth)

    def tag(self, number, start, depth):
        value = self.item(depth)
        if number not in (2, 3):
            return Tag(number, value)
        if not isinstance(value, bytes) or len(value) > MAX_BIGNUM_BYTES:
            raise CborError("a bignum is no byte string of at most %d bytes" % MAX_BIGNUM_BYTES, start)
        magnitude = int.from_bytes(value, "big")
        return magnitude if number == 2 else -1 - magnitude

    def special(self, detail, argument, start):
        """Simple values and floats; a break here ends nothing."""
        if argument == _INDEFINITE:
            raise CborError("a break outside an indefinite-length item", start)
        if detail == 25:
            return _float_of_half(argument)
        if detail == 26:
            return struct.unpack(">f", argument.to_bytes(4, "big"))[0]
        if detail == 27:
            return struct.unpack(">d", argument.to_bytes(8, "big"))[0]
        if detail == 24 and argument < 32:
            raise CborError("simple value %d is not written in two bytes" % argument, start)
        if 20 <= argument <= 22:
            return (False, True, None)[argument - 20]
        return Simple(argument)
