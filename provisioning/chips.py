"""The chips that a lamp may have, and where their ROM looks for what.

Source of truth: ESP-IDF, `bootloader_offset` and the chip ids of `esp_chip_id_t` (esp_app_format.h); the ROM loads the
second stage from there. All of them find the partition table at 0x8000, as MicroPython's builds have it.
"""

from dataclasses import dataclass

from provisioning.errors import Failure

MIB = 1024 * 1024
PARTITION_TABLE = 0x8000
PARTITION_TABLE_BYTES = 0xC00  # What the table may take; its sector is 4 KiB.
SECTOR = 4096


@dataclass(frozen=True)
class Chip:
    """`budget_bytes` is what the firmware may take of the file system: a quarter of MicroPython's 2 MiB, so that two of
    it leave half to the lamp's records."""

    name: str
    shown: str  # as esptool and the maker write it
    image_id: int  # in the header of every image for it
    bootloader_offset: int
    march: str  # what mpy-cross calls its processor, should the firmware ever hold native code
    least_flash_bytes: int = 4 * MIB
    budget_bytes: int = 512 * 1024


@dataclass(frozen=True)
class Found:
    """The chip on the cable. `locks` names what forbids new firmware: secure boot, flash encryption, download mode."""

    chip: Chip
    mac: bytes
    flash_bytes: int
    locks: tuple[str, ...] = ()


ALL = (
    Chip("esp32", "ESP32", 0x00, 0x1000, "xtensawin"),
    Chip("esp32s2", "ESP32-S2", 0x02, 0x1000, "xtensawin"),
    Chip("esp32s3", "ESP32-S3", 0x09, 0x0000, "xtensawin"),
    Chip("esp32c3", "ESP32-C3", 0x05, 0x0000, "rv32imc"),
    Chip("esp32c6", "ESP32-C6", 0x0D, 0x0000, "rv32imc"),
)
NAMES = tuple(chip.name for chip in ALL)


def find(name: str) -> Chip | None:
    """The chip of this name, however it is spelt ("ESP32-S3", "esp32s3"); None when a lamp cannot have it."""
    plain = name.lower().replace("-", "").replace(" ", "")
    return next((chip for chip in ALL if chip.name == plain), None)


def get(name: str) -> Chip:
    """The same; raises Failure `wrong_chip`."""
    chip = find(name)
    if chip is None:
        raise Failure("wrong_chip", f"{name} is none of {', '.join(NAMES)}")
    return chip


def of_image(image_id: int) -> Chip | None:
    """The chip whose images carry this id."""
    return next((chip for chip in ALL if chip.image_id == image_id), None)
