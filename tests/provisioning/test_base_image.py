"""A base image is taken apart so that the identity survives, and one that cannot be right is refused before that."""

import hashlib

import pytest

from provisioning import base_image, chips
from provisioning.errors import Failure
from tests.provisioning import bases

ESP32 = chips.get("esp32")
C3 = chips.get("esp32c3")


def refusal(data: bytes, chip: chips.Chip = ESP32) -> Failure:
    with pytest.raises(Failure) as caught:
        base_image.split(data, chip)
    return caught.value


def test_the_genuine_image_gives_bootloader_table_and_program_and_leaves_nvs_alone() -> None:
    data = bases.genuine()
    base = base_image.split(data, ESP32)
    assert [(part.name, part.address) for part in base.segments] == [
        ("bootloader", 0x1000),
        ("partition table", 0x8000),
        ("factory", 0x10000),
    ]
    assert base.segments[-1].data == data[0xF000:]
    assert (base.nvs.offset, base.nvs.size) == (0x9000, 0x6000)
    assert (base.files.offset, base.files.size) == (0x200000, 0x200000)
    assert base.romfs is None
    assert base.flash_bytes == 4 * chips.MIB
    assert base.sha256 == hashlib.sha256(data).hexdigest()
    for part in base.segments:
        assert part.end <= base.nvs.offset or part.address >= base.nvs.end
        assert data[part.address - 0x1000 : part.end - 0x1000] == part.data


@pytest.mark.parametrize("cut", [0, 1, 23, 24, 1000, 0x6FFF, 0x7010, 0xEFFF, 0xF000, 0xF100, 1_000_000, 1_556_783])
def test_a_truncated_image_is_refused_wherever_it_ends(cut: int) -> None:
    assert refusal(bases.genuine()[:cut]).code == "base_damaged"


def test_any_damaged_byte_of_what_is_written_is_found() -> None:
    data = bases.genuine()
    for at in (0x40, 0x3000, 0x7004, 0x7020, 0x20000, 0x100000, len(data) - 1):
        changed = bytearray(data)
        changed[at] ^= 0x10
        assert refusal(bytes(changed)).code in ("base_damaged", "base_overlaps"), hex(at)


def test_an_image_for_another_chip_is_refused_by_name() -> None:
    failure = refusal(bases.genuine(), C3)
    assert failure.code == "base_wrong_chip"
    assert "ESP32-C3" in failure.detail
    assert refusal(bases.made(9, 0), C3).code == "base_wrong_chip"
    program_of_another = bases.made(5, 0, extra={0x10000: bases.program(9)})
    assert refusal(program_of_another, C3).code == "base_wrong_chip"


@pytest.mark.parametrize("chip", chips.ALL, ids=lambda chip: chip.name)
def test_each_chip_takes_its_own(chip: chips.Chip) -> None:
    base = base_image.split(bases.made(chip.image_id, chip.bootloader_offset), chip)
    assert base.segments[0].address == chip.bootloader_offset


def test_what_lies_in_other_partitions_goes_along_and_ota_data_is_erased() -> None:
    rows = (("nvs", 1, 2, 0x9000, 0x4000), ("otadata", 1, 0, 0xD000, 0x2000), *bases.STOCK[1:])
    base = base_image.split(bases.made(rows=rows, extra={0xF000: b"phy data"}), ESP32)
    assert [part.name for part in base.segments] == ["bootloader", "partition table", "phy_init", "factory"]
    assert [row.name for row in base.erased] == ["otadata"]


def test_a_romfs_partition_is_found() -> None:
    rows = (*bases.STOCK[:2], ("factory", 0, 0, 0x10000, 0x180000), ("romfs", 1, 0x8F, 0x190000, 0x40000))
    base = base_image.split(bases.made(rows=(*rows, bases.STOCK[3])), ESP32)
    assert base.romfs is not None
    assert base.romfs.size == 0x40000


@pytest.mark.parametrize(
    "rows",
    [
        (*bases.STOCK, ("again", 1, 0x81, 0x300000, 0x1000)),
        (("nvs", 1, 2, 0x9000, 0x8000), *bases.STOCK[1:]),
        (("nvs", 1, 2, 0x8000, 0x6000), *bases.STOCK[1:]),
        (*bases.STOCK[:2], ("factory", 0, 0, 0x10000, 0x200000), bases.STOCK[3]),
    ],
)
def test_overlapping_partitions_are_refused(rows: tuple[tuple[str, int, int, int, int], ...]) -> None:
    assert refusal(bases.made(rows=rows)).code == "base_overlaps"


def test_a_program_larger_than_its_partition_is_refused() -> None:
    rows = (*bases.STOCK[:2], ("factory", 0, 0, 0x10000, 0x1000), bases.STOCK[3])
    base_image.split(bases.made(rows=rows), ESP32)
    assert refusal(bases.made(rows=rows, extra={0x10000: bases.program(0, line=1024)})).code == "base_overlaps"


def test_bytes_that_belong_nowhere_are_not_lost_silently() -> None:
    assert refusal(bases.made(extra={0x7F00: b"lost"})).code == "base_damaged"
    assert refusal(bases.made(extra={0x400000: b"lost"})).code == "base_damaged"


def test_an_image_without_nvs_or_files_is_refused() -> None:
    assert "nvs" in refusal(bases.made(rows=bases.STOCK[1:])).detail
    assert "vfs" in refusal(bases.made(rows=bases.STOCK[:3])).detail


def test_an_image_must_be_known_or_its_hash_given() -> None:
    data = bases.made()
    digest = hashlib.sha256(data).hexdigest()
    assert base_image.check_known(data, {digest: "a good one"}, None) == digest
    assert base_image.check_known(data, {}, digest.upper() + "\n") == digest
    for given, code in ((None, "base_unknown"), ("0" * 64, "base_damaged"), ("abc", "base_damaged")):
        with pytest.raises(Failure) as caught:
            base_image.check_known(data, {}, given)
        assert caught.value.code == code
