"""SenML packs, in CBOR and in JSON, to and from lists of `contract.senml.Record`.

Names are base name and name, concatenated: peers cut them in different places. Base time and base value are added.
Times are whole seconds; a time below 2^28 is relative to now and needs `now_s`. What the lamp has no use for (units,
sums, update times, unknown labels) is skipped, unless its label ends with "_", which says that skipping is wrong.
Source: RFC 8428 sections 4 (fields, resolution), 5 (JSON), 6 (CBOR); OMA LwM2M 1.1 Core sections 7.4.4 and 7.4.5.
"""

from firmware.codec import cbor
from firmware.codec.senml_types import SenmlError
from firmware.codec.senml_writer import fields_of
from firmware.rarely import borrow

__all__ = ("SenmlError", "decode_cbor", "decode_json", "each_cbor", "encode_cbor", "encode_json")

# The largest body that either side sends (contract.limits.PAYLOAD_BYTES); a whole schedule has some 250 resources.
MAX_BYTES = 4096
MAX_RECORDS = 512
# A record has at most a dozen fields; what it nests beyond a decimal fraction means nothing.
MAX_ENTRY_ITEMS = 64


def encode_cbor(records, base_time_s=None):
    """A SenML-CBOR pack (bytes) of a sequence of records.

    `base_time_s`: UTC seconds written once; record times then follow as small differences, and a record whose own time
    is None has the base time. Raises SenmlError for values and times that SenML cannot carry.
    """
    buffer = bytearray()
    cbor.encode_head(buffer, cbor.ARRAY, len(records))
    for fields in fields_of(records, base_time_s):
        cbor.encode_head(buffer, cbor.MAP, len(fields))
        for label, value in fields:
            cbor.encode_into(buffer, label)
            cbor.encode_into(buffer, value)
    return bytes(buffer)


def encode_json(records, base_time_s=None):
    """A SenML-JSON pack (bytes, UTF-8); as `encode_cbor`."""
    return borrow("firmware.codec.senml_json").encode(fields_of(records, base_time_s))


def decode_cbor(data, now_s=None, max_records=MAX_RECORDS, max_bytes=MAX_BYTES):
    """The records of a SenML-CBOR pack (bytes), in order.

    `now_s`: UTC seconds that relative times count from; without it they are None. Raises SenmlError, and nothing else.
    """
    return list(each_cbor(data, now_s, max_records, max_bytes))


def each_cbor(data, now_s=None, max_records=MAX_RECORDS, max_bytes=MAX_BYTES):
    """Yield the records of `decode_cbor` one by one, so that a lamp need not hold all of them. Raises SenmlError when
    it comes to what is wrong."""
    _check_size(data, max_bytes)
    reader = cbor.Reader(data, max_depth=5)
    reader.items_left = MAX_ENTRY_ITEMS
    try:
        length = reader.open_array()
        resolver = _resolver(now_s, max_records)
        resolver.refuse_beyond(length or 0)
        for entry in reader.items(length):
            yield resolver.resolve(entry)
            reader.items_left = MAX_ENTRY_ITEMS
        reader.end()
    except cbor.CborError as error:
        raise SenmlError("no SenML-CBOR: %s" % error) from None


def decode_json(data, now_s=None, max_records=MAX_RECORDS, max_bytes=MAX_BYTES):
    """The records of a SenML-JSON pack (bytes, UTF-8); as `decode_cbor`.

    Escaped surrogate pairs are refused: MicroPython does not join them. Peers write such characters as they are.
    """
    _check_size(data, max_bytes)
    entries = borrow("firmware.codec.senml_json").decode(data)
    resolver = _resolver(now_s, max_records)
    resolver.refuse_beyond(len(entries))
    return [resolver.resolve(entry) for entry in entries]


def _resolver(now_s, max_records):
    return borrow("firmware.codec.senml_resolver").Resolver(now_s, max_records)


def _check_size(data, max_bytes):
    if len(data) > max_bytes:
        raise SenmlError("a pack of %d bytes is longer than %d: send less at a time" % (len(data), max_bytes))
