"""A probe (`hil/probe`: an RP2040, or an ESP32) as the bench's instrument, over its USB serial port.

A thread listens; all else is in `hil.drivers.probe_recorder` and `hil.drivers.clock_fit`. The probe says what it is, so
that both kinds of chip have one driver.
"""

import contextlib
import struct
import threading
import time
from collections.abc import Callable
from typing import Protocol

import serial

from hil.drivers.clock_fit import Exchange, Exchanges
from hil.drivers.probe_recorder import REINSTALL, Hello, Recorder
from hil.edges import EdgeTrace
from hil.errors import InstrumentFailed, InstrumentSilent, NothingSeen
from hil.probe import wire
from hil.seams import Instant, Waveform

ANSWER_S = 2.0
READ_S = 0.05
# Of a USB bridge, as an ESP32 has it; USB of the chip itself takes no notice.
BAUD = 115_200
# Of a burst the tightest is kept; an exchange takes a millisecond or two over USB.
BURST = 12
# Between the pistol that starts the counters and the reading of the microseconds that the marks are in.
ANCHOR_NS = 20_000
FULL_SCALE = 4095
# The RP2040's converter has 8.7 good bits.
SENSOR_UNCERTAINTY = 10 / FULL_SCALE


class Port(Protocol):
    """What is used of a serial port; `read` gives b"" after READ_S at the latest."""

    def read(self, size: int, /) -> bytes: ...

    def write(self, data: bytes, /) -> int | None: ...

    def close(self) -> None: ...


def open_port(path: str) -> Port:
    """Raises InstrumentSilent when there is no such port, or it is taken."""
    try:
        opened: Port = serial.Serial(path, BAUD, timeout=READ_S, exclusive=True)
    except (serial.SerialException, OSError) as error:
        raise InstrumentSilent(f"the probe's port {path} cannot be opened ({error})", _PORT) from None
    return opened


class Probe:
    """Channels are named by number. `path` is for messages; raises InstrumentFailed when no right probe answers."""

    def __init__(self, port: Port, path: str = "", now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._port = port
        self._path = path
        self._now_ns = now_ns
        self._changed = threading.Condition()
        self._recorder = Recorder()
        self._receiver = wire.Receiver()
        self._exchanges = Exchanges(self._exchange, BURST, ANCHOR_NS)
        self._token = 0
        self._gone: InstrumentFailed | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        try:
            self._ask(wire.ASK_HELLO, b"", lambda: self._recorder.hello is not None)
        except BaseException:
            self.close()
            raise

    @property
    def hello(self) -> Hello:
        assert self._recorder.hello is not None
        return self._recorder.hello

    def describe(self) -> str:
        return f"{self.hello.name}, {self.hello.channels} channels, {self.hello.step_ps / 1000:g} ns"

    def start(self) -> None:
        with self._changed:
            self._recorder.restart()
            self._exchanges.clear()
        channels = (1 << self.hello.channels) - 1
        self._ask(wire.ASK_START, struct.pack(wire.START, channels), lambda: self._recorder.has_started)
        self._exchanges.add()

    def stamp(self, host_ns: int) -> Instant:
        return self._exchanges.stamp(host_ns)

    def trace(self, channel: str, since_ns: int) -> EdgeTrace:
        self._check(channel)
        self._exchange()  # after its answer no earlier edge is on its way
        with self._changed:
            return self._recorder.store.trace(channel, since_ns)

    def wait(self, channel: str, since_ns: int, timeout_s: float) -> int:
        self._check(channel)
        if not self._until(lambda: self._recorder.store.first_after(channel, since_ns) is not None, timeout_s):
            self._exchange()  # silent, or truly nothing
        with self._changed:
            found = self._recorder.store.first_after(channel, since_ns)
        if found is None:
            raise NothingSeen(
                f"channel {channel} of the probe had no edge within {timeout_s:g} s",
                "look at its wire, the common ground, and whether the lamp is alive",
            )
        return found

    def levels(self) -> int:
        """What the channels showed at the last beat, a bit each: for `doctor`."""
        return self._recorder.levels

    def sample(self, period_ns: int, count: int) -> Waveform:
        """`count` samples of the sensor; the probe may take them a little faster or slower than each `period_ns`."""
        with self._changed:
            _ = self._recorder.store  # raises when nothing was started
            self._recorder.forget_wave()
        asked = struct.pack(wire.SAMPLE, period_ns, count)
        recorder = self._recorder
        self._ask(
            wire.ASK_SAMPLE,
            asked,
            lambda: recorder.wave_total is not None and len(recorder.wave) >= recorder.wave_total,
            ANSWER_S + 2 * period_ns * count / 1e9,
        )
        if not recorder.wave_total:
            raise InstrumentFailed("this probe cannot sample a sensor", "use a probe with an RP2040, and fewer samples")
        levels = tuple(value / FULL_SCALE for value in recorder.wave)
        return Waveform(recorder.wave_start_ns, float(recorder.wave_period_ns), levels, SENSOR_UNCERTAINTY)

    def quit(self) -> None:
        """The probe goes to its MicroPython prompt, for a new program."""
        self._send(wire.ASK_QUIT, b"")

    def close(self) -> None:
        """Idempotent."""
        self._closing = True
        if self._thread is not threading.current_thread():
            self._thread.join()
        with contextlib.suppress(OSError):
            self._port.close()

    def _exchange(self) -> Exchange:
        with self._changed:
            token = self._token = (self._token + 1) & 0xFFFFFFFF
        sent_ns = self._now_ns()
        self._ask(wire.ASK_SYNC, struct.pack(wire.TOKEN, token), lambda: token in self._recorder.syncs)
        with self._changed:
            reply = self._recorder.syncs.pop(token)
        return Exchange(sent_ns, reply.clock_ns, reply.received_ns)

    def _check(self, channel: str) -> None:
        if not (channel.isdecimal() and int(channel) < self.hello.channels):
            known = f"0 to {self.hello.channels - 1}"
            raise InstrumentFailed(f"the probe has no channel {channel}", f"name one of {known} in bench.toml")

    def _ask(self, kind: int, payload: bytes, is_answered: Callable[[], bool], timeout_s: float = ANSWER_S) -> None:
        self._send(kind, payload)
        if not self._until(is_answered, timeout_s):
            garbage = f", {self._receiver.garbage} pieces of garbage came" if self._receiver.garbage else ""
            raise InstrumentSilent(f"the probe at {self._path} does not answer{garbage}", f"{_PORT}; or {REINSTALL}")

    def _send(self, kind: int, payload: bytes) -> None:
        try:
            self._port.write(wire.encode(kind, 0, 0, payload))
        except OSError as error:  # SerialException is one
            raise InstrumentSilent(f"the probe's port {self._path} is gone ({error})", _PORT) from None

    def _until(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for what the probe says; raises what has failed meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._failure() is not None or is_so(), timeout_s)
            failure = self._failure()
            if failure is not None:
                raise failure
            return is_so()

    def _failure(self) -> InstrumentFailed | None:
        return self._gone or self._recorder.failure

    def _listen(self) -> None:
        while not self._closing:
            try:
                # One byte at least, and with it whatever else is there: no waiting for more.
                data = self._port.read(max(1, getattr(self._port, "in_waiting", 4096)))
            except (OSError, TypeError) as error:  # TypeError: pyserial, when the port is closed under it
                with self._changed:
                    self._gone = InstrumentSilent(f"the probe's port {self._path} is gone ({error})", _PORT)
                    self._changed.notify_all()
                return
            now_ns = self._now_ns()
            if data:
                with self._changed:
                    for frame in self._receiver.feed(data):
                        self._recorder.take(frame, now_ns)
                    self._changed.notify_all()


_PORT = "look at its cable and at [instrument] port in bench.toml, and close what else has it open"
