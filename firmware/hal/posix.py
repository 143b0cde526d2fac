"""A bare process on a host: real clock, files, network; its light is a line on standard output.

MicroPython's unix port. `firmware.hal.simulated` stands on this board and gives it a lamp.
"""

import asyncio
import gc
import os
import sys
import time

from firmware.hal import identity_file, udp_wait
from firmware.hal.ticks import Ticks
from firmware.hal.udp import Udp

RESET_EXIT_CODE = 3  # the parent starts the process again, as the chip would
MARK = "reset_cause"


def make_folder(arguments):
    """Path of the flash folder, made if it is missing and its parent exists."""
    directory = arguments.get("directory") or "."
    if len(directory) > 1:
        directory = directory.rstrip("/")
    try:
        os.mkdir(directory)
    except OSError:
        pass  # it is there; if it could not be made, the first write says so
    return directory


class Board:
    """See the verbs in `firmware.hal`. `arguments`: `directory` (the working directory), `boot_permille` (1000)."""

    name = "posix"
    rtc_rate = 1

    def __init__(self, arguments):
        self.directory = make_folder(arguments)
        self.model = "MicroPython on " + sys.platform
        self._clock = Ticks(time.ticks_ms, time.ticks_diff)
        self._permille = max(0, min(1000, int(arguments.get("boot_permille", 1000))))
        self._closed = True
        self._show()
        self._cause = self._take_mark()

    def ticks_ms(self):
        return self._clock.now()

    def rtc_ms(self):
        return self._clock.now()

    async def sleep_ms(self, ms):
        await asyncio.sleep_ms(ms)

    def drive(self, permille):
        permille = max(0, min(1000, int(permille)))
        if permille != self._permille:
            self._permille = permille
            self._show()

    def switch(self, closed):
        closed = bool(closed)
        if closed != self._closed:
            self._closed = closed
            self._show()

    def measure(self):
        return None

    def lux(self):
        return None

    def celsius(self):
        return None

    def feed(self):
        pass

    def reset(self):
        """End the process; unlike a chip, `finally` blocks run on the way out, and nothing may depend on that."""
        self._leave_mark("software")
        sys.exit(RESET_EXIT_CODE)

    def reset_cause(self):
        return self._cause

    def random(self, n):
        return os.urandom(n)

    def memory(self):
        free = gc.mem_free()
        return free, free + gc.mem_alloc()

    def sync(self):
        """Nothing: a closed file outlives this process, and the host's own power is not the lamp's."""

    def identity(self):
        return identity_file.load(self.directory)

    async def connect(self):
        return True

    def is_connected(self):
        return True

    def address(self):
        return "127.0.0.1"

    def rssi_dbm(self):
        return None

    def open_udp(self):
        return Udp(udp_wait.readable, self.random)

    def _show(self):
        sys.stdout.write("output permille=%d relay=%d\n" % (self._permille, self._closed))

    def _leave_mark(self, cause):
        with open(self.directory + "/" + MARK, "w") as file:
            file.write(cause)

    def _take_mark(self):
        """Why the last process ended, told once; without a mark it was the power."""
        path = self.directory + "/" + MARK
        try:
            with open(path) as file:
                cause = file.read().strip()
            os.remove(path)
        except OSError:
            return "power"
        return cause if cause in ("software", "watchdog", "brownout") else "unknown"


def open_board(arguments):
    return Board(arguments)
