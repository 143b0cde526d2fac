"""CBOR: values to bytes in the one preferred way, and any well-formed item back to values.

    int bool None float str bytes list dict     themselves; integers beyond 64 bits are bignums (tags 2 and 3)
    Tag(number, value)                          any other tag, kept so that the reader may look or not
    Simple(number)                              simple values without a Python value; UNDEFINED is Simple(23)

Written: shortest heads, shortest float that holds the value exactly, map keys in bytewise order of their encoding
(dicts have no order on MicroPython). Read: all that is well-formed, within limits; strings are UTF-8 and keys unique.
Source: RFC 8949 sections 3, 4.1, 4.2.1, 5.6 and Appendix A (vectors).
"""

from firmware.codec.cbor_reader import Reader, decode
from firmware.codec.cbor_types import (
    ARRAY,
    BYTES,
    MAP,
    MAX_DEPTH,
    MAX_ITEMS,
    TEXT,
    UNDEFINED,
    CborError,
    Simple,
    Tag,
)
from firmware.codec.cbor_writer import encode, encode_head, encode_into

__all__ = (
    "ARRAY",
    "BYTES",
    "MAP",
    "MAX_DEPTH",
    "MAX_ITEMS",
    "TEXT",
    "UNDEFINED",
    "CborError",
    "Reader",
    "Simple",
    "Tag",
    "decode",
    "encode",
    "encode_head",
    "encode_into",
)
