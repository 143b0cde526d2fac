"""The chip's registers as a host sees them through READ_REG and WRITE_REG: eFuses, the SPI controller, a few constants.

A command to the flash chip is what the host makes of the SPI controller: set up the registers, set the start bit,
and read the answer. So the flash's identity, its SFDP signature and its status come from here, as on the chip.
"""

from tests.provisioning.board.efuses import CLOCK_8M

MAGIC_ADDRESS = 0x40001000
START = 1 << 18
WINBOND = 0xEF
SIZE_IDS = {1 << bits: bits for bits in range(18, 28)}
# ESP32: the calibration from which the ROM reckons its crystal (times 15625, times the clock fuse, over 40: 40 MHz).
ESP32_CALIBRATION = 0x3FF5F06C
ESP32_DATE = 0x3FF6607C
CRYSTAL_HZ = 40_000_000


class Registers:
    """`claimed_size`: the bytes that the flash's identity claims; in a counterfeit they are not the true ones."""

    def __init__(self, chip, efuses, claimed_size):
        self._chip = chip
        self._efuses = efuses
        self.claimed_size = claimed_size
        self.answers = True  # whether the flash chip answers at all
        self.reset()

    def reset(self):
        self.baud = 115200
        self._written = {}

    def read(self, address):
        chip = self._chip
        if self._efuses.holds(address):
            return self._efuses.read(address)
        if address == MAGIC_ADDRESS:
            return chip.magic or 0
        if address == chip.uart_divider:
            return CRYSTAL_HZ // self.baud
        if chip.magic and address == ESP32_CALIBRATION:
            return CRYSTAL_HZ * 40 // 15625 // CLOCK_8M << 7
        if chip.magic and address == ESP32_DATE:
            return 1 << 31
        return self._written.get(address, 0)

    def write(self, address, value, mask=0xFFFFFFFF):
        if self._efuses.holds(address):
            return  # burning takes the eFuse controller's program sequence, which no loader command is
        self._written[address] = (self._written.get(address, 0) & ~mask) | (value & mask)
        if address == self._chip.spi_base and value & START:
            self._written[address] = 0
            self._written[self._chip.spi_base + self._chip.spi_data] = self._ask_flash()

    def _ask_flash(self):
        if not self.answers:
            return 0xFFFFFF
        command = self.read(self._chip.spi_base + self._chip.spi_usr2) & 0xFF
        if command == 0x9F:  # read identity: maker, type, size
            return WINBOND | 0x40 << 8 | SIZE_IDS[self.claimed_size] << 16
        if command == 0x5A:  # read SFDP: the signature at 0, the maker's parameter header at 0x10
            address = self.read(self._chip.spi_base + self._chip.spi_address)
            address = address >> 8 if self._chip.address_is_msb else address
            return 0x50444653 if address == 0 else WINBOND
        return 0  # status registers: ready, nothing protected
