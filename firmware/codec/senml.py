"""SenML packs, in CBOR and in JSON, to and from lists of `contract.senml.Record`.

Names are base name and name, concatenated: peers cut them in different places. Base time and base value are added.
Times are whole seconds; a time below 2^28 is relative to now and needs `now_s`. What the lamp has no use for (units,
sums, update times, unknown labels) is skipped, unless its label ends with "_", which says that skipping is wrong.
Source: RFC 8428 sections 4 (fields, resolution), 5 (JSON), 6 (CBOR); OMA LwM2M 1.1 Core sections 7.4.4 and 7.4.5.
"""

import json
from binascii import a2b_base64, b2a_base64

from contract.paths import PathError
from contract.paths import format as format_path
from contract.paths import parse as parse_path
from contract.senml import (
    ABSOLUTE_TIME_S,
    BASE_NAME,
    BASE_TIME,
    BOOLEAN,
    DATA,
    JSON_LABELS,
    NAME,
    OBJECT_LINK,
    STRING,
    TIME,
    VALUE,
    ObjectLink,
    Record,
)
from firmware.codec import cbor
from firmware.codec.text import decode_utf8, is_unicode

BASE_VALUE = -5  # RFC 8428 table 4; these two are read and never written
BASE_VERSION = -1
VERSION = 10
DECIMAL_FRACTION = 4  # RFC 8949 section 3.4.4; RFC 8428 section 6 allows it for numbers

# The largest body that either side sends (contract.limits.PAYLOAD_BYTES); a whole schedule has some 250 resources.
MAX_BYTES = 4096
MAX_RECORDS = 512
# A record has at most a dozen fields; what it nests beyond a decimal fraction means nothing.
MAX_ENTRY_ITEMS = 64
# A pack has one opening bracket; texts may hold some.
MAX_BRACKETS = 64
# 10^38 is near the end of a single-precision float.
MAX_EXPONENT = 38
# Beyond this many seconds (the year 36,000) a time is an error and not a time.
MAX_TIME_S = 1 << 40

_LABELS_OF_JSON = {name: label for label, name in JSON_LABELS.items()}
_LABELS_OF_JSON["bv"] = BASE_VALUE
_LABELS_OF_JSON["bver"] = BASE_VERSION
_VALUES = (VALUE, STRING, BOOLEAN, DATA, OBJECT_LINK)
_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class SenmlError(ValueError):
    """Bytes that are no SenML pack, or a record that SenML cannot carry; the text says which record and why."""


def encode_cbor(records, base_time_s=None):
    """A SenML-CBOR pack (bytes) of a sequence of records.

    `base_time_s`: UTC seconds written once; record times then follow as small differences, and a record whose own time
    is None has the base time. Raises SenmlError for values and times that SenML cannot carry.
    """
    buffer = bytearray()
    cbor.encode_head(buffer, cbor.ARRAY, len(records))
    for fields in _fields(records, base_time_s):
        cbor.encode_head(buffer, cbor.MAP, len(fields))
        for label, value in fields:
            cbor.encode_into(buffer, label)
            cbor.encode_into(buffer, value)
    return bytes(buffer)


def encode_json(records, base_time_s=None):
    """A SenML-JSON pack (bytes, UTF-8); as `encode_cbor`."""
    packs = []
    for fields in _fields(records, base_time_s):
        members = ['"%s":%s' % (JSON_LABELS[label], _json_value(value)) for label, value in fields]
        packs.append("{" + ",".join(members) + "}")
    return ("[" + ",".join(packs) + "]").encode()


def decode_cbor(data, now_s=None, max_records=MAX_RECORDS, max_bytes=MAX_BYTES):
    """The records of a SenML-CBOR pack (bytes), in order.

    `now_s`: UTC seconds that relative times count from; without it they are None. Raises SenmlError, and nothing else.
    """
    _check_size(data, max_bytes)
    reader = cbor.Reader(data, max_depth=5)
    reader.items_left = MAX_ENTRY_ITEMS
    resolver = _Resolver(now_s, max_records)
    try:
        for entry in reader.items():
            resolver.add(entry)
            reader.items_left = MAX_ENTRY_ITEMS
        reader.end()
    except cbor.CborError as error:
        raise SenmlError("no SenML-CBOR: %s" % error) from None
    return resolver.records


def decode_json(data, now_s=None, max_records=MAX_RECORDS, max_bytes=MAX_BYTES):
    """The records of a SenML-JSON pack (bytes, UTF-8); as `decode_cbor`.

    Escaped surrogate pairs are refused: MicroPython does not join them. Peers write such characters as they are.
    """
    _check_size(data, max_bytes)
    # Nesting costs memory (and on CPython stack) before anybody sees that a pack has no use for it.
    if data.count(b"[") > MAX_BRACKETS:
        raise SenmlError("no SenML-JSON: more than %d opening brackets" % MAX_BRACKETS)
    try:
        entries = json.loads(decode_utf8(data))
    except (ValueError, RuntimeError) as error:  # RecursionError of CPython is a RuntimeError
        raise SenmlError("no SenML-JSON: %s" % error) from None
    if not isinstance(entries, list):
        raise SenmlError("no SenML-JSON: an array is expected")
    resolver = _Resolver(now_s, max_records)
    for entry in entries:
        resolver.add(_from_json(entry))
    return resolver.records


def _fields(records, base_time_s):
    """Yield the (label, value) pairs of each record; a base name covers the records of one object instance in a row."""
    if base_time_s is not None and base_time_s < ABSOLUTE_TIME_S:
        raise SenmlError("base time %d would be read as relative: set the clock first" % base_time_s)
    base = ""
    first = True
    for record in records:
        fields = []
        path = record.path
        name = format_path(path)
        if path.resource is None:
            # An object, an instance or the root: the base name of the records before must not come before it.
            if base:
                base = name
                fields.append((BASE_NAME, base))
            else:
                fields.append((NAME, name))
        else:
            parent = "/%d/%d/" % (path.object, path.instance)
            if parent != base:
                base = parent
                fields.append((BASE_NAME, base))
            fields.append((NAME, name[len(parent) :]))
        if first and base_time_s is not None:
            fields.append((BASE_TIME, base_time_s))
        first = False
        if record.value is not None:
            fields.append(_value_field(record.value, name))
        if record.time_s is not None:
            if record.time_s < ABSOLUTE_TIME_S:
                raise SenmlError("%s: time %d would be read as relative: set the clock first" % (name, record.time_s))
            if record.time_s != base_time_s:
                fields.append((TIME, record.time_s - (base_time_s or 0)))
        yield fields


def _value_field(value, name):
    """The label and value for a resource's value."""
    if isinstance(value, bool):
        return BOOLEAN, value
    if isinstance(value, (int, float)):
        if not _is_number(value):
            raise SenmlError("%s: %s is not a number SenML can carry" % (name, value))
        return VALUE, value
    if isinstance(value, str):
        if not is_unicode(value):
            raise SenmlError("%s: the text holds a surrogate: replace it" % name)
        return STRING, value
    if isinstance(value, (bytes, bytearray)):
        return DATA, bytes(value)
    if isinstance(value, ObjectLink):
        return OBJECT_LINK, "%d:%d" % (value.object, value.instance)
    raise SenmlError("%s: a value of type %s has no SenML form" % (name, type(value).__name__))


def _is_number(value):
    """Whether an int fits LwM2M's 64 bits (of either sign), a float is finite."""
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 64
    return value - value == 0


def _json_value(value):
    """The JSON text of a field's value. Written here: the two `json` modules escape differently."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, bytes):
        text = b2a_base64(value).decode().rstrip("=\n")
        return '"%s"' % text.replace("+", "-").replace("/", "_")
    pieces = []
    for character in value:
        if character in '"\\':
            pieces.append("\\")
        if ord(character) < 0x20:
            character = "\\u%04x" % ord(character)
        pieces.append(character)
    return '"%s"' % "".join(pieces)


def _from_json(entry):
    """A JSON object with the labels and values that CBOR would have."""
    if not isinstance(entry, dict):
        return entry
    fields = {}
    for name, value in entry.items():
        if not is_unicode(name) or (isinstance(value, str) and not is_unicode(value)):
            raise SenmlError("no SenML-JSON: a text holds a surrogate")
        label = _LABELS_OF_JSON.get(name, name)
        fields[label] = _decode_base64url(value) if label == DATA and isinstance(value, str) else value
    return fields


def _decode_base64url(text):
    text = text.rstrip("=")
    for character in text:
        if character not in _BASE64URL:
            raise SenmlError("no SenML-JSON: data is not in base64url")
    if len(text) % 4 == 1:
        raise SenmlError("no SenML-JSON: data is cut short")
    return a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _check_size(data, max_bytes):
    if len(data) > max_bytes:
        raise SenmlError("a pack of %d bytes is longer than %d: send less at a time" % (len(data), max_bytes))


class _Resolver:
    """Turns the entries of a pack, one after the other, into records (RFC 8428 section 4.6)."""

    def __init__(self, now_s, max_records):
        self.records = []
        self.now_s = now_s
        self.max_records = max_records
        self.base_name = ""
        self.base_time = None
        self.base_value = 0

    def add(self, entry):
        """Resolve one entry, a map by CBOR's labels. Raises SenmlError."""
        if len(self.records) == self.max_records:
            raise SenmlError("a pack has more than %d records: send less at a time" % self.max_records)
        if not isinstance(entry, dict):
            raise self.error("it is not a map")
        for label in entry:
            if isinstance(label, str) and label.endswith("_"):
                raise self.error("field '%s' must be understood and is not" % label[:20])
        if BASE_NAME in entry:
            self.base_name = self.text(entry, BASE_NAME)
        if BASE_TIME in entry:
            self.base_time = self.seconds(entry, BASE_TIME)
        if BASE_VALUE in entry:
            self.base_value = self.number(entry[BASE_VALUE])
        if not 0 < self.whole(entry.get(BASE_VERSION, VERSION)) <= VERSION:
            raise self.error("a version above %d is not understood" % VERSION)
        name = self.base_name + (self.text(entry, NAME) if NAME in entry else "")
        if not name:
            raise self.error("it has no name")
        try:
            path = parse_path(name)
        except PathError as error:
            raise self.error(str(error)) from None
        self.records.append(Record(path, self.time(entry), self.value(entry)))

    def error(self, reason):
        return SenmlError("record %d: %s" % (len(self.records), reason))

    def text(self, entry, label):
        value = entry[label]
        if not isinstance(value, str):
            raise self.error("a name is not a text")
        return value

    def whole(self, value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error("the version is not an integer")
        return value

    def number(self, value):
        """An int or a finite float; CBOR's decimal fractions become one of them."""
        if isinstance(value, cbor.Tag) and value.number == DECIMAL_FRACTION:
            value = self.decimal(value.value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_number(value):
            raise self.error("a number is expected, finite and within 64 bits")
        return value

    def decimal(self, parts):
        if not isinstance(parts, list) or len(parts) != 2:
            raise self.error("a decimal fraction has an exponent and a mantissa")
        exponent, mantissa = self.number(parts[0]), self.number(parts[1])
        if isinstance(exponent, float) or isinstance(mantissa, float) or not -MAX_EXPONENT <= exponent <= MAX_EXPONENT:
            raise self.error("a decimal fraction has integers, and an exponent within %d" % MAX_EXPONENT)
        return mantissa * 10**exponent if exponent >= 0 else mantissa / 10**-exponent

    def seconds(self, entry, label):
        """A time as an int. Floats of single precision are too coarse for seconds since 1970: peers send integers."""
        value = self.number(entry[label])
        if not -MAX_TIME_S < value < MAX_TIME_S:
            raise self.error("a time is out of range")
        return int(value)

    def time(self, entry):
        """UTC seconds, or None for a record without a time or with one relative to a clock we do not have."""
        if self.base_time is None and TIME not in entry:
            return None
        time_s = (self.base_time or 0) + (self.seconds(entry, TIME) if TIME in entry else 0)
        if time_s >= ABSOLUTE_TIME_S:
            return time_s
        return None if self.now_s is None else self.now_s + time_s

    def value(self, entry):
        labels = [label for label in _VALUES if label in entry]
        if not labels:
            return None
        if len(labels) > 1:
            raise self.error("it has more than one value")
        label = labels[0]
        value = entry[label]
        if value is None:
            return None
        if label == VALUE:
            return self.number(self.number(value) + self.base_value)
        if label == OBJECT_LINK:
            return self.link(value)
        if not isinstance(value, {STRING: str, BOOLEAN: bool, DATA: bytes}[label]):
            raise self.error("the value does not have the type of its label")
        return value

    def link(self, value):
        """ "3410:0" as an ObjectLink; 65535:65535 links to nothing."""
        parts = value.split(":") if isinstance(value, str) else ()
        if len(parts) != 2 or not all(_is_id(part) for part in parts):
            raise self.error("an object link is object:instance, such as 3410:0")
        return ObjectLink(int(parts[0]), int(parts[1]))


def _is_id(text):
    return 0 < len(text) <= 5 and all(c in "0123456789" for c in text) and int(text) <= 0xFFFF
