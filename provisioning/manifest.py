"""The manifest of a batch: a CSV file with one lamp a row, checked whole before any board is touched.

Columns are the fields of `plate.FIELDS`, in any order; the first row names them. UTF-8 with or without a byte order
mark, or UTF-16 with one, as spreadsheets save; separated by commas, semicolons or tabs.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning.errors import Refusals, of_file
from provisioning.plate import FIELDS, REQUIRED, Plate, check

BIGGEST_BYTES = 32 * 1024 * 1024
MOST_ROWS = 100_000
_UNIQUE = ("asset_id", "serial", "mac")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Row:
    """One lamp, and the line of the file that it begins on."""

    line: int
    plate: Plate


@dataclass(frozen=True)
class Manifest:
    """All rows, in order; `sha256` of the file's bytes names it in the journal."""

    rows: tuple[Row, ...]
    sha256: str


def load(path: Path) -> Manifest:
    """The manifest in a file; raises Failure, or `Refusals` with every error and its line."""
    try:
        if path.stat().st_size > BIGGEST_BYTES:
            raise Refusals("manifest_invalid", [(1, f"the file is over {BIGGEST_BYTES // 1024 // 1024} MB")])
        data = path.read_bytes()
    except OSError as error:
        raise of_file(error, path) from None
    return parse(data)


def parse(data: bytes) -> Manifest:
    """The manifest in the bytes of a file; raises `Refusals` with every error and its line."""
    lines = _rows(_text(data))
    try:
        first_line, names = next(lines)
    except StopIteration:
        raise Refusals("manifest_invalid", [(1, "the file is empty")]) from None
    names = [name.strip().lower() for name in names]
    _check_names(first_line, names)
    rows: list[Row] = []
    errors: list[tuple[int, str]] = []
    seen: Mapping[str, dict[str, int]] = {name: {} for name in _UNIQUE}
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            errors.append((line, f"has {len(cells)} cells and the first row {len(names)}; check quotes and separators"))
            continue
        plate, reasons = check(dict(zip(names, cells, strict=True)))
        errors += [(line, reason) for reason in reasons]
        if plate is not None:
            errors += _twice(seen, line, plate)
            rows.append(Row(line, plate))
    if not rows and not errors:
        errors.append((first_line, "there is no lamp below the first row"))
    if len(rows) > MOST_ROWS:
        errors.append((rows[MOST_ROWS].line, f"over {MOST_ROWS:,} rows; split the file"))
    if errors:
        raise Refusals("manifest_invalid", sorted(errors))
    return Manifest(tuple(rows), hashlib.sha256(data).hexdigest())


def _twice(seen: Mapping[str, dict[str, int]], line: int, plate: Plate) -> list[tuple[int, str]]:
    errors = []
    for name in _UNIQUE:
        # Two assets that differ only in case are one on the label of somebody who reads it aloud.
        value = str(getattr(plate, name)).casefold()
        if value:
            before = seen[name].setdefault(value, line)
            if before != line:
                errors.append((line, f"{name}: is the same as in line {before}"))
    return errors


def _text(data: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        reason = "is not UTF-8: save the file as 'CSV UTF-8'; letters of another encoding would come out wrong"
        raise Refusals("manifest_invalid", [(line, reason)]) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise Refusals(
            "manifest_invalid", [(line, "holds a NUL character: it is no CSV file, or UTF-16 without its mark")]
        )
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number of the first character, and cells, of each record."""
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refusals("manifest_invalid", [(line, f"is not CSV: {error}")]) from None
        if cells:
            yield line, cells


def _check_names(line: int, names: list[str]) -> None:
    errors = [
        (line, f"there is no column {name!r}; there are {', '.join(FIELDS)}") for name in names if name not in FIELDS
    ]
    errors += [(line, f"the column {name} is missing") for name in REQUIRED if name not in names]
    errors += [(line, f"the column {name} is there twice") for name in sorted(set(names)) if names.count(name) > 1]
    if errors:
        raise Refusals("manifest_invalid", errors)


def check_serials(rows: tuple[Row, ...], used: Mapping[str, tuple[str, str]]) -> None:
    """Refuse serials that the journal knows for another lamp: `used` is serial -> (MAC, asset id)."""
    errors = []
    for row in rows:
        mac, asset_id = used.get(row.plate.serial, ("", row.plate.asset_id))
        if row.plate.serial and asset_id != row.plate.asset_id:
            errors.append((row.line, f"serial {row.plate.serial}: was used for {asset_id} on {mac}"))
        elif row.plate.serial and row.plate.mac and mac and mac != row.plate.mac:
            errors.append((row.line, f"serial {row.plate.serial}: was used on {mac}"))
    if errors:
        raise Refusals("serial_used", errors)
