"""The loader that a host uploads into RAM: faster, erases as it writes, and can do more than the ROM."""

import struct

from tests.provisioning.board.loader import Loader, Rejected

BAD_LENGTH = 0xC0
INVALID_COMMAND = 0xC3
OUT_OF_RANGE = 0xC4
NOT_ENOUGH_DATA = 0xC8


class Stub(Loader):
    status_bytes = 2
    erases_first = False
    inflate_error = 0xC7

    def __init__(self, chip, nor, registers, efuses):
        super().__init__(chip, nor, registers, efuses)
        self._attached = registers.answers
        self._limit = nor.size
        self._commands |= {0xD0: self._erase_all, 0xD1: self._erase_region, 0xD2: self._read, 0xD3: self._run_program}
        del self._commands[0x0E]

    def _sync(self, data):
        return [self._response(0x08, 0)] * 8

    def _unknown(self, command):
        return self._response(command, 0, b"", INVALID_COMMAND)

    def _check_range(self, address, size):
        if not self._attached:
            raise Rejected(OUT_OF_RANGE)

    def _set_parameters(self, data):
        struct.unpack_from("<IIIIII", data)
        return 0, b""

    def _flash_end(self, data):
        """Confirms that everything is written; a restart leads into the ROM's loader, the boot pin is latched."""
        if self._write is not None and not self._write.is_whole:
            raise Rejected(NOT_ENOUGH_DATA)
        self._write = None
        if not struct.unpack_from("<I", data)[0]:
            self.outcome = "loader"
        return 0, b""

    def _digest(self, md5):
        return md5.digest()

    def _erase_all(self, data):
        self._check_range(0, 0)
        self._nor.erase(0, self._nor.size)
        return 0, b""

    def _erase_region(self, data):
        address, size = struct.unpack_from("<II", data)
        if address % 4096 or size % 4096:
            raise Rejected(BAD_LENGTH)
        self._check_range(address, size)
        self._nor.erase(address, size)
        return 0, b""

    def _read(self, data):
        self._check_range(0, 0)
        self._start_reading(*struct.unpack_from("<IIII", data))
        return 0, b""

    def _run_program(self, data):
        self.outcome = "program"
        return 0, b""
