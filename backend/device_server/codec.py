"""Content formats: which codec reads a payload, and which one a lamp wants to be written in.

Source: LwM2M Core 1.1, section 7.4. Formats 110 and 112 carry names and times; TLV, text and opaque need the path
that was asked.
"""

from collections.abc import Mapping, Sequence

from backend.device_server import senml, tlv
from backend.device_server.errors import BAD_REQUEST, UNSUPPORTED_FORMAT, Refusal
from backend.device_server.values import Value, ValueRefused, coerce, parse_text, type_at
from contract import paths
from contract.paths import Path
from contract.senml import OPAQUE, SENML_CBOR, SENML_JSON, TEXT, TLV, Record

READABLE = (SENML_CBOR, SENML_JSON, TLV, TEXT, OPAQUE)
COMPOSITE = (SENML_CBOR, SENML_JSON)


def decode(content_format: int | None, payload: bytes, base: Path | None, now_s: int) -> list[Record]:
    """The records of `payload`. `base` is the path that was read; None (a Send, a composite read) allows SenML only.
    A missing content format is text (LwM2M 1.0, 8.2.5). Raises Refusal 4.00 or 4.15."""
    try:
        if content_format == SENML_CBOR:
            return senml.decode_cbor(payload, now_s)
        if content_format == SENML_JSON:
            return senml.decode_json(payload, now_s)
        if base is not None:
            if content_format == TLV:
                return [Record(path, None, value) for path, value in tlv.decode(base, payload)]
            if content_format in (None, TEXT):
                return [Record(base, None, _text(base, payload))]
            if content_format == OPAQUE:
                return [Record(base, None, coerce(type_at(base), payload))]
    except (senml.SenmlError, tlv.TlvError, ValueRefused) as error:
        raise Refusal(BAD_REQUEST, str(error)) from None
    raise Refusal(UNSUPPORTED_FORMAT, f"content format {content_format}: send {SENML_CBOR} or {SENML_JSON}")


def _text(base: Path, payload: bytes) -> Value:
    if base.resource is None:
        raise ValueRefused(f"text cannot carry {paths.format(base)}, which is not one resource")
    try:
        return parse_text(type_at(base), payload.decode())
    except UnicodeDecodeError:
        raise ValueRefused("text must be UTF-8") from None


def choose(formats: Sequence[int], version: str) -> int:
    """The format in which to write to a lamp that announced `formats`: the smallest one that it knows. Without an
    announcement 1.1 means SenML-CBOR, which it must support (LwM2M Core 1.1, 7.4.5), and 1.0 means TLV."""
    for wanted in (SENML_CBOR, SENML_JSON, TLV):
        if wanted in formats:
            return wanted
    return TLV if version == "1.0" else SENML_CBOR


Written = Value | Mapping[int, Value]
"""A value, or {resource instance: value} of a multiple resource."""


def encode(content_format: int, values: Sequence[tuple[Path, Value | None]]) -> bytes:
    """`values` as one body; with TLV all must be in one object instance. None, in SenML only, removes what its path
    names (RFC 8790, 3.2). Raises ValueRefused."""
    checked = [(path, None if value is None else coerce(type_at(path), value)) for path, value in values]
    if content_format == SENML_CBOR:
        return senml.encode_cbor(checked)
    if content_format == SENML_JSON:
        return senml.encode_json(checked)
    given = [(path, value) for path, value in checked if value is not None]
    if len(given) < len(checked):
        raise ValueRefused("TLV cannot remove anything: write to a lamp that takes SenML")
    return tlv.encode(paths.path(*given[0][0][:2]), _nested(given))


def encode_instance(content_format: int, instance: Path, values: Sequence[tuple[Path, Value | None]]) -> bytes:
    """The body of a Create that chooses the instance: TLV wraps it, SenML's names say it anyway. Raises
    ValueRefused."""
    if content_format != TLV:
        return encode(content_format, values)
    given = [(path, coerce(type_at(path), value)) for path, value in values if value is not None]
    return tlv.encode_instance(instance, _nested(given))


def flatten(path: Path, value: Written | Mapping[int, Written] | None) -> list[tuple[Path, Value | None]]:
    """`value` at `path` as single values: of an instance {resource: ...}, of a resource {resource instance: ...}."""
    if value is None:
        return [(path, None)]
    if not isinstance(value, Mapping):
        if path.resource is None:
            raise ValueRefused(f"{paths.format(path)} is not one resource: give a mapping of its values")
        return [(path, value)]
    return [pair for number, inner in value.items() for pair in flatten(_below(path, number), inner)]


def _below(path: Path, number: int) -> Path:
    present = [part for part in path if part is not None]
    if not 2 <= len(present) <= 3:
        raise ValueRefused(f"{paths.format(path)} takes no mapping of values")
    return path._replace(resource=number) if len(present) == 2 else path._replace(resource_instance=number)


def _nested(values: Sequence[tuple[Path, Value]]) -> dict[int, Value | dict[int, Value]]:
    nested: dict[int, Value | dict[int, Value]] = {}
    for path, value in values:
        if path.resource_instance is None:
            nested[path.resource] = value
        else:
            instances = nested.setdefault(path.resource, {})
            if not isinstance(instances, dict):
                raise ValueRefused(f"{paths.format(path)}: the resource is written twice")
            instances[path.resource_instance] = value
    return nested
