"""NOR flash: erasing a sector makes it 0xFF, writing can only clear bits, and power lost on the way leaves it torn."""

import mmap
import random

SECTOR = 4096


class PowerLost(Exception):
    """The supply went while the flash was working; what it was working on is torn."""


class Nor:
    """`size` bytes of flash in a file, which is at every moment what the chip holds.

    `bytes_left` and `sectors_left`: how much more is written, or erased, before the power goes (None: it stays).
    An address beyond the end wraps round, because the chip has no such address lines.
    """

    def __init__(self, path, size, seed=0):
        self.size = size
        self.bytes_left = None
        self.sectors_left = None
        self.written = 0
        self.erased = 0
        self._chance = random.Random(seed)
        if not path.exists() or path.stat().st_size != size:
            path.write_bytes(b"\xff" * size)
        with path.open("r+b") as file:
            self._cells = mmap.mmap(file.fileno(), size)

    def read(self, address, length):
        address %= self.size
        data = self._cells[address : address + length]
        return data if len(data) == length else data + self.read(0, length - len(data))

    def program(self, address, data):
        """Clear the bits that are 0 in `data`."""
        if self.bytes_left is not None and len(data) > self.bytes_left:
            whole = self.bytes_left
            self._clear(address, data[:whole])
            self._clear(address + whole, bytes([data[whole] | self._chance.randrange(256)]))
            self.bytes_left = None
            raise PowerLost(f"at {address + whole:#x}, writing")
        self._clear(address, data)
        self.written += len(data)
        if self.bytes_left is not None:
            self.bytes_left -= len(data)

    def erase(self, address, length):
        """Erase all sectors that this range touches."""
        start = address - address % SECTOR
        for sector in range(start, address + length, SECTOR):
            if self.sectors_left is not None:
                self.sectors_left -= 1
                if self.sectors_left < 0:
                    self.sectors_left = None
                    self._set(sector, self._half_erased(sector))
                    raise PowerLost(f"at {sector:#x}, erasing")
            self._set(sector, b"\xff" * SECTOR)
            self.erased += 1

    def _half_erased(self, sector):
        old = int.from_bytes(self.read(sector, SECTOR), "little")
        return (old | self._chance.getrandbits(SECTOR * 8)).to_bytes(SECTOR, "little")

    def _clear(self, address, data):
        old = int.from_bytes(self.read(address, len(data)), "little")
        self._set(address, (old & int.from_bytes(data, "little")).to_bytes(len(data), "little"))

    def _set(self, address, data):
        address %= self.size
        room = self.size - address
        self._cells[address : address + len(data[:room])] = data[:room]
        if len(data) > room:
            self._set(0, data[room:])

    def close(self):
        self._cells.flush()
        self._cells.close()
