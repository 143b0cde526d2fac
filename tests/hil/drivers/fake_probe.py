"""A probe without a wire: the true program over a stand-in chip, in this process, and everything that can befall it."""

import itertools
import threading

from hil.probe import wire
from hil.probe.program import Program
from tests.hil.probe.chip import Capture


class Time:
    """A clock that goes on by itself as little as it may, and far when it is told to."""

    def __init__(self) -> None:
        self.ns = 5_000_000_000
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        with self._lock:
            self.ns += 1000
            return self.ns

    def ticks_us(self) -> int:
        return self.now_ns() // 1000 & 0x3FFFFFFF


class FakePort:
    """A serial port with a probe at its end. The test turns the screws: `is_silent`, `garbage`, `swallow` (how many of
    the next writes of the probe are lost), `unplug`, `reset`. `skew_ppm` makes the probe's crystal fast."""

    def __init__(self, time: Time, has_sensor: bool = True, half_periods_us: tuple[int, int] = (500, 0)) -> None:
        self.time = time
        self.is_silent = False
        self.garbage = b""
        self.swallow = 0
        self.delay_ns = 200_000
        self.skew_ppm = 0
        self.version = wire.VERSION
        self._boots = itertools.count(1000)
        self._to_probe = b""
        self._to_host = b""
        self._is_gone = False
        self._changed = threading.Condition()
        self._has_sensor, self._half_periods_us = has_sensor, half_periods_us
        self.reset()

    def reset(self) -> None:
        ticks_us = lambda: (self.time.now_ns() * (1_000_000 + self.skew_ppm) // 1_000_000_000) & 0x3FFFFFFF  # noqa: E731
        self.chip = Capture(ticks_us, self._half_periods_us, self._has_sensor)
        self._program = Program(self.chip, _Ends(self), next(self._boots))

    def unplug(self) -> None:
        with self._changed:
            self._is_gone = True
            self._changed.notify_all()

    def turn(self) -> None:
        """Let the probe work once without being asked."""
        with self._changed:
            self._program.turn()
            self._changed.notify_all()

    def write(self, data: bytes, /) -> int:
        with self._changed:
            if self._is_gone:
                raise OSError(5, "Input/output error")
            self._to_probe += data
            self.time.ns += self.delay_ns
            if not self.is_silent:
                self._program.turn()
            self.time.ns += self.delay_ns
            self._changed.notify_all()
        return len(data)

    def read(self, size: int, /) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._is_gone or self._to_host, 0.02)
            if self._is_gone:
                raise OSError(5, "Input/output error")
            data, self._to_host = self._to_host[:size], self._to_host[size:]
            return data

    def close(self) -> None:
        pass


class _Ends:
    """The probe's side."""

    def __init__(self, port: FakePort) -> None:
        self._port = port

    def read(self) -> bytes:
        data, self._port._to_probe = self._port._to_probe, b""
        return data

    def write(self, data: bytes) -> None:
        port = self._port
        if port.swallow:
            port.swallow -= 1
            return
        kind, number, boot, payload = wire.Receiver().feed(data)[0]
        if kind == wire.HELLO:
            payload = bytes([port.version]) + payload[1:]
        port._to_host += port.garbage + wire.encode(kind, number, boot, payload)
