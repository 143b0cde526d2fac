"""What is written to NVS is read back as it was, and what is torn or rotten is not there."""

import os
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning import nvs
from provisioning.errors import Failure

SIZE = 0x6000
IDENTITY = ("streetlight", "identity")
SEALED = ("streetlight", "sealed")

names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=15)
values = st.one_of(st.integers(-(1 << 31), (1 << 31) - 1), st.binary(min_size=1, max_size=3000))


@given(st.dictionaries(st.tuples(names, names), values, max_size=4))
def test_whatever_is_built_is_read_back(entries: dict[nvs.Key, nvs.Value]) -> None:
    assert nvs.parse(nvs.build(entries, SIZE)) == entries


def test_one_entry_is_as_the_format_says_byte_for_byte() -> None:
    """The layout by hand, from ESP-IDF's description: page header, bitmap, namespace entry, value entry."""
    data = nvs.build({SEALED: 1}, SIZE)
    assert len(data) == SIZE
    assert data[0:4] == bytes.fromhex("feffffff")  # active
    assert data[8] == 0xFE  # version 2
    assert struct.unpack_from("<L", data, 28)[0] == zlib.crc32(data[4:28], 0xFFFFFFFF)
    assert data[32] == 0b11111010  # two entries written
    assert data[64:68] == bytes((0, 0x01, 1, 0xFF))
    assert data[72:88] == b"streetlight".ljust(16, b"\0")
    assert data[96:100] == bytes((1, 0x14, 1, 0xFF))
    assert data[104:120] == b"sealed".ljust(16, b"\0")
    assert data[120:124] == b"\x01\0\0\0"


def test_a_blob_over_a_page_is_whole_or_absent() -> None:
    blob = os.urandom(5000)
    data = bytearray(nvs.build({IDENTITY: blob, SEALED: 1}, SIZE))
    assert nvs.parse(bytes(data)) == {IDENTITY: blob, SEALED: 1}
    data[64 + 32 * 10] ^= 1
    assert IDENTITY not in nvs.parse(bytes(data))


def test_a_write_that_was_cut_anywhere_gives_the_value_or_nothing() -> None:
    blob = os.urandom(700)
    data = nvs.build({IDENTITY: blob}, SIZE)
    seen = set()
    for cut in range(0, 1200, 7):
        torn = data[:cut] + b"\xff" * (SIZE - cut)
        found = nvs.parse(torn).get(IDENTITY)
        assert found in (None, blob), cut
        seen.add(found is None)
    assert seen == {True, False}


@given(st.binary(max_size=9000))
def test_rubbish_is_nothing_and_never_an_error(data: bytes) -> None:
    assert nvs.parse(data) == {}


@given(st.integers(0, SIZE - 1), st.integers(1, 255))
def test_any_damaged_byte_changes_no_value(at: int, flip: int) -> None:
    data = bytearray(BUILT)
    data[at] ^= flip
    found = nvs.parse(bytes(data))
    assert all(found[key] == ENTRIES[key] for key in found if key in ENTRIES)


ENTRIES: dict[nvs.Key, nvs.Value] = {IDENTITY: bytes(range(256)) * 3, SEALED: 1}
BUILT = nvs.build(ENTRIES, SIZE)


def test_the_newer_of_two_writes_counts() -> None:
    """As the chip does it: the new entry behind the old one, which is erased only afterwards."""
    data = bytearray(nvs.build({SEALED: 0}, SIZE))
    entry = bytearray(data[96:128])
    entry[24:28] = struct.pack("<i", 1)
    entry[4:8] = struct.pack("<L", zlib.crc32(entry[:4] + entry[8:], 0xFFFFFFFF))
    data[128:160] = entry
    data[32] = 0b11101010
    assert nvs.parse(bytes(data)) == {SEALED: 1}


@pytest.mark.parametrize("key", [("n" * 16, "k"), ("n", "k" * 16), ("", "k")])
def test_names_that_the_chip_would_cut_are_refused(key: nvs.Key) -> None:
    with pytest.raises(ValueError, match="bytes"):
        nvs.build({key: 1}, SIZE)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(Failure) as caught:
        nvs.build({IDENTITY: bytes(20_000)}, SIZE)
    assert caught.value.code == "identity_invalid"
    with pytest.raises(ValueError, match="32 bits"):
        nvs.build({SEALED: 1 << 31}, SIZE)
    with pytest.raises(ValueError, match="sectors"):
        nvs.build({SEALED: 1}, 5000)
