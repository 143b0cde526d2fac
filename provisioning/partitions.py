"""The partition table of a chip: bytes to rows.

Source of truth: ESP-IDF, gen_esp32part.py: rows of 32 bytes (magic AA 50, type, subtype, offset, size, 16 bytes of
name, flags), then a row EB EB with the MD5 of those before it, then FF.
"""

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from provisioning.chips import PARTITION_TABLE, PARTITION_TABLE_BYTES, SECTOR
from provisioning.errors import Failure

_ROW = struct.Struct("<2sBBLL16sL")
_MAGIC = b"\xaa\x50"
_MD5_MAGIC = b"\xeb\xeb"

APP, DATA = 0, 1
_OTA_DATA, _NVS, _FILES = 0x00, 0x02, (0x81, 0x83)  # FAT's and littlefs's numbers: MicroPython goes by the name


@dataclass(frozen=True)
class Partition:
    name: str
    kind: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def parse(data: bytes, code: str = "base_damaged") -> tuple[Partition, ...]:
    """The rows in order of their offset; raises Failure `code` when `data` holds no sound table, `base_overlaps` when
    rows overlap or reach below the end of the table."""
    rows: list[Partition] = []
    at = 0
    while data[at : at + 2] == _MAGIC and at < PARTITION_TABLE_BYTES:
        if at + _ROW.size > len(data):
            raise Failure(code, "the partition table is cut short")
        _, kind, subtype, offset, size, name, _ = _ROW.unpack_from(data, at)
        rows.append(Partition(name.rstrip(b"\0").decode("ascii", "replace"), kind, subtype, offset, size))
        at += _ROW.size
    if not rows:
        raise Failure(code, "there is no partition table")
    if data[at : at + 2] == _MD5_MAGIC and data[at + 16 : at + 32] != hashlib.md5(data[:at]).digest():
        raise Failure(code, "the partition table does not match its own checksum")
    rows.sort(key=lambda row: row.offset)
    end = PARTITION_TABLE + SECTOR
    for row in rows:
        if row.offset < end:
            raise Failure("base_overlaps", f"partition {row.name} begins at {row.offset:#x}, before {end:#x}")
        if row.offset % SECTOR or row.size % SECTOR or not row.size:
            raise Failure(code, f"partition {row.name} is not made of whole sectors")
        end = row.end
    return tuple(rows)


def nvs(rows: Sequence[Partition]) -> Partition | None:
    """Where the identity lives."""
    return _first(rows, lambda row: row.kind == DATA and row.subtype == _NVS and row.name == "nvs")


def files(rows: Sequence[Partition]) -> Partition | None:
    """The file system that MicroPython mounts at /: it asks for `vfs`, then `ffat` (ports/esp32, inisetup)."""
    return _first(rows, lambda row: row.kind == DATA and row.subtype in _FILES and row.name in ("vfs", "ffat"))


def romfs(rows: Sequence[Partition]) -> Partition | None:
    """The read-only file system that MicroPython mounts at /rom."""
    return _first(rows, lambda row: row.kind == DATA and row.name == "romfs")


def ota_data(rows: Sequence[Partition]) -> Partition | None:
    """Which of several apps is to start; erased it means the first."""
    return _first(rows, lambda row: row.kind == DATA and row.subtype == _OTA_DATA)


def _first(rows: Sequence[Partition], wanted: Callable[[Partition], bool]) -> Partition | None:
    return next((row for row in rows if wanted(row)), None)
