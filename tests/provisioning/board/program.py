"""What the chip runs from its flash: MicroPython, as far as the boot chain holds; else complaints and resets for ever.

The program itself is the MicroPython VM with the modules of `chip`, over the same flash file. The image in flash must
be whole and made for this chip; which release of MicroPython it holds makes no difference here.
"""

import fcntl
import os
import select
import subprocess
import termios
import time
from pathlib import Path

from tests.firmware.hal import vm
from tests.provisioning.board import bootchain
from tests.provisioning.board.terminal import Terminal

HERE = Path(__file__).parent
LOOP_S = 0.3
POLL_S = 0.002
HEAP = "512wK"  # the modules of `chip` live in it too, and a ROMFS image, which the chip maps
# machine.reset_cause() by what the ROM prints; MicroPython takes a brown-out for power-on.
CAUSES = {"POWERON_RESET": 1, "RTCWDT_BROWN_OUT_RESET": 1, "TG1WDT_SYS_RESET": 3, "RTCWDT_RTC_RESET": 3}
HARD_RESET = 2
SOFT_RESET = 5


class Program:
    """`write(data)` sends to the host; `tell(event, **facts)` hears what happens."""

    def __init__(self, parts, folder, write, tell):
        self._chip, self._nor, self._efuses = parts.chip, parts.nor, parts.efuses
        self._folder = folder
        self._write = write
        self._tell = tell
        self._machine = None
        self._terminal = None
        self._events = None
        self._text = b""
        self._again_s = None
        self._bite_s = None
        self._timeout_s = 0

    def start(self, cause):
        """From a hard reset."""
        self.stop()
        self._write(f"{self._chip.rom_banner}\r\n\r\nrst:{cause},boot:{self._chip.boot_mode}\r\n".encode())
        complaint = bootchain.complaint(self._chip, self._nor)
        if complaint:
            self._write(complaint.encode())
            self._again_s = time.monotonic() + LOOP_S
            return
        self._run(CAUSES.get(cause, HARD_RESET), is_raw=False)

    def stop(self):
        """The chip runs something else, or has no power."""
        self._end()
        self._again_s = self._bite_s = None

    def feed(self, data):
        if self._terminal and data:
            self._terminal.feed(data)

    def filenos(self):
        return [self._terminal.master, self._events] if self._machine else []

    def wakes_in_s(self):
        """Seconds until `serve` must be called; None: when there is something to read."""
        times = [at for at in (self._again_s, self._bite_s) if at is not None]
        if self._terminal and self._terminal.waits:
            times.append(time.monotonic() + POLL_S)
        return max(0, min(times) - time.monotonic()) if times else None

    def serve(self, ready):
        """Whatever is due; `ready` are the files that can be read."""
        now_s = time.monotonic()
        if self._again_s is not None and now_s >= self._again_s:
            self.start("RTCWDT_RTC_RESET")
            return
        if self._bite_s is not None and now_s >= self._bite_s:
            self._write(b"E (8000) task_wdt: Task watchdog got triggered.\r\nRebooting...\r\n")
            self._restart("TG1WDT_SYS_RESET")
            return
        if self._events in ready:
            self._hear()
        if self._terminal and self._terminal.master in ready and not self._terminal.read():
            self._ended()
        if self._terminal:
            self._terminal.push()

    def _run(self, cause, is_raw):
        self._terminal = Terminal(self._write, is_raw)
        self._events, sender = os.pipe()
        command = [*vm.VM, "-i", "-X", f"heapsize={HEAP}", str(HERE / "chip" / "main.py")]
        command += [str(sender), str(self._folder), str(cause), self._efuses.mac.hex(), "raw" if is_raw else "friendly"]
        self._machine = subprocess.Popen(
            command,
            stdin=self._terminal.slave,
            stdout=self._terminal.slave,
            stderr=self._terminal.slave,
            pass_fds=[sender],
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env=vm.environment(HERE / "chip", vm.ESP32_MODULES),
        )
        os.close(sender)
        self._terminal.started()

    def _end(self):
        if self._machine is None:
            return None
        self._machine.kill()
        code = self._machine.wait()
        self._terminal.close()
        os.close(self._events)
        self._machine = self._terminal = self._events = None
        self._text = b""
        return code

    def _ended(self):
        """The VM ended by itself: a soft reset, or a crash."""
        is_raw = self._terminal.is_raw
        self._machine.wait()
        code = self._end()
        if code is not None and code < 0:
            self._write(b"Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was unhandled.\r\n")
            self._restart("SW_CPU_RESET")
            return
        self._tell("soft_reset")
        self._write(b"MPY: soft reboot\r\n")
        self._run(SOFT_RESET, is_raw)

    def _restart(self, cause):
        self._tell("reset", into="program", cause=cause)
        self.start(cause)

    def _hear(self):
        """What the chip's modules tell: see chip/world.py."""
        data = os.read(self._events, 65536)
        *lines, self._text = (self._text + data).split(b"\n")
        for line in lines:
            word, _, rest = line.decode().partition(" ")
            if word == "ready":
                self._tell("running")
                self._terminal.ready()
            elif word == "wdt":
                self._timeout_s = int(rest) / 1000
                self._bite_s = time.monotonic() + self._timeout_s
            elif word == "feed":
                self._bite_s = time.monotonic() + self._timeout_s
            elif word == "reset":
                while select.select([self._terminal.master], [], [], 0)[0] and self._terminal.read():
                    pass  # what was printed before it
                self._restart("SW_CPU_RESET")
                return
            else:
                self._tell(word, what=rest)
