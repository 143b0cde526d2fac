"""The data types of LwM2M resources: what a value must be in Python, and its text form.

Source: LwM2M Core 1.1, Appendix C (data types) and 7.4.1 (plain text). The type of a resource comes from
`contract.objects`; one that we do not know keeps the type in which it arrived.
"""

import base64
import binascii
import math
from functools import lru_cache

from contract import objects
from contract.paths import Path
from contract.senml import ObjectLink

Value = bool | int | float | str | bytes | ObjectLink

INTEGERS = range(-(2**63), 2**63)


class ValueRefused(ValueError):
    """A value that does not fit its resource; the message gives the reason."""


@lru_cache(maxsize=4096)
def type_of(object_id: int, resource_id: int) -> str | None:
    """The registry's word for the type of a resource ("Integer"...), or None for a resource that we do not know."""
    resource = objects.find(object_id, resource_id)
    return None if resource is None else str(resource.type)


def type_at(path: Path) -> str | None:
    """As `type_of`, for a path of any length."""
    return None if path.resource is None else type_of(path.object, path.resource)


def coerce(kind: str | None, value: object) -> Value:
    """`value` as a resource of type `kind` holds it. 3.0 is an Integer and 3 a Float; nothing else changes its type.
    Raises ValueRefused."""
    if isinstance(value, bool):
        if kind in (None, "Boolean"):
            return value
    elif isinstance(value, int | float):
        return _number(kind, value)
    elif isinstance(value, str):
        if kind in (None, "String"):
            return value
        if kind == "Objlnk":
            return parse_link(value)
    elif isinstance(value, ObjectLink):
        if kind in (None, "Objlnk"):
            return value
    elif isinstance(value, bytes) and kind in (None, "Opaque"):
        return value
    raise ValueRefused(f"expected {kind or 'a value'}, got {_name(value)}")


def _number(kind: str | None, value: int | float) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueRefused("a number must be finite")
    if isinstance(value, int) and value not in INTEGERS:
        raise ValueRefused("an integer must fit 64 bits")
    if kind is None:
        return value
    if kind == "Float":
        return float(value)
    if kind in ("Integer", "Time"):
        if isinstance(value, float) and not value.is_integer():
            raise ValueRefused(f"expected {kind}, got a fraction")
        if int(value) not in INTEGERS:
            raise ValueRefused("an integer must fit 64 bits")
        return int(value)
    raise ValueRefused(f"expected {kind or 'an executable'}, got a number")


def _name(value: object) -> str:
    return {bool: "a boolean", str: "text", bytes: "bytes"}.get(type(value), f"a {type(value).__name__}")


def parse_text(kind: str | None, text: str) -> Value:
    """A value in the plain text form. Raises ValueRefused."""
    try:
        if kind in ("Integer", "Time"):
            return coerce(kind, int(text))
        if kind == "Float":
            return coerce(kind, float(text))
        if kind == "Opaque":
            return base64.b64decode(text, validate=True)
        if kind == "Objlnk":
            return parse_link(text)
    except binascii.Error:
        raise ValueRefused("expected base64") from None
    except ValueRefused:
        raise
    except ValueError:
        raise ValueRefused(f"expected {kind}") from None
    if kind == "Boolean":
        if text not in ("0", "1"):
            raise ValueRefused("expected 0 or 1")
        return text == "1"
    return text


def format_text(value: Value) -> str:
    """The plain text form of a value."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, ObjectLink):
        return format_link(value)
    return str(value)


def format_link(link: ObjectLink) -> str:
    return f"{link.object}:{link.instance}"


def parse_link(text: str) -> ObjectLink:
    """An object link "3416:0" as its two numbers. Raises ValueRefused."""
    left, _, right = text.partition(":")
    if not (left.isascii() and left.isdigit() and right.isascii() and right.isdigit()):
        raise ValueRefused("an object link is two numbers with a colon")
    if len(left) > 5 or len(right) > 5 or max(int(left), int(right)) > 0xFFFF:
        raise ValueRefused("an object link has numbers up to 65535")
    return ObjectLink(int(left), int(right))
