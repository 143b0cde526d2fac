"""What stands between reset and program: the ROM reads the bootloader, the bootloader the partition table and an app.

`complaint` gives what the chip prints when it cannot go on; it then resets, for ever.
"""

import hashlib
import struct
from collections import namedtuple

Partition = namedtuple("Partition", ["label", "kind", "subtype", "offset", "size"])

TABLE = 0x8000
TABLE_LENGTH = 0xC00


def partitions(nor):
    """The rows of the partition table; none if it is no table, or damaged."""
    table = nor.read(TABLE, TABLE_LENGTH)
    rows = []
    for at in range(0, TABLE_LENGTH, 32):
        row = table[at : at + 32]
        if row[:2] == b"\xeb\xeb":
            return rows if row[16:] == hashlib.md5(table[:at], usedforsecurity=False).digest() else []
        if row == b"\xff" * 32:
            return rows
        magic, kind, subtype, offset, size, label, _ = struct.unpack("<HBBII16sI", row)
        if magic != 0x50AA:
            return []
        rows.append(Partition(label.rstrip(b"\0").decode(errors="replace"), kind, subtype, offset, size))
    return rows


def image_fault(nor, address, image_id):
    """Why the image at `address` cannot be run on this chip, as the bootloader says it; None if it can."""
    magic, count = nor.read(address, 2)
    chip, hashed = struct.unpack("<H9xB", nor.read(address + 12, 12))
    if magic != 0xE9:
        return f"image at {address:#x} has invalid magic byte (nothing flashed here?)"
    if chip != image_id:
        return f"mismatch chip ID, expected {image_id}, found {chip}"
    at = address + 24
    checksum = 0xEF
    for _ in range(count):
        length = struct.unpack("<I", nor.read(at + 4, 4))[0]
        if at + length > nor.size:
            return f"invalid segment length {length:#x}"
        for byte in nor.read(at + 8, length):
            checksum ^= byte
        at += 8 + length
    end = at + 16 - (at - address) % 16
    if nor.read(end - 1, 1)[0] != checksum:
        return "Checksum failed."
    if hashed and nor.read(end, 32) != hashlib.sha256(nor.read(address, end - address)).digest():
        return "Image hash failed - image is corrupt"
    return None


def complaint(chip, nor):
    """The lines on the console when the chip cannot start its program; None when it can."""
    header = nor.read(chip.bootloader_offset, 4)
    if header[0] != 0xE9:
        return f"invalid header: 0x{int.from_bytes(header, 'little'):08x}\r\n" * 3
    fault = image_fault(nor, chip.bootloader_offset, chip.image_id)
    if fault:
        return "csum err\r\nets_main.c 371 \r\n"
    rows = partitions(nor)
    if not rows:
        return "E (31) boot: Failed to verify partition table\r\nE (36) boot: load partition table error!\r\n"
    apps = [row for row in rows if row.kind == 0]
    for row in apps:
        fault = image_fault(nor, row.offset, chip.image_id)
        if fault is None:
            return None
    if not apps:
        return "E (31) boot: No bootable app partitions in the partition table\r\n"
    return f"E (55) esp_image: {fault}\r\nE (58) boot: Factory app partition is not bootable\r\n"
