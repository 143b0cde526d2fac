"""A published MicroPython image (one .bin that begins at the chip's bootloader), split into what is written.

Written as one piece it would overwrite the chip's NVS with FF; split, each part goes to its place and the identity
survives. Everything is checked before a chip is touched: chip, lengths, checksums, partitions.

Source of truth: ESP-IDF "App Image Format" (esp_image_format.h): header of 24 bytes (E9, number of segments, ...,
chip id at 12, hash flag at 23), segments of (address, length), a XOR checksum that ends a multiple of 16, SHA-256.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from provisioning import partitions
from provisioning.chips import PARTITION_TABLE, PARTITION_TABLE_BYTES, Chip, of_image
from provisioning.errors import Failure
from provisioning.partitions import Partition

_MAGIC = 0xE9
_HEADER_BYTES = 24
_MOST_SEGMENTS = 16
_CHECKSUM_SEED = 0xEF
_LARGEST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Segment:
    """`data` goes to `address`; `name` is for people."""

    name: str
    address: int
    data: bytes

    @property
    def end(self) -> int:
        return self.address + len(self.data)

    @property
    def md5(self) -> str:
        return hashlib.md5(self.data).hexdigest()


@dataclass(frozen=True)
class Base:
    """What is written of a base image, and where the rest of the flash lies. `erased` is wiped before the first start:
    it says which of several apps runs."""

    segments: tuple[Segment, ...]
    partitions: tuple[Partition, ...]
    nvs: Partition
    files: Partition
    romfs: Partition | None
    erased: tuple[Partition, ...]
    sha256: str

    @property
    def flash_bytes(self) -> int:
        """The least flash that holds all of it."""
        return max(row.end for row in self.partitions)


def check_known(data: bytes, known: Mapping[str, str], given: str | None) -> str:
    """The SHA-256 of an image that is the one `given` (hexadecimal), or one of those `known` ({SHA-256: what it is}).

    Raises Failure `base_damaged` when it is not the given one, `base_unknown` when nobody vouches for it.
    """
    digest = hashlib.sha256(data).hexdigest()
    if given is not None:
        wanted = given.strip().lower()
        if len(wanted) != 64 or set(wanted) - set("0123456789abcdef"):
            raise Failure("base_damaged", "a SHA-256 is 64 hexadecimal digits")
        if wanted != digest:
            raise Failure("base_damaged", f"its SHA-256 is {digest}, not {wanted}")
    elif digest not in known:
        raise Failure("base_unknown", f"SHA-256 {digest}")
    return digest


def split(data: bytes, chip: Chip) -> Base:
    """The parts of the image `data` for `chip`. NVS is never among them.

    Raises Failure `base_wrong_chip`, `base_damaged` or `base_overlaps`.
    """
    if len(data) > _LARGEST_BYTES:
        raise Failure("base_damaged", f"{len(data):,} bytes are more than any of these chips holds")
    start = chip.bootloader_offset
    _check_chip(data, 0, chip, "the bootloader")
    bootloader = Segment("bootloader", start, data[: _image_bytes(data, 0, "the bootloader")])
    if bootloader.end > PARTITION_TABLE:
        raise Failure("base_overlaps", f"the bootloader reaches {bootloader.end:#x}, over the partition table")
    at = PARTITION_TABLE - start
    rows = partitions.parse(data[at : at + PARTITION_TABLE_BYTES])
    table = Segment("partition table", PARTITION_TABLE, data[at : at + PARTITION_TABLE_BYTES])
    segments = [bootloader, table]
    for row in rows:
        segments += _content(data, start, row, chip)
    end = len(data) + start
    if not any(row.kind == partitions.APP and row.offset < end for row in rows):
        raise Failure("base_damaged", "it holds no program: the file is cut short")
    _check_gaps(data, start, [*((part.address, part.end) for part in segments), *((r.offset, r.end) for r in rows)])
    nvs, files = partitions.nvs(rows), partitions.files(rows)
    if nvs is None or files is None:
        raise Failure("base_damaged", f"it has no partition {'nvs' if nvs is None else 'vfs'}")
    ota = partitions.ota_data(rows)
    return Base(
        tuple(segments),
        rows,
        nvs,
        files,
        partitions.romfs(rows),
        () if ota is None else (ota,),
        hashlib.sha256(data).hexdigest(),
    )


def _content(data: bytes, start: int, row: Partition, chip: Chip) -> list[Segment]:
    """What the image holds for a partition: a program whole, of anything else what is not FF."""
    at = row.offset - start
    held = data[at : at + row.size]
    if partitions.nvs((row,)) or partitions.files((row,)) or partitions.romfs((row,)):
        return []
    if row.kind != partitions.APP:
        held = held.rstrip(b"\xff")
        return [Segment(row.name, row.offset, held + b"\xff" * (-len(held) % 4))] if held else []
    if not held.rstrip(b"\xff"):
        return []
    _check_chip(data, at, chip, f"partition {row.name}")
    length = _image_bytes(data, at, f"partition {row.name}")
    if length > row.size:
        raise Failure("base_overlaps", f"the program of {length:,} bytes is larger than its partition {row.name}")
    return [Segment(row.name, row.offset, data[at : at + length])]


def _check_chip(data: bytes, at: int, chip: Chip, what: str) -> None:
    if len(data) < at + _HEADER_BYTES or data[at] != _MAGIC:
        # A whole image for a chip with another bootloader offset has its table elsewhere, but its first byte too.
        raise Failure("base_damaged", f"there is no program image where {what} should be")
    (found,) = struct.unpack_from("<H", data, at + 12)
    if found != chip.image_id:
        other = of_image(found)
        raise Failure("base_wrong_chip", f"{what} is for {other.shown if other else found}, the chip is {chip.shown}")


def _image_bytes(data: bytes, at: int, what: str) -> int:
    """The length of the program image at `at`, checked by its checksum and its hash."""
    count = data[at + 1]
    if not 1 <= count <= _MOST_SEGMENTS:
        raise Failure("base_damaged", f"{what} has {count} segments")
    here, checksum = at + _HEADER_BYTES, _CHECKSUM_SEED
    for _ in range(count):
        if here + 8 > len(data):
            raise Failure("base_damaged", f"{what} is cut short")
        (length,) = struct.unpack_from("<L", data, here + 4)
        here += 8
        if here + length > len(data):
            raise Failure("base_damaged", f"{what} is cut short")
        checksum ^= _xor(data[here : here + length])
        here += length
    here += 16 - (here - at) % 16  # the checksum is the last byte of a line of 16
    if here > len(data):
        raise Failure("base_damaged", f"{what} is cut short")
    if data[here - 1] != checksum:
        raise Failure("base_damaged", f"{what} does not match its checksum")
    if data[at + 23] == 1:
        if data[here : here + 32] != hashlib.sha256(data[at:here]).digest():
            raise Failure("base_damaged", f"{what} is cut short or does not match its SHA-256")
        here += 32
    return here - at


def _xor(data: bytes) -> int:
    """All bytes of `data` XORed: by halves of one large number, a thousand times faster than a byte at a time."""
    value, bits = int.from_bytes(data, "big"), 8 * len(data)
    while bits > 8:
        half = (bits // 2 + 7) // 8 * 8
        value, bits = (value >> half) ^ (value & ((1 << half) - 1)), half
    return value


def _check_gaps(data: bytes, start: int, covered: list[tuple[int, int]]) -> None:
    """Nothing may be lost: what lies between the parts must be FF."""
    position = start
    for begin, end in sorted(covered):
        if begin > position and data[position - start : begin - start].strip(b"\xff"):
            raise Failure("base_damaged", f"it holds bytes between {position:#x} and {begin:#x} that belong to no part")
        position = max(position, end)
    if data[position - start :].strip(b"\xff"):
        raise Failure("base_damaged", f"it goes on beyond its last partition at {position:#x}")
