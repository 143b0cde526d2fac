"""CBOR to values: everything well-formed, within limits. Source: RFC 8949 sections 3, 5.3, 5.6; Appendices C and D."""

import struct

from firmware.codec.cbor_types import (
    ARRAY,
    BYTES,
    MAP,
    MAX_BIGNUM_BYTES,
    MAX_DEPTH,
    MAX_ITEMS,
    NEGATIVE,
    SPECIAL,
    TAG,
    TEXT,
    UNSIGNED,
    CborError,
    Simple,
    Tag,
)
from firmware.codec.text import decode_utf8

_KINDS = ("unsigned integer", "negative integer", "byte string", "text string", "array", "map", "tag", "simple value")
_BREAK = 0xFF
_INDEFINITE = -1


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

    def open_array(self):
        """Move into an array; returns the number of its items, None when only its end tells."""
        start = self.at
        initial = self.initial(start)
        if initial >> 5 != ARRAY:
            raise CborError("an array is expected, not a %s" % _KINDS[initial >> 5], start)
        length = self.argument(initial, start)
        if length == _INDEFINITE:
            return None
        self.count(length, start)
        return length

    def items(self, length):
        """Yield the items of the array that `open_array` moved into one by one, so that only one needs memory."""
        start = self.at
        if length is None:
            while not self.at_break(start):
                yield self.item(1)
        else:
            for _ in range(length):
                yield self.item(1)

    def item(self, depth=0):
        """The next item; `depth` is the number of arrays, maps and tags around it."""
        start = self.at
        self.items_left -= 1
        if self.items_left < 0:
            raise CborError("too many items: send less at a time", start)
        initial = self.initial(start)
        if 0xF9 <= initial <= 0xFB:
            return self.float(initial, start)
        major = initial >> 5
        argument = initial & 0x1F
        if argument >= 24:
            argument = self.argument(initial, start)
        if major == UNSIGNED:
            return argument
        if major == NEGATIVE:
            return -1 - argument
        if major == BYTES:
            return self.string(BYTES, argument, start)
        if major == TEXT:
            return self.string(TEXT, argument, start)
        if major == SPECIAL:
            return self.special(initial, argument, start)
        if depth == self.max_depth:
            raise CborError("nested deeper than %d" % self.max_depth, start)
        if major == ARRAY:
            return self.array(argument, start, depth + 1)
        if major == MAP:
            return self.map(argument, start, depth + 1)
        return self.tag(argument, start, depth + 1)

    def initial(self, start):
        """The first byte of an item: major type in the high three bits, additional information in the low five."""
        if self.at == len(self.data):
            raise CborError("cut short: an item is missing", start)
        self.at += 1
        return self.data[self.at - 1]

    def argument(self, initial, start):
        """The value, length, count or tag number that follows an initial byte; _INDEFINITE for 31."""
        detail = initial & 0x1F
        if detail < 24:
            return detail
        if detail < 28:
            return int.from_bytes(self.take(1 << detail - 24, start), "big")
        if detail < 31 or initial >> 5 in (UNSIGNED, NEGATIVE, TAG):
            raise CborError("additional information %d has no meaning (%s)" % (detail, _KINDS[initial >> 5]), start)
        return _INDEFINITE

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
            initial = self.initial(start)
            if initial >> 5 != kind or initial & 0x1F == 31:
                raise CborError("a chunk is not a %s of definite length" % _KINDS[kind], chunk_start)
            pieces.append(self.piece(kind, self.argument(initial, chunk_start), chunk_start))
        return (b"" if kind == BYTES else "").join(pieces)

    def piece(self, kind, length, start):
        piece = self.take(length, start)
        if kind == BYTES:
            return bytes(piece)
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

    def float(self, initial, start):
        """A half, single or double."""
        piece = self.take(1 << initial - 0xF8, start)
        if initial == 0xF9:
            return _float_of_half(int.from_bytes(piece, "big"))
        return struct.unpack(">f" if initial == 0xFA else ">d", piece)[0]

    def special(self, initial, argument, start):
        """Simple values; a break here ends nothing."""
        if argument == _INDEFINITE:
            raise CborError("a break outside an indefinite-length item", start)
        if initial == 0xF8 and argument < 32:
            raise CborError("simple value %d is not written in two bytes" % argument, start)
        if 20 <= argument <= 22:
            return (False, True, None)[argument - 20]
        return Simple(argument)


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
