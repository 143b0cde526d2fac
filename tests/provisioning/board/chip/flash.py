"""Runs on the VM: the chip's flash and its partition table, as the ESP32 port offers them (`esp32.Partition`)."""

import struct

SECTOR = 4096
TABLE = 0x8000

_file = None


def open_flash(posix, path):
    global _file
    _file = posix.open(path, "r+b")


def read(address, buffer):
    _file.seek(address)
    _file.readinto(buffer)


def program(address, data):
    """Writing clears bits only."""
    old = bytearray(len(data))
    read(address, old)
    for at in range(len(data)):
        old[at] &= data[at]
    _file.seek(address)
    _file.write(old)


def erase(address):
    _file.seek(address)
    _file.write(b"\xff" * SECTOR)


class Partition:
    """A row of the partition table. It is a block device as well, with the port's two protocols."""

    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, label):
        found = [row for row in _rows() if row[4] == label]
        if not found:
            raise OSError(2)
        self._kind, self._subtype, self._offset, self._size, self._label = found[0]

    @staticmethod
    def find(type=0, subtype=0xFF, label=None, block_size=SECTOR):
        rows = [r for r in _rows() if r[0] == type and subtype in (0xFF, r[1]) and label in (None, r[4])]
        return [Partition(row[4]) for row in rows]

    def info(self):
        return (self._kind, self._subtype, self._offset, self._size, self._label, False)

    def readblocks(self, block, buffer, offset=0):
        read(self._offset + block * SECTOR + offset, buffer)

    def writeblocks(self, block, data, offset=None):
        address = self._offset + block * SECTOR
        if offset is None:
            for sector in range(address, address + len(data), SECTOR):
                erase(sector)
        program(address + (offset or 0), data)

    def ioctl(self, operation, argument):
        if operation == 4:
            return self._size // SECTOR
        if operation == 5:
            return SECTOR
        if operation == 6:
            erase(self._offset + argument * SECTOR)
            return 0
        return None


def _rows():
    table = bytearray(0xC00)
    read(TABLE, table)
    for at in range(0, len(table), 32):
        magic, kind, subtype, offset, size, label, _ = struct.unpack_from("<HBBII16sI", table, at)
        if magic != 0x50AA:
            return
        yield kind, subtype, offset, size, label.split(b"\0")[0].decode()
