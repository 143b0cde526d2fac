"""The NVS partition of a chip: values to bytes and back, in memory only.

Building is esp-idf-nvs-partition-gen's; reading back is ours, from the description of the format (ESP-IDF, "NVS
Library", internals): pages of 4 KiB with a header of 32 bytes (state, sequence, version, CRC), a bitmap of two bits an
entry, and 126 entries of 32 bytes (namespace, type, span, chunk, CRC, 16 bytes of key, 8 of data). MicroPython reads
i32 and blobs, so nothing else is written. An NVS that holds what cannot be believed holds nothing.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping

from provisioning.chips import SECTOR
from provisioning.errors import Failure

try:
    from esp_idf_nvs_partition_gen import nvs_partition_gen as generator
except ImportError as error:
    raise Failure("tool_missing", "esp-idf-nvs-partition-gen") from error

Value = int | bytes
Key = tuple[str, str]

_VERSION_2 = 0xFE
_LONGEST_NAME = 15
_ENTRY = 32
_ENTRIES = 126
_FULL, _ACTIVE, _FREEING = 0xFFFFFFFC, 0xFFFFFFFE, 0xFFFFFFF8
_U8, _I32, _BLOB_1, _BLOB_DATA, _BLOB_INDEX = 0x01, 0x14, 0x41, 0x42, 0x48


def build(entries: Mapping[Key, Value], size: int) -> bytes:
    """The partition of `size` bytes with `entries` ({(namespace, key): i32 or blob}).

    Raises ValueError for what MicroPython could not read, and Failure `identity_invalid` when it does not fit.
    """
    if size % SECTOR or size < 3 * SECTOR:
        raise ValueError("an NVS is made of three or more whole sectors")
    for names, value in entries.items():
        for name in names:
            if not 1 <= len(name.encode()) <= _LONGEST_NAME:
                raise ValueError(f"{name} is not 1 to {_LONGEST_NAME} bytes")
        if isinstance(value, int) and not -(1 << 31) <= value < 1 << 31:
            raise ValueError("an i32 has 32 bits")
    made = io.BytesIO()
    try:
        opened = generator.nvs_open(made, size - SECTOR, version=_VERSION_2)
        for (namespace, key), value in entries.items():
            generator.write_entry(opened, namespace, "namespace", "", "")
            index = opened.get_namespace_idx()
            if isinstance(value, int):
                generator.write_entry(opened, key, "data", "i32", value, index)
            else:
                generator.write_entry(opened, key, "data", "binary", bytes(value), index)
        generator.nvs_close(opened)
    except generator.InsufficientSizeError:
        raise Failure("identity_invalid", f"it does not fit into an NVS of {size:,} bytes") from None
    return made.getvalue()


def parse(data: bytes) -> dict[Key, Value]:
    """{(namespace, key): i32 or blob} of a partition; of other types nothing. What is torn or rotten is not there."""
    namespaces: dict[int, str] = {}
    numbers: dict[tuple[int, str], int] = {}
    pieces: dict[tuple[int, str, int], bytes] = {}
    indices: dict[tuple[int, str], tuple[int, int, int]] = {}
    for entry, payload in _entries(data):
        namespace, kind, _, chunk = entry[:4]
        key = entry[8:24].rstrip(b"\0").decode("ascii", "replace")
        held = entry[24:]
        if namespace == 0 and kind == _U8:
            namespaces[held[0]] = key
        elif kind == _I32:
            (numbers[namespace, key],) = struct.unpack_from("<i", held)
        elif kind in (_BLOB_1, _BLOB_DATA):
            length, _, crc = struct.unpack("<HHL", held)
            content = payload[:length]
            if len(content) == length and zlib.crc32(content, 0xFFFFFFFF) == crc:
                pieces[namespace, key, chunk if kind == _BLOB_DATA else -1] = content
        elif kind == _BLOB_INDEX:
            indices[namespace, key] = struct.unpack("<LBB2x", held)
    found: dict[Key, Value] = {}
    for (number, key), value in numbers.items():
        if number in namespaces:
            found[namespaces[number], key] = value
    for (number, key), (size, count, start) in indices.items():
        parts = [pieces.get((number, key, chunk)) for chunk in range(start, start + count)]
        whole = b"".join(part for part in parts if part is not None)
        if number in namespaces and None not in parts and len(whole) == size:
            found[namespaces[number], key] = whole
    for (number, key, chunk), content in pieces.items():
        if chunk == -1 and number in namespaces:
            found.setdefault((namespaces[number], key), content)
    return found


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every written entry whose CRC holds, with the bytes of the entries that it spans, oldest page first."""
    pages = []
    for at in range(0, len(data) - SECTOR + 1, SECTOR):
        page = data[at : at + SECTOR]
        state, sequence = struct.unpack_from("<LL", page)
        (crc,) = struct.unpack_from("<L", page, 28)
        if state in (_ACTIVE, _FULL, _FREEING) and zlib.crc32(page[4:28], 0xFFFFFFFF) == crc:
            pages.append((sequence, page))
    for _, page in sorted(pages, key=lambda pair: pair[0]):
        number = 0
        while number < _ENTRIES:
            entry = page[64 + _ENTRY * number : 64 + _ENTRY * (number + 1)]
            if page[32 + number // 4] >> 2 * (number % 4) & 3 != 2 or not _is_whole(entry):
                number += 1  # empty, erased or torn
                continue
            span = max(1, entry[2])
            yield entry, page[64 + _ENTRY * (number + 1) : 64 + _ENTRY * min(number + span, _ENTRIES)]
            number += span


def _is_whole(entry: bytes) -> bool:
    (crc,) = struct.unpack_from("<L", entry, 4)
    return bool(zlib.crc32(entry[:4] + entry[8:], 0xFFFFFFFF) == crc)
