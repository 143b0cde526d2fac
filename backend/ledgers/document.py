"""A ledger as it came: the chain and the signatures are proved before anything is taken.

A pure function of bytes. Lines are numbered from 1, the header; a line's content is looked at later, each by itself.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.kit.times import parse_utc
from backend.ledgers import sealing
from contract import ledger


class Broken(Exception):
    """The ledger is not what its station wrote; nothing of it is taken."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Header:
    """Who wrote it, and for whom."""

    station: bytes
    backend: bytes


@dataclass(frozen=True)
class Entry:
    """One sealed enrolment; `digest` names its line for ever."""

    line: int
    box: bytes
    made_at_ms: int
    digest: bytes


def read_header(data: bytes) -> Header:
    """The first line. Raises Broken."""
    fields = _fields(1, data.partition(b"\n")[0], ledger.HEADER)
    if fields[ledger.FORMAT_FIELD] != ledger.FORMAT:
        raise Broken(1, f"this is no ledger of the format {ledger.FORMAT}")
    return Header(_hex(1, fields, ledger.STATION, ledger.KEY_BYTES), _hex(1, fields, ledger.BACKEND, ledger.KEY_BYTES))


def read_entries(data: bytes, station: bytes) -> list[Entry]:
    """All further lines, each proved to follow the one before and to be signed by the station. Raises Broken."""
    lines = data.split(b"\n")
    if lines[-1] != b"":
        raise Broken(len(lines), "it does not end with a newline: the line is cut off")
    before = lines[0]
    entries = []
    for number, line in enumerate(lines[1:-1], 2):
        fields = _fields(number, line, ledger.ENTRY)
        if fields[ledger.PREVIOUS] != ledger.digest(before):
            raise Broken(number, "it does not follow from the line before: a line was changed, left out or moved")
        signature = _hex(number, fields, ledger.SIGNATURE, ledger.SIGNATURE_BYTES)
        if not sealing.is_signed(ledger.signed(fields), signature, station):
            raise Broken(number, "its signature is not that of the station")
        entries.append(_entry(number, line, fields))
        before = line
    return entries


def _entry(number: int, line: bytes, fields: Mapping[str, Any]) -> Entry:
    try:
        made_at_ms = parse_utc(fields[ledger.MADE_AT])
    except ValueError as error:
        raise Broken(number, f"{ledger.MADE_AT}: {error}") from None
    try:
        box = base64.b64decode(fields[ledger.SEALED], validate=True)
    except (ValueError, TypeError, binascii.Error):
        raise Broken(number, f"{ledger.SEALED} is not base64") from None
    return Entry(number, box, made_at_ms, bytes.fromhex(ledger.digest(line)))


def _fields(number: int, line: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    if len(line) > ledger.LINE_BYTES:
        raise Broken(number, f"it has more than {ledger.LINE_BYTES} bytes")
    try:
        fields = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise Broken(number, "it is no JSON in UTF-8") from None
    if not isinstance(fields, dict) or set(fields) != set(names):
        raise Broken(number, f"it needs exactly the fields {', '.join(names)}")
    if not all(isinstance(value, str) for value in fields.values()):
        raise Broken(number, "every field is text")
    return fields


def _hex(number: int, fields: Mapping[str, Any], name: str, length: int) -> bytes:
    try:
        value = bytes.fromhex(fields[name])
    except ValueError:
        value = b""
    if len(value) != length:
        raise Broken(number, f"{name} needs {2 * length} hexadecimal digits")
    return value
