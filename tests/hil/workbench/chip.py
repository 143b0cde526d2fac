"""The probe's chip, wired to dimming outputs: counters of 1 us, and a serial port of which a computer opens one end."""

import contextlib
import os
import select
import struct
import threading
import time
import tty
from collections.abc import Callable, Sequence
from typing import Any

from hil.probe.program import Program
from tests.hil.workbench.pulses import Pulses

TURN_S = 0.002


class Chip:
    """`levels[n](ns)` is what output n is set to. See tests/hil/probe/chip.py for the verbs."""

    COUNTER_BITS = 32
    STEP_PS = 1_000_000
    UNCERTAINTY_NS = 2_000
    RING_WORDS = 2048

    def __init__(self, hz: float, levels: Sequence[Callable[[int], float]]) -> None:
        self.CHANNELS = len(levels)
        self._hz, self._set = hz, levels
        self._begun_ns = 0
        self._outputs: list[Pulses] = []
        self._high = [False] * len(levels)
        self._waiting: list[list[int]] = [[] for _ in levels]

    def name(self) -> str:
        return "stand-in on a desk"

    def ticks_us(self) -> int:
        return time.monotonic_ns() // 1000 & 0x3FFFFFFF

    def start(self, mask: int) -> int:
        ticks = self.ticks_us()
        self._begun_ns = time.monotonic_ns()
        self._outputs = [Pulses(self._hz, level, self._begun_ns) for level in self._set]
        self._high = [False] * self.CHANNELS
        self._waiting = [[] for _ in self._set]
        return ticks

    def drain(self, channel: int, most: int) -> bytes:
        waiting = self._waiting[channel]
        for at_ns, is_high in self._outputs[channel].until(time.monotonic_ns()):
            waiting.append((at_ns - self._begun_ns) // 1000)
            self._high[channel] = is_high
        words = b"".join(struct.pack("<I", at_us & 0xFFFFFFFF) for at_us in waiting[:most])
        del waiting[:most]
        return words

    def levels(self) -> int:
        return sum(high << channel for channel, high in enumerate(self._high))

    def overflowed(self) -> int:
        return 0

    def sample(self, period_ns: int, count: int) -> None:
        """There is no sensor."""


class ProbeOnPort:
    """`path` is the port; the true program runs at its other end until `close`."""

    def __init__(self, chip: Chip) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._is_over = False
        self._thread = threading.Thread(target=self._run, args=(chip,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_over = True
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def _run(self, chip: Any) -> None:
        program = Program(chip, self, 77)
        while not self._is_over and program.turn():
            pass

    def read(self) -> bytes:
        ready, _, _ = select.select([self._master], [], [], TURN_S)
        return os.read(self._master, 1024) if ready else b""

    def write(self, data: bytes) -> None:
        """Nobody listens: the port's buffer fills, and the rest is lost, as on a chip whose computer sleeps."""
        with contextlib.suppress(BlockingIOError):
            while data:
                data = data[os.write(self._master, data) :]
