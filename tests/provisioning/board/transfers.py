"""What may be open in a loader: a write to flash, an upload to RAM, or a reading of flash by the stub."""

import hashlib
import zlib

from tests.provisioning.board.nor import SECTOR

BLOCK = 65536


class TransferError(Exception):
    """The host broke the rules of a transfer; `code` is what the loader answers."""

    def __init__(self, code):
        super().__init__(hex(code))
        self.code = code


class Write:
    """FLASH_BEGIN or FLASH_DEFL_BEGIN to its end. `eager`: everything is erased at once, as the ROM does it."""

    def __init__(self, nor, address, size, deflated, eager, inflate_error):
        self._nor = nor
        self._at = address
        self._end = address + size
        self._erased_to = address - address % SECTOR
        self._inflate = zlib.decompressobj() if deflated else None
        self._trims = not eager
        self._inflate_error = inflate_error
        if eager and size:
            self._erase_to(self._end)

    @property
    def is_whole(self):
        return self._at >= self._end

    def data(self, block):
        if self._inflate:
            try:
                block = self._inflate.decompress(block)
            except zlib.error:
                raise TransferError(self._inflate_error) from None
        if len(block) > self._end - self._at:
            if self._inflate:
                raise TransferError(self._inflate_error)
            if self._trims:  # the last block is padded
                block = block[: self._end - self._at]
        while block:
            piece, block = block[:SECTOR], block[SECTOR:]
            self._erase_to(min(self._at + len(piece), self._end))
            self._nor.program(self._at, piece)
            self._at += len(piece)

    def _erase_to(self, end):
        """Erase sector by sector, or in whole blocks where one fits, as the chip's loaders do."""
        while self._erased_to < end:
            at = self._erased_to
            length = BLOCK if at % BLOCK == 0 and at + BLOCK <= self._end else SECTOR
            self._nor.erase(at, length)
            self._erased_to += length


class Upload:
    """MEM_BEGIN to MEM_END: segments of RAM, of which one must be whole where the processor is sent to."""

    def __init__(self):
        self._segments = []

    def begin(self, size, address):
        self._segments.append([address, size, bytearray()])

    def data(self, block, too_much):
        if not self._segments or len(self._segments[-1][2]) + len(block) > self._segments[-1][1]:
            raise TransferError(too_much)
        self._segments[-1][2].extend(block)

    def can_run(self, entry):
        whole = all(len(content) == size for _, size, content in self._segments)
        return whole and any(address <= entry < address + size for address, size, _ in self._segments)


class Reading:
    """READ_FLASH: blocks go out while no more than `window` of them wait for their acknowledgement, then the MD5."""

    def __init__(self, nor, address, length, block, window):
        self._nor = nor
        self._address = address
        self._length = length
        self._block = block
        self._window = window * block
        self._sent = 0
        self._acknowledged = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self.is_over = False

    def acknowledge(self, packet):
        self._acknowledged = int.from_bytes(packet[:4], "little")

    def packets(self):
        """Yield what may be sent now."""
        while self._sent < self._length and self._sent - self._acknowledged < self._window:
            data = self._nor.read(self._address + self._sent, min(self._block, self._length - self._sent))
            self._digest.update(data)
            self._sent += len(data)
            yield data
        if not self.is_over and self._acknowledged >= self._length:
            self.is_over = True
            yield self._digest.digest()
