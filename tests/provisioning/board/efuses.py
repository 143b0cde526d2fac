"""The eFuses of a chip: a file that espefuse's virtual mode reads and burns too, so that a burnt one shows on the line.

The file holds the controller's registers in espefuse's order: 32-bit words, big-endian, the last register first.
"""

CLOCK_8M = 200  # makes the ROM's own measurement of the crystal come out at 40 MHz; see registers.py

# Where each fuse is: (offset of its word, bit, bits), for the old block layout (esp32) and for the new one.
_OLD = {
    "flash_encryption": (0x00, 20, 7),
    "no_download": (0x00, 27, 1),
    "no_manual_encrypt": (0x18, 7, 1),
    "secure_boot": (0x18, 5, 1),
    "no_jtag": (0x18, 6, 1),
}
_NEW = {
    "no_manual_encrypt": (0x30, 20, 1),
    "no_jtag": (0x30, 19, 1),
    "flash_encryption": (0x34, 18, 3),
    "secure_boot": (0x38, 20, 1),
    "no_download": (0x3C, 0, 1),
    "secure_download": (0x3C, 5, 1),
}


def crc8(data):
    """Dallas/Maxim CRC-8, which guards the factory MAC in an ESP32."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


class Efuses:
    """The fuses in `path`; a missing file is a chip from the factory with this MAC (six bytes)."""

    def __init__(self, path, chip, mac):
        self._path = path
        self._chip = chip
        self._fuses = _OLD if chip.magic else _NEW
        if not path.exists() or path.stat().st_size != chip.efuse_length:
            path.write_bytes(bytes(chip.efuse_length))
            self._make(mac)

    def holds(self, address):
        return self._chip.efuse_base <= address < self._chip.efuse_base + self._chip.efuse_length

    def read(self, address):
        """The word at a register's address."""
        at = self._chip.efuse_length - 4 - (address - self._chip.efuse_base)
        return int.from_bytes(self._path.read_bytes()[at : at + 4], "big")

    def blow(self, offset, bits):
        """Set bits in the word at `offset`; a fuse cannot be set back."""
        address = self._chip.efuse_base + offset
        content = bytearray(self._path.read_bytes())
        at = self._chip.efuse_length - 4 - offset
        content[at : at + 4] = (self.read(address) | bits).to_bytes(4, "big")
        self._path.write_bytes(content)

    def burn(self, name):
        """Burn a fuse by name (see the tables above); a counter gets its first bit."""
        offset, bit, _ = self._fuses[name]
        self.blow(offset, 1 << bit)

    def is_on(self, name):
        """Whether it is burnt; a counter is on while an odd number of its bits are."""
        if name not in self._fuses:
            return False
        offset, bit, bits = self._fuses[name]
        value = self.read(self._chip.efuse_base + offset) >> bit & (1 << bits) - 1
        return bool(value.bit_count() & 1)

    @property
    def mac(self):
        if self._chip.magic:
            high, low = self.read(self._chip.efuse_base + 8), self.read(self._chip.efuse_base + 4)
        else:
            high, low = self.read(self._chip.efuse_base + 0x48), self.read(self._chip.efuse_base + 0x44)
        return (high << 32 | low).to_bytes(8, "big")[2:]

    def security_info(self):
        """The answer to GET_SECURITY_INFO: flags, flash encryption count, key purposes, chip, interface version."""
        flags = self.is_on("secure_boot") | self.is_on("secure_download") << 2 | self.is_on("no_jtag") << 7
        offset, bit, bits = self._fuses["flash_encryption"]
        count = self.read(self._chip.efuse_base + offset) >> bit & (1 << bits) - 1
        words = self.read(self._chip.efuse_base + 0x38) << 32 | self.read(self._chip.efuse_base + 0x34)
        purposes = bytes([*(words >> shift & 0xF for shift in range(24, 48, 4)), 0])
        return (
            flags.to_bytes(4, "little")
            + bytes([count])
            + purposes
            + self._chip.image_id.to_bytes(4, "little")
            + bytes(4)
        )

    def _make(self, mac):
        high, low = mac[:2], int.from_bytes(mac[2:], "big")
        if self._chip.magic:  # ESP32-D0WD-V3, revision v3.1
            self.blow(0x04, low)
            self.blow(0x08, crc8(mac) << 16 | int.from_bytes(high, "big"))
            self.blow(0x0C, 1 << 9 | 1 << 13 | 1 << 15)
            self.blow(0x10, CLOCK_8M)
            self.blow(0x14, 1 << 20 | 1 << 24)
        else:  # revision v0.2 (S3) or v0.4 (C3)
            self.blow(0x44, low)
            self.blow(0x48, int.from_bytes(high, "big"))
            self.blow(0x50, (4 if self._chip.name == "esp32c3" else 2) << 18)
