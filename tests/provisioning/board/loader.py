"""The serial loader in a chip's ROM: one request packet in, its responses out.

After the protocol that Espressif documents ("Serial Protocol") and that esptool speaks. A request is
`direction 0, command, length, checksum, data`, a response `direction 1, command, length, value, data, status`.
"""

import hashlib
import struct

from tests.provisioning.board.transfers import Reading, TransferError, Upload, Write

SYNC = b"\x07\x07\x12\x20" + b"\x55" * 32
SYNC_VALUE = 0x55201207
SAFE = {0x02, 0x03, 0x04, 0x08, 0x0B, 0x0D, 0x0F, 0x10, 0x11, 0x12, 0x13, 0x14}  # left in Secure Download Mode
# S3: where the ROM keeps the function that READ_FLASH_SLOW calls; a host may put its stub's entry there.
S3_READ_FUNCTION = 0x3FCEF688

INVALID = 0x05
FAILED = 0x06
BAD_CHECKSUM = 0x07
NOT_READ = 0x09


def checksum_of(data):
    """All bytes and 0xEF, exclusively ored, folded in halves."""
    bits = 1 << max(3, (len(data) * 8 - 1).bit_length())
    value = int.from_bytes(data, "little")
    while bits > 8:
        bits >>= 1
        value = value >> bits ^ value & (1 << bits) - 1
    return value ^ 0xEF


class Rejected(Exception):
    """The loader answers a request with this status."""

    def __init__(self, code):
        super().__init__(hex(code))
        self.code = code


def is_sync(packet):
    return packet is not None and packet[:2] == b"\x00\x08" and packet[8:] == SYNC


class Loader:
    """`run(packet)` gives the packets to send. Afterwards `outcome` may say that something else runs now:
    "program", "loader" (a restart with the boot pin still held) or "stub".
    """

    status_bytes = 4
    erases_first = True
    write_error = FAILED
    inflate_error = 0x0B

    def __init__(self, chip, nor, registers, efuses):
        self._chip = chip
        self._nor = nor
        self._registers = registers
        self._efuses = efuses
        self._write = None
        self._upload = Upload()
        self._reading = None
        self._attached = False
        self._limit = 2 * 1024 * 1024
        self.outcome = None
        self._commands = {
            0x02: self._flash_begin,
            0x03: self._flash_data,
            0x04: self._flash_end,
            0x05: self._mem_begin,
            0x06: self._mem_end,
            0x07: self._mem_data,
            0x09: self._write_register,
            0x0A: self._read_register,
            0x0B: self._set_parameters,
            0x0D: self._attach,
            0x0E: self._read_slowly,
            0x0F: self._change_baud,
            0x10: self._deflate_begin,
            0x11: self._flash_data,
            0x12: self._flash_end,
            0x13: self._md5,
        }
        if not chip.magic:
            self._commands[0x14] = self._security_info

    @property
    def is_idle(self):
        """Whether no transfer is under way."""
        return self._reading is None and (self._write is None or self._write.is_whole)

    def run(self, packet):
        if self._reading:
            return self._read_on(packet)
        if packet is None or len(packet) < 8 or packet[0] != 0:
            return []
        _, command, length, checksum = struct.unpack("<BBHI", packet[:8])
        data = packet[8:]
        if command == 0x08:
            return self._sync(data)
        if self._efuses.is_on("secure_download") and command not in SAFE:
            return [self._unknown(command)]
        handler = self._commands.get(command)
        if handler is None:
            return [self._unknown(command)]
        try:
            if len(data) != length:
                raise Rejected(INVALID)
            self._check(command, data, checksum)
            value, payload = handler(data)
        except (Rejected, TransferError) as refusal:
            return [self._response(command, 0, b"", refusal.code)]
        except struct.error:
            return [self._response(command, 0, b"", INVALID)]
        return [self._response(command, value, payload), *self._after(command)]

    def _sync(self, data):
        return [self._response(0x08, SYNC_VALUE)] * 8 if data == SYNC else []

    def _response(self, command, value=0, payload=b"", code=0):
        status = bytes([1 if code else 0, code]).ljust(self.status_bytes, b"\0")
        return struct.pack("<BBHI", 1, command, len(payload) + len(status), value) + payload + status

    def _unknown(self, command):
        """The ROM does not even name the command that it does not know."""
        return self._response(0x00, 0, b"", INVALID)

    def _check(self, command, data, checksum):
        if command not in (0x03, 0x07, 0x11):
            return
        if checksum_of(data[16:]) != checksum & 0xFF or len(data) - 16 != struct.unpack_from("<I", data)[0]:
            raise Rejected(BAD_CHECKSUM)

    def _after(self, command):
        if command == 0x06 and self.outcome == "stub":
            return [b"OHAI"]
        return list(self._reading.packets()) if self._reading else []

    def _check_range(self, address, size):
        """The ROM refuses what is beyond the size that it was told; without it, it believes in 2 MB."""
        if not self._attached or address + size > self._limit:
            raise Rejected(FAILED)

    def _flash_begin(self, data, deflated=False):
        size, _, _, address = struct.unpack_from("<IIII", data)
        self._check_range(address, size)
        self._write = Write(self._nor, address, size, deflated, self.erases_first, self.inflate_error)
        return 0, b""

    def _deflate_begin(self, data):
        return self._flash_begin(data, deflated=True)

    def _flash_data(self, data):
        if self._write is None:
            raise Rejected(FAILED)
        self._write.data(data[16:])
        return 0, b""

    def _flash_end(self, data):
        self._write = None
        self.outcome = "program"
        return 0, b""

    def _mem_begin(self, data):
        size, _, _, address = struct.unpack_from("<IIII", data)
        self._upload.begin(size, address)
        return 0, b""

    def _mem_data(self, data):
        self._upload.data(data[16:], INVALID)
        return 0, b""

    def _mem_end(self, data):
        stay, entry = struct.unpack_from("<II", data)
        if not stay:
            self.outcome = "stub" if self._upload.can_run(entry) else "crash"
        return 0, b""

    def _write_register(self, data):
        for at in range(0, len(data) - 15, 16):
            address, value, mask, _ = struct.unpack_from("<IIII", data, at)
            self._registers.write(address, value, mask)
        return 0, b""

    def _read_register(self, data):
        return self._registers.read(struct.unpack_from("<I", data)[0]), b""

    def _set_parameters(self, data):
        self._limit = struct.unpack_from("<IIIIII", data)[1]
        return 0, b""

    def _attach(self, data):
        self._attached = self._registers.answers
        return 0, b""

    def _read_slowly(self, data):
        address, length = struct.unpack_from("<II", data)
        entry = self._registers.read(S3_READ_FUNCTION)
        if self._chip.name == "esp32s3" and entry and self._upload.can_run(entry):
            self.outcome = "stub"
            return 0, b""
        if length > 64:
            raise Rejected(NOT_READ)
        self._check_range(address, length)
        return 0, self._nor.read(address, 64)

    def _change_baud(self, data):
        self._registers.baud = struct.unpack_from("<I", data)[0] or 115200
        return 0, b""

    def _md5(self, data):
        address, size = struct.unpack_from("<II", data)
        self._check_range(address, size)
        return 0, self._digest(hashlib.md5(self._nor.read(address, size), usedforsecurity=False))

    def _digest(self, md5):
        return md5.hexdigest().encode()

    def _security_info(self, data):
        return 0, self._efuses.security_info()

    def _start_reading(self, address, length, block, window):
        self._reading = Reading(self._nor, address, length, block, window)

    def _read_on(self, packet):
        if packet is not None:
            self._reading.acknowledge(packet)
        packets = list(self._reading.packets())
        if self._reading.is_over:
            self._reading = None
        return packets
