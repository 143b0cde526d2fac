"""The TLV format of LwM2M 1.0, which older and third-party lamps still prefer.

Source: LwM2M Core 1.1, 7.4.3 and its Table 7.4.3-1. Every refusal names the place and the reason.
"""

import struct
from collections.abc import Iterator, Mapping

from backend.device_server.values import Value, ValueRefused, coerce, type_of
from contract import paths
from contract.paths import Path
from contract.senml import ObjectLink

INSTANCE, RESOURCE_INSTANCE, MULTIPLE, RESOURCE = 0, 1, 2, 3
"""Bits 7 and 6 of the type byte."""
MAX_ENTRIES = 2000


class TlvError(ValueError):
    """Not TLV that fits the path; the message names the byte and the reason."""


def decode(base: Path, data: bytes) -> list[tuple[Path, Value]]:
    """The values below `base` (the path that was read), typed by `contract.objects`; a resource that we do not know
    comes as bytes. Raises TlvError."""
    values: list[tuple[Path, Value]] = []
    for kind, number, payload in _split(data):
        if kind == INSTANCE:
            if base.resource is not None or base.instance not in (None, number):
                raise TlvError(f"an object instance does not fit {paths.format(base)}")
            instance = paths.path(base.object, number)
            for inner_kind, inner, inner_payload in _split(payload):
                values.extend(_resource(instance, inner_kind, inner, inner_payload))
        elif kind == RESOURCE_INSTANCE:
            if base.resource is None or base.resource_instance not in (None, number):
                raise TlvError(f"a resource instance does not fit {paths.format(base)}")
            values.append(_value(paths.path(base.object, base.instance, base.resource, number), payload))
        else:
            if base.instance is None or base.resource not in (None, number):
                raise TlvError(f"resource {number} does not fit {paths.format(base)}")
            values.extend(_resource(base, kind, number, payload))
    return values


def _resource(base: Path, kind: int, number: int, payload: bytes) -> Iterator[tuple[Path, Value]]:
    if kind == RESOURCE:
        yield _value(paths.path(base.object, base.instance, number), payload)
    elif kind == MULTIPLE:
        for inner_kind, inner, inner_payload in _split(payload):
            if inner_kind != RESOURCE_INSTANCE:
                raise TlvError(f"resource {number} may hold resource instances only")
            yield _value(paths.path(base.object, base.instance, number, inner), inner_payload)
    else:
        raise TlvError("an object instance may hold resources only")


def _split(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(kind, identifier, value) of each entry."""
    at = count = 0
    while at < len(data):
        count += 1
        if count > MAX_ENTRIES:
            raise TlvError(f"more than {MAX_ENTRIES} entries")
        head = data[at]
        id_size = 2 if head & 0x20 else 1
        length_size = head >> 3 & 3
        value_at = at + 1 + id_size + length_size
        if value_at > len(data):
            raise TlvError(f"the entry at byte {at} is cut off")
        number = int.from_bytes(data[at + 1 : at + 1 + id_size], "big")
        length = int.from_bytes(data[at + 1 + id_size : value_at], "big") if length_size else head & 7
        if value_at + length > len(data):
            raise TlvError(f"the entry at byte {at} says {length} bytes, {len(data) - value_at} are left")
        yield head >> 6, number, data[value_at : value_at + length]
        at = value_at + length


def _value(path: Path, payload: bytes) -> tuple[Path, Value]:
    try:
        return path, _decode_value(type_of(path.object, path.resource), payload)
    except ValueRefused as error:
        raise TlvError(f"{paths.format(path)}: {error}") from None


def _decode_value(kind: str | None, data: bytes) -> Value:
    if kind in ("Integer", "Time"):
        if len(data) not in (1, 2, 4, 8):
            raise ValueRefused(f"expected {kind} of 1, 2, 4 or 8 bytes, got {len(data)}")
        return int.from_bytes(data, "big", signed=True)
    if kind == "Float":
        if len(data) not in (4, 8):
            raise ValueRefused(f"expected Float of 4 or 8 bytes, got {len(data)}")
        return coerce(kind, struct.unpack(">f" if len(data) == 4 else ">d", data)[0])
    if kind == "Boolean":
        if data not in (b"\0", b"\1"):
            raise ValueRefused("expected Boolean, one byte of 0 or 1")
        return data == b"\1"
    if kind == "String":
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise ValueRefused("expected String in UTF-8") from None
    if kind == "Objlnk":
        if len(data) != 4:
            raise ValueRefused("expected Objlnk of 4 bytes")
        return ObjectLink(*struct.unpack(">HH", data))
    return data


def encode(path: Path, values: Mapping[int, Value | Mapping[int, Value]]) -> bytes:
    """The resources `values` ({id: value or {resource instance: value}}) of the instance at `path`, as a write to
    that instance or to one of its resources carries them. Raises ValueRefused."""
    return b"".join(_encode_resource(path.object, number, value) for number, value in values.items())


def encode_instance(path: Path, values: Mapping[int, Value | Mapping[int, Value]]) -> bytes:
    """As `encode`, wrapped in an object instance: what a Create with a chosen instance id carries."""
    return _entry(INSTANCE, path.instance, encode(path, values))


def _encode_resource(object_id: int, number: int, value: Value | Mapping[int, Value]) -> bytes:
    kind = type_of(object_id, number)
    if isinstance(value, Mapping):
        parts = (_entry(RESOURCE_INSTANCE, index, _encode_value(kind, one)) for index, one in value.items())
        return _entry(MULTIPLE, number, b"".join(parts))
    return _entry(RESOURCE, number, _encode_value(kind, value))


def _entry(kind: int, number: int, value: bytes) -> bytes:
    head = kind << 6
    size = len(value)
    length = b""
    if size < 8:
        head |= size
    else:
        length_size = 1 if size < 0x100 else 2 if size < 0x10000 else 3
        head |= length_size << 3
        length = size.to_bytes(length_size, "big")
    if number > 0xFF:
        head |= 0x20
    return bytes([head]) + number.to_bytes(2 if number > 0xFF else 1, "big") + length + value


def _encode_value(kind: str | None, value: Value) -> bytes:
    value = coerce(kind, value)
    if isinstance(value, bool):
        return b"\1" if value else b"\0"
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, int):
        size = next(size for size in (1, 2, 4, 8) if -(1 << size * 8 - 1) <= value < 1 << size * 8 - 1)
        return value.to_bytes(size, "big", signed=True)
    if isinstance(value, bytes):
        return value
    return struct.pack(">HH", *value) if isinstance(value, ObjectLink) else value.encode()
