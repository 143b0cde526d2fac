"""What CBOR has and Python has not, the limits, and the one error. Source: RFC 8949 sections 3.1, 3.3 and 3.4."""

from collections import namedtuple

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


class CborError(ValueError):
    """Bytes that are no CBOR, or a value that has none; the text says what.

    `offset` is the index of the byte where the offending item starts, None when encoding.
    """

    def __init__(self, what, offset=None):
        super().__init__(what if offset is None else "%s at byte %d" % (what, offset))
        self.offset = offset
