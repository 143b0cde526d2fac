"""Records to the fields of SenML entries. Source: RFC 8428 section 4; OMA LwM2M 1.1 Core section 7.4.4."""

from contract.paths import format as format_path
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
)
from firmware.codec.senml_types import SenmlError, is_number
from firmware.codec.text import is_unicode


def fields_of(records, base_time_s):
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
        if not is_number(value):
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
