"""Whether a value may be what a resource holds: type and range.

Source: OMA-TS-LightweightM2M_Core-V1_1 appendix C (data types); ranges: the OMA registry, in `contract.objects`.
"""

from contract import limits
from contract.paths import LAST_ID
from contract.senml import ObjectLink
from firmware.lwm2m.errors import BadRequest

INTEGER_LOW = -(1 << 63)
INTEGER_HIGH = (1 << 63) - 1


def check(resource, value):
    """Return `value` as the lamp keeps it (an int for a Float becomes a float). `resource` is a contract Resource.

    Raises BadRequest that says what was wrong and what would be right.
    """
    return _CHECKS[resource.type](resource, value)


def is_number(value):
    """Whether `value` is an int or a float (True and False are not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_finite(value):
    """Whether a float is neither NaN nor infinite."""
    return value - value == 0


def _integer(resource, value):
    if not is_number(value) or isinstance(value, float):
        raise BadRequest("needs a whole number, not %s" % _describe(value))
    if not INTEGER_LOW <= value <= INTEGER_HIGH:
        raise BadRequest("needs a whole number of at most 64 bits")
    return _in_range(resource, value)


def _float(resource, value):
    if not is_number(value):
        raise BadRequest("needs a number, not %s" % _describe(value))
    value = float(value)
    if not is_finite(value):
        raise BadRequest("needs a finite number")
    return _in_range(resource, value)


def _string(resource, value):
    if not isinstance(value, str):
        raise BadRequest("needs a text, not %s" % _describe(value))
    return _of_length(resource, value, len(value.encode()))


def _boolean(resource, value):
    if not isinstance(value, bool):
        raise BadRequest("needs true or false, not %s" % _describe(value))
    return value


def _opaque(resource, value):
    if not isinstance(value, (bytes, bytearray)):
        raise BadRequest("needs bytes, not %s" % _describe(value))
    return _of_length(resource, bytes(value), len(value))


def _object_link(resource, value):
    if not isinstance(value, tuple) or len(value) != 2:
        raise BadRequest("needs an object link such as 3410:0, not %s" % _describe(value))
    for part in value:
        if not isinstance(part, int) or isinstance(part, bool) or not 0 <= part <= LAST_ID + 1:
            raise BadRequest("needs an object link of two numbers from 0 to 65535")
    return ObjectLink(value[0], value[1])


def _executable(resource, value):
    raise BadRequest("has no value: execute it with POST")


def _in_range(resource, value):
    if not _within(resource, value):
        raise BadRequest("is %s, must be in %s" % (value, _range(resource)))
    return value


def _of_length(resource, value, length):
    if length > limits.STRING_BYTES:
        raise BadRequest("has %d bytes, the lamp takes at most %d" % (length, limits.STRING_BYTES))
    if not _within(resource, length):
        raise BadRequest("has length %d, must be in %s" % (length, _range(resource)))
    return value


def _within(resource, number):
    low, high = resource.minimum, resource.maximum
    return (low is None or low <= number) and (high is None or number <= high)


def _range(resource):
    low = "" if resource.minimum is None else resource.minimum
    return "%s..%s" % (low, "" if resource.maximum is None else resource.maximum)


def _describe(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "the text '%s'" % value[:24]
    if isinstance(value, (bytes, bytearray)):
        return "%d bytes" % len(value)
    return "nothing" if value is None else "%s" % (value,)


_CHECKS = {
    "Integer": _integer,
    "Float": _float,
    "String": _string,
    "Boolean": _boolean,
    "Time": _integer,
    "Opaque": _opaque,
    "Objlnk": _object_link,
    "": _executable,
}
