"""SenML packs, as CBOR and as JSON: one table of records behind two spellings.

Source: RFC 8428 (sections 4, 5 and 6) and LwM2M Core 1.1, 7.4.4 and 7.4.5. This codec is the backend's own: the lamp
has another, so that one mistake cannot cancel itself out. Written on `cbor2` and `orjson`; every refusal names the
record and the reason.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import cbor2
import orjson

from backend.device_server.values import Value, ValueRefused, coerce, format_link, type_at
from contract import paths, senml
from contract.paths import Path
from contract.senml import ObjectLink, Record

MAX_RECORDS = 2000
"""A dawn summary has about 60; a pack with more than this is a mistake or an attack."""

_BASE_VERSION, _BASE_VALUE = -1, -5
_CBOR_LABELS: dict[object, object] = {name: label for label, name in senml.JSON_LABELS.items()}
_CBOR_LABELS |= {"bver": _BASE_VERSION, "bv": _BASE_VALUE}
_VALUES = (senml.VALUE, senml.STRING, senml.BOOLEAN, senml.DATA, senml.OBJECT_LINK)


class SenmlError(ValueError):
    """Not a SenML pack that LwM2M can use; the message names the record and the reason."""


def decode_cbor(payload: bytes, now_s: int) -> list[Record]:
    """The records of a SenML-CBOR pack, typed; times are absolute, None where none was given. Raises SenmlError."""
    try:
        pack = cbor2.loads(payload, max_depth=4, allow_duplicate_keys=False)
    except Exception as error:  # cbor2's tag decoders raise whatever re, datetime or ipaddress raise
        raise SenmlError(f"CBOR: {error}") from None
    return _records(pack, now_s)


def decode_json(payload: bytes, now_s: int) -> list[Record]:
    """As `decode_cbor`, from SenML-JSON."""
    try:
        pack = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise SenmlError(f"JSON: {error}") from None
    if isinstance(pack, list):
        pack = [_from_json(entry) if isinstance(entry, dict) else entry for entry in pack]
    return _records(pack, now_s)


def _from_json(entry: Mapping[str, Any]) -> dict[object, Any]:
    renamed = {_CBOR_LABELS.get(label, label): value for label, value in entry.items()}
    data = renamed.get(senml.DATA)
    if isinstance(data, str):
        try:
            renamed[senml.DATA] = base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            raise SenmlError("vd is not base64url") from None
    return renamed


def _records(pack: object, now_s: int) -> list[Record]:
    if not isinstance(pack, list):
        raise SenmlError("a pack is an array of records")
    if len(pack) > MAX_RECORDS:
        raise SenmlError(f"more than {MAX_RECORDS} records")
    records: list[Record] = []
    base_name, base_time, base_value = "", 0, 0
    for index, entry in enumerate(pack):
        try:
            if not isinstance(entry, dict):
                raise SenmlError("not a map")
            base_name = entry.get(senml.BASE_NAME, base_name)
            base_time = _number(entry, senml.BASE_TIME, base_time)
            base_value = _number(entry, _BASE_VALUE, base_value)
            records.append(_record(entry, base_name, base_time, base_value, now_s))
        except (SenmlError, ValueRefused) as error:
            raise SenmlError(f"record {index}: {error}") from None
    return records


def _record(entry: Mapping[object, Any], base_name: object, base_time: Any, base_value: Any, now_s: int) -> Record:
    for label in entry:
        if isinstance(label, str) and label.endswith("_"):
            raise SenmlError(f"label {label} must be understood, and is not")
    if entry.get(_BASE_VERSION, 10) != 10:
        raise SenmlError("the base version must be 10")
    name = entry.get(senml.NAME, "")
    if not isinstance(base_name, str) or not isinstance(name, str):
        raise SenmlError("a name is text")
    path = _path(base_name + name)
    present = [label for label in _VALUES if label in entry]
    if len(present) != 1:
        raise SenmlError(f"{paths.format(path)}: one value is needed, {len(present)} are given")
    value = entry[present[0]]
    if present[0] == senml.VALUE:
        value = _number(entry, senml.VALUE, 0) + base_value
    elif type(value) is not _EXPECTED[present[0]]:
        raise SenmlError(f"{paths.format(path)}: the value has the wrong CBOR type")
    time_s = base_time + _number(entry, senml.TIME, 0)
    if time_s == 0 and not _has_time(entry, base_time):
        time_s = None
    elif time_s < senml.ABSOLUTE_TIME_S:
        time_s += now_s
    try:
        return Record(path, None if time_s is None else int(time_s), coerce(type_at(path), value))
    except ValueRefused as error:
        raise SenmlError(f"{paths.format(path)}: {error}") from None


_EXPECTED: dict[object, type] = {
    senml.STRING: str,
    senml.BOOLEAN: bool,
    senml.DATA: bytes,
    senml.OBJECT_LINK: str,
}


def _number(entry: Mapping[object, Any], label: object, default: Any) -> Any:
    value = entry.get(label, default)
    kind = type(value)
    if kind is int or kind is float:
        return coerce(None, value)
    if kind is Decimal and value.is_finite() and abs(value.adjusted()) < 300:
        return float(value)  # RFC 8428, 6: numbers may be decimal fractions
    raise SenmlError("a time or a number has the wrong type")


def _has_time(entry: Mapping[object, Any], base_time: Any) -> bool:
    return bool(base_time) or senml.TIME in entry


def _path(name: str) -> Path:
    try:
        path: Path = paths.parse(name)
    except paths.PathError as error:
        raise SenmlError(str(error)) from None
    if path.resource is None:
        raise SenmlError(f"the name {name!r} is not one resource")
    return path


def encode_cbor(values: Sequence[tuple[Path, Value | None]]) -> bytes:
    """A pack that writes `values`; paths of resources or resource instances. None removes what its path names."""
    return cbor2.dumps(list(_entries(values)))


def encode_json(values: Sequence[tuple[Path, Value | None]]) -> bytes:
    """As `encode_cbor`, as SenML-JSON."""
    pack = []
    for entry in _entries(values):
        if isinstance(entry.get(senml.DATA), bytes):
            entry[senml.DATA] = base64.urlsafe_b64encode(entry[senml.DATA]).decode().rstrip("=")
        pack.append({senml.JSON_LABELS[label]: value for label, value in entry.items()})
    return orjson.dumps(pack)


def encode_names_cbor(wanted: Iterable[Path]) -> bytes:
    """The body of a Read-Composite: names without values (LwM2M Core 1.1, 6.3.8)."""
    return cbor2.dumps([{senml.NAME: paths.format(path)} for path in wanted])


def encode_names_json(wanted: Iterable[Path]) -> bytes:
    """As `encode_names_cbor`, as SenML-JSON."""
    return orjson.dumps([{"n": paths.format(path)} for path in wanted])


def _entries(values: Sequence[tuple[Path, Value | None]]) -> Iterable[dict[Any, Any]]:
    """A base name for each run of records of one instance: a third off the size of an override or a schedule."""
    base = ""
    for path, value in values:
        is_inside = path.resource is not None and len(values) > 1
        instance = f"{paths.format(paths.path(path.object, path.instance))}/" if is_inside else ""
        entry: dict[Any, Any] = {}
        if instance != base:
            base = entry[senml.BASE_NAME] = instance
        entry[senml.NAME] = paths.format(path).removeprefix(base)
        label, plain = (senml.VALUE, None) if value is None else _labelled(value)
        entry[label] = plain
        yield entry


def _labelled(value: Value) -> tuple[object, object]:
    if isinstance(value, bool):
        return senml.BOOLEAN, value
    if isinstance(value, str):
        return senml.STRING, value
    if isinstance(value, bytes):
        return senml.DATA, value
    if isinstance(value, ObjectLink):
        return senml.OBJECT_LINK, format_link(value)
    return senml.VALUE, value
