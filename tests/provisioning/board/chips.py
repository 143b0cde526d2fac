"""What differs between the chips: numbers from Espressif's register maps, as far as a loader's host looks at them."""

from collections import namedtuple

Chip = namedtuple(
    "Chip",
    [
        "name",
        "image_id",
        "magic",  # at 0x40001000; None: the chip is told by GET_SECURITY_INFO
        "bootloader_offset",
        "efuse_base",
        "efuse_length",
        "spi_base",
        "spi_usr",
        "spi_usr2",
        "spi_data",
        "spi_address",  # the offset of the address register
        "address_is_msb",
        "uart_divider",
        "boot_mode",
        "rom_banner",
    ],
)

ESP32 = Chip(
    name="esp32",
    image_id=0,
    magic=0x00F01D83,
    bootloader_offset=0x1000,
    efuse_base=0x3FF5A000,
    efuse_length=0x120,
    spi_base=0x3FF42000,
    spi_usr=0x1C,
    spi_usr2=0x24,
    spi_data=0x80,
    spi_address=0x04,
    address_is_msb=True,
    uart_divider=0x3FF40014,
    boot_mode="0x13 (SPI_FAST_FLASH_BOOT)",
    rom_banner="ets Jul 29 2019 12:21:46",
)

ESP32S3 = Chip(
    name="esp32s3",
    image_id=9,
    magic=None,
    bootloader_offset=0,
    efuse_base=0x60007000,
    efuse_length=0x200,
    spi_base=0x60002000,
    spi_usr=0x18,
    spi_usr2=0x20,
    spi_data=0x58,
    spi_address=0x04,
    address_is_msb=False,
    uart_divider=0x60000014,
    boot_mode="0x8 (SPI_FAST_FLASH_BOOT)",
    rom_banner="ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021",
)

ESP32C3 = ESP32S3._replace(
    name="esp32c3",
    image_id=5,
    efuse_base=0x60008800,
    boot_mode="0xc (SPI_FAST_FLASH_BOOT)",
    rom_banner="ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021",
)

ALL = {chip.name: chip for chip in (ESP32, ESP32S3, ESP32C3)}
