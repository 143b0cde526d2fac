"""What the chip runs from its flash. An image that the ROM cannot read makes it complain and reset for ever."""

import time

LOOP_S = 0.3


class Program:
    def __init__(self, parts, folder, write, tell):
        self._chip, self._nor, _, _ = parts
        self._write = write
        self._tell = tell
        self._next_s = None

    def start(self, cause):
        self._next_s = None
        self._write(f"{self._chip.rom_banner}\r\n\r\nrst:{cause},boot:{self._chip.boot_mode}\r\n".encode())
        header = self._nor.read(self._chip.bootloader_offset, 4)
        if header[0] != 0xE9:
            self._write(f"invalid header: 0x{int.from_bytes(header, 'little'):08x}\r\n".encode() * 3)
            self._next_s = time.monotonic() + LOOP_S

    def stop(self):
        self._next_s = None

    def feed(self, data):
        pass

    def fileno(self):
        return None

    def wakes_in_s(self):
        return None if self._next_s is None else max(0, self._next_s - time.monotonic())

    def serve(self):
        if self._next_s is not None and time.monotonic() >= self._next_s:
            self.start("RTCWDT_RTC_RESET")
