"""Base images for tests: the genuine one that `make test` fetches, and small ones made by the rules of the format."""

import functools
import hashlib
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = "etboard_firmware_micropython_custom_0831_last.bin"
TABLE_BYTES = 0xC00
# As MicroPython lays 4 MiB out.
STOCK = (
    ("nvs", 1, 0x02, 0x9000, 0x6000),
    ("phy_init", 1, 0x01, 0xF000, 0x1000),
    ("factory", 0, 0x00, 0x10000, 0x180000),
    ("vfs", 1, 0x81, 0x200000, 0x200000),
)


def genuine_path() -> Path:
    """MicroPython 1.16 for the ESP32, as published; skips the test where it was not fetched."""
    found = sorted((ROOT / "build" / "base").rglob(NAME))
    if not found:
        pytest.skip("no base image: `make test` fetches it")
    return found[0]


@functools.cache
def genuine() -> bytes:
    return genuine_path().read_bytes()


def program(
    chip_id: int, content: bytes = b"program ", segments: int = 2, hashed: bool = True, line: int = 16
) -> bytes:
    """An app or bootloader image."""
    head = struct.pack("<BBBBL", 0xE9, segments, 2, 0x20, 0x40080000)
    head += struct.pack("<B3sHBHH4sB", 0xEE, b"\0\0\0", chip_id, 0, 0, 0xFFFF, b"\0\0\0\0", int(hashed))
    body, checksum = head, 0xEF
    for number in range(segments):
        data = (content * line * 8)[: line * (number + 3)]
        body += struct.pack("<LL", 0x3F400000 + 0x1000 * number, len(data)) + data
        for byte in data:
            checksum ^= byte
    body += bytes(15 - len(body) % 16) + bytes([checksum])
    return body + (hashlib.sha256(body).digest() if hashed else b"")


def table(rows: tuple[tuple[str, int, int, int, int], ...] = STOCK, hashed: bool = True) -> bytes:
    packed = b"".join(
        struct.pack("<2sBBLL16sL", b"\xaa\x50", kind, subtype, offset, size, name.encode(), 0)
        for name, kind, subtype, offset, size in rows
    )
    if hashed:
        packed += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(packed).digest()
    return packed.ljust(TABLE_BYTES, b"\xff")


def made(
    chip_id: int = 0,
    start: int = 0x1000,
    rows: tuple[tuple[str, int, int, int, int], ...] = STOCK,
    extra: dict[int, bytes] | None = None,
) -> bytes:
    """A combined image that begins at `start`; `extra` puts bytes at flash addresses."""
    parts = {start: program(chip_id, b"boot"), 0x8000: table(rows), 0x10000: program(chip_id), **(extra or {})}
    image = bytearray(b"\xff" * (max(at + len(data) for at, data in parts.items()) - start))
    for at, data in parts.items():
        image[at - start : at - start + len(data)] = data
    return bytes(image)
