"""A lamp with physics on the MicroPython VM: a power curve, a supply, a temperature, faults, and a fast wall clock.

State lives in `directory`; the world around it in `simulation.json` there (`firmware.hal.simulated_conditions`).
Every change of the output is one line `<CLOCK_MONOTONIC ns> <permille> <relay 0|1>` in the trace file (default
`<directory>/trace`), which a reader sees at once; the first line is the power-up. It shows what a probe on the
controller's pins would see: the relay as commanded, whatever its contacts do. `time.ticks_us` of the unix port is
CLOCK_MONOTONIC, so that the lines compare with `time.monotonic_ns()` of any process on the host.

`rtc_ms` runs `rtc_rate` times as fast as the ticks, or as `rtc_plan` says. Exit code 3 is a reset, SIGALRM is the
watchdog's bite.
"""

import sys
import time

from firmware.hal import posix, simulated_conditions, udp_wait
from firmware.hal.simulated_lamp import Lamp
from firmware.hal.simulated_udp import LatchingUdp
from firmware.hal.simulated_watchdog import Watchdog

MILLION = 1000000

# So long a lamp with the fault "reset_loop" lives if it measures: it has joined its server by then, if it is near.
SHORT_LIFE_MS = 3000
EIO = 5
HANG_S = 3600


class Board(posix.Board):
    """See the verbs in `firmware.hal`. `arguments`: `directory`, `trace`, `boot_permille` (1000), `watchdog` (True),
    `faults` (names of `simulated_conditions.FAULTS` that hold whatever simulation.json says)."""

    name = "simulated"

    def __init__(self, arguments):
        directory = posix.make_folder(arguments)
        self._trace = open(arguments.get("trace") or directory + "/trace", "a")
        posix.Board.__init__(self, arguments)
        self.model = "simulated luminaire, " + self.model
        self._watcher = simulated_conditions.Watcher(
            directory + "/" + simulated_conditions.NAME, _complain, arguments.get("faults", ())
        )
        self._rtc_us = 0
        self._rtc_rest = 0
        self._rtc_ticks_us = time.ticks_us()
        self._lamp = Lamp(self._watcher.conditions, self._permille, self._closed, self.rtc_ms())
        self._watchdog = None
        if arguments.get("watchdog", True):
            self._watchdog = Watchdog(self.directory + "/" + posix.MARK)

    @property
    def rtc_rate(self):
        return _rate_at(self._watcher.conditions, time.ticks_us())

    def rtc_ms(self):
        self._look()
        return self._advance() // 1000

    def drive(self, permille):
        self._settle()
        posix.Board.drive(self, permille)
        self._lamp.permille = self._permille

    def switch(self, closed):
        self._settle()
        posix.Board.switch(self, closed)
        self._lamp.closed = self._closed

    def measure(self):
        if self._has("reset_loop") and self.ticks_ms() >= SHORT_LIFE_MS:
            self.reset()
        return self._lamp.measure(self.rtc_ms())

    def lux(self):
        self._look()
        return 0.0 if self._has("photocell_stuck") else self._watcher.conditions.lux

    def celsius(self):
        return self._lamp.celsius(self.rtc_ms())

    def feed(self):
        if self._watchdog is not None:
            self._watchdog.feed()

    def reset(self):
        self._trace.close()
        posix.Board.reset(self)

    def sync(self):
        self._look()
        if self._has("storage_error"):
            raise OSError(EIO)

    async def connect(self):
        return self.is_connected()

    def is_connected(self):
        self._look()
        return self._watcher.conditions.network

    def address(self):
        return "127.0.0.1" if self.is_connected() else None

    def rssi_dbm(self):
        return self._watcher.conditions.rssi_dbm if self.is_connected() else None

    def open_udp(self):
        return LatchingUdp(udp_wait.readable, self.random, self.is_connected)

    def _has(self, fault):
        return fault in self._watcher.conditions.faults

    def _show(self):
        # Files of the unix port are not buffered: a write is one system call, and a flush would wait for the disk.
        self._trace.write("%d %d %d\n" % (time.ticks_us() * 1000, self._permille, self._closed))

    def _settle(self):
        self._lamp.settle(self.rtc_ms())

    def _look(self):
        """Take changed conditions from now on: the time and the energy until now belong to the old ones."""
        before = self._watcher.conditions
        if self._watcher.look(self.ticks_ms()):
            now_ms = self._advance(before) // 1000
            self._lamp.settle(now_ms)
            self._lamp.conditions = self._watcher.conditions
            if self._watcher.conditions.hangs > before.hangs:
                # As a driver that waits for a chip that will not answer: nothing else runs, and no CPU is burnt.
                while True:
                    time.sleep(HANG_S)

    def _advance(self, conditions=None):
        """Carry the RTC forward at the rates of `conditions`; microseconds since power-up."""
        conditions = conditions or self._watcher.conditions
        now_us = time.ticks_us()
        for moment, _ in conditions.rtc_plan:
            if self._rtc_ticks_us < moment <= now_us:
                self._carry(conditions, moment)
        self._carry(conditions, now_us)
        return self._rtc_us

    def _carry(self, conditions, until_us):
        """Forward to `until_us`; the rate is the same all the way."""
        rate = _rate_at(conditions, self._rtc_ticks_us)
        elapsed_us = time.ticks_diff(until_us, self._rtc_ticks_us)
        per_million = int(rate * MILLION) + int(rate * conditions.drift_ppm)
        # What the division leaves over is kept, or a clock that is asked often would run slow.
        gained_us, self._rtc_rest = divmod(elapsed_us * per_million + self._rtc_rest, MILLION)
        self._rtc_us += gained_us
        self._rtc_ticks_us = until_us


def _rate_at(conditions, ticks_us):
    """RTC ms per tick ms at a moment."""
    rate = conditions.rtc_rate
    for moment, planned in conditions.rtc_plan:
        if moment > ticks_us:
            break
        rate = planned
    return rate


def _complain(text):
    sys.stderr.write(text + "\n")


def open_board(arguments):
    return Board(arguments)
