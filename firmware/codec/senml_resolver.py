"""Entries of a SenML pack to records. Source: RFC 8428 sections 4.1 to 4.6."""

from contract.paths import PathError
from contract.paths import parse as parse_path
from contract.senml import (
    ABSOLUTE_TIME_S,
    BASE_NAME,
    BASE_TIME,
    BOOLEAN,
    DATA,
    NAME,
    OBJECT_LINK,
    STRING,
    TIME,
    VALUE,
    ObjectLink,
    Record,
)
from firmware.codec.cbor_types import Tag
from firmware.codec.senml_types import SenmlError, is_number

BASE_VALUE = -5  # RFC 8428 table 4; these two are read and never written
BASE_VERSION = -1
VERSION = 10
DECIMAL_FRACTION = 4  # RFC 8949 section 3.4.4; RFC 8428 section 6 allows it for numbers

# 10^38 is near the end of a single-precision float.
MAX_EXPONENT = 38
# Beyond this many seconds (the year 36,000) a time is an error and not a time.
MAX_TIME_S = 1 << 40

_KINDS = {VALUE: float, STRING: str, BOOLEAN: bool, DATA: bytes, OBJECT_LINK: str}


class Resolver:
    """Turns the entries of a pack, one after the other, into records (RFC 8428 section 4.6); `done` counts them."""

    def __init__(self, now_s, max_records):
        self.max_records = max_records
        self.done = 0
        self.now_s = now_s
        self.base_name = ""
        self.base_time = None
        self.base_value = 0

    def resolve(self, entry):
        """The record of one entry, a map by CBOR's labels. Raises SenmlError."""
        self.refuse_beyond(self.done + 1)
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
        record = Record(path, self.time(entry), self.value(entry))
        self.done += 1
        return record

    def refuse_beyond(self, count):
        if count > self.max_records:
            raise SenmlError("a pack has more than %d records: send less at a time" % self.max_records)

    def error(self, reason):
        return SenmlError("record %d: %s" % (self.done, reason))

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
        if isinstance(value, Tag) and value.number == DECIMAL_FRACTION:
            value = self.decimal(value.value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not is_number(value):
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
        label = kind = None
        for candidate in _KINDS:
            if candidate in entry:
                if label is not None:
                    raise self.error("it has more than one value")
                label, kind = candidate, _KINDS[candidate]
        value = entry.get(label)
        if value is None:
            return None
        if label == VALUE:
            value = self.number(value)
            return self.number(value + self.base_value) if self.base_value else value
        if label == OBJECT_LINK:
            return self.link(value)
        if not isinstance(value, kind):
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
