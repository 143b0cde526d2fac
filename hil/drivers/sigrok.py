"""A logic analyser by sigrok-cli (fx2lafw clones: 42 ns at 24 MHz) as the bench's instrument.

It knows nothing of the computer's moments, so the host makes marks: a USB serial adapter's DTR is wired to a channel,
and toggled between two readings of the clock. The same mark says that everything before it has been dumped.

Source of truth: sigrok-cli(1). It ends at the first byte of its standard input, so that stays open and still.
"""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import serial

from hil.drivers.clock_fit import Exchange, Exchanges
from hil.drivers.commands import NOT_THERE, run
from hil.drivers.edge_store import EdgeStore
from hil.drivers.vcd import Dump
from hil.edges import EdgeTrace
from hil.errors import InstrumentFailed, InstrumentSilent, NothingSeen
from hil.seams import Instant

START_S = 10.0
MARK_S = 3.0
END_S = 3.0
BURST = 4
INSTALL = "install it (Debian: apt-get install sigrok-cli)"


class Marker(Protocol):
    """A wire from this computer to a channel."""

    def toggle(self) -> None:
        """Returns after the wire has changed; raises OSError."""

    def close(self) -> None: ...


class DtrMarker:
    """DTR of a USB serial adapter."""

    def __init__(self, path: str) -> None:
        try:
            self._port = serial.Serial(path, exclusive=True)
        except (serial.SerialException, OSError) as error:
            raise InstrumentSilent(f"the marker's port {path} cannot be opened ({error})", _WIRE) from None

    def toggle(self) -> None:
        self._port.dtr = not self._port.dtr

    def close(self) -> None:
        self._port.close()


@dataclass(frozen=True)
class Setting:
    """`device` as sigrok-cli's -d takes it; `channels` by sigrok's names (D0 ...), the marker's among them.

    `ppm`: how much the analyser's crystal is fast, from a calibration (docs/bench.md); 50 to 100 are common.
    """

    device: str
    samplerate_hz: int
    channels: tuple[str, ...]
    marker_channel: str
    ppm: float = 0.0

    @property
    def command(self) -> Sequence[str]:
        rate = f"samplerate={self.samplerate_hz}"
        return ["sigrok-cli", "-d", self.device, "--config", rate, "-C", ",".join(self.channels), "--continuous",
                "-O", "vcd"]  # fmt: skip


class Sigrok:
    """Raises InstrumentSilent at once when there is no sigrok-cli."""

    def __init__(self, setting: Setting, marker: Marker, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._setting, self._marker, self._now_ns = setting, marker, now_ns
        self._period_ns = max(1, -(-1_000_000_000 // setting.samplerate_hz))
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._exchanges = Exchanges(self._mark, BURST, self._period_ns)
        self._failure: InstrumentFailed | None = None
        said = run(["sigrok-cli", "--version"])
        if said.status == NOT_THERE:
            raise InstrumentSilent("there is no sigrok-cli", INSTALL)
        self._version = said.out.partition("\n")[0]

    def describe(self) -> str:
        return f"{self._version}, {self._setting.device} at {self._setting.samplerate_hz} Hz"

    def start(self) -> None:
        self._end()
        self._dump = Dump()
        self._store = EdgeStore(self._setting.device.partition(":")[0], self._period_ns, self._period_ns)
        self._exchanges.clear()
        self._failure = None
        self._mark_ns = 0
        self._has_begun = False
        self._process = subprocess.Popen(
            self._setting.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._thread = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._thread.start()
        # From the first samples on; how the channels begin is not taken for a mark.
        if not self._until(lambda: self._has_begun, START_S):
            raise InstrumentSilent("the logic analyser says nothing", _PLUG)

    def stamp(self, host_ns: int) -> Instant:
        return self._exchanges.stamp(host_ns)

    def trace(self, channel: str, since_ns: int) -> EdgeTrace:
        self._check(channel)
        self._mark()
        with self._changed:
            return self._store.trace(channel, since_ns)

    def wait(self, channel: str, since_ns: int, timeout_s: float) -> int:
        self._check(channel)
        if not self._until(lambda: self._store.first_after(channel, since_ns) is not None, timeout_s):
            raise NothingSeen(
                f"channel {channel} of the logic analyser had no edge within {timeout_s:g} s",
                "look at its wire, the common ground, and whether the lamp is alive",
            )
        with self._changed:
            found = self._store.first_after(channel, since_ns)
        assert found is not None
        return found

    def close(self) -> None:
        """Idempotent."""
        self._end()
        self._marker.close()

    def _mark(self) -> Exchange:
        """The wire changes between two readings of the clock, and its edge comes with all that was before it."""
        last_ns = self._mark_ns
        sent_ns = self._now_ns()
        try:
            self._marker.toggle()
        except OSError as error:
            raise InstrumentSilent(f"the marker cannot be set ({error})", _WIRE) from None
        received_ns = self._now_ns()
        channel = self._setting.marker_channel
        if not self._until(lambda: self._store.first_after(channel, last_ns) is not None, MARK_S):
            raise InstrumentSilent(f"the marker's edge does not come on channel {channel}", _WIRE)
        with self._changed:
            at_ns = self._store.first_after(channel, last_ns)
        assert at_ns is not None
        self._mark_ns = at_ns
        return Exchange(sent_ns, at_ns, received_ns)

    def _check(self, channel: str) -> None:
        if channel not in self._setting.channels:
            known = ", ".join(self._setting.channels)
            raise InstrumentFailed(f"the logic analyser does not watch {channel}", f"name one of {known} in bench.toml")

    def _until(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._failure is not None or is_so(), timeout_s)
            if self._failure is not None:
                raise self._failure
            return is_so()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        try:
            while data := os.read(process.stdout.fileno(), 65536):
                with self._changed:
                    for change in self._dump.feed(data):
                        self._has_begun = True
                        self._take(change.channel, change.level, change.t_ns)
                    self._changed.notify_all()
            assert process.stderr is not None
            words = process.stderr.read().decode("utf-8", "replace").strip()[-200:]
            raise InstrumentFailed(f"sigrok-cli ended by itself ({words or 'without a word'})", _PLUG)
        except InstrumentFailed as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _take(self, channel: str, level: int, t_ns: int) -> None:
        """What is told at the start is a level; it is an edge only where it is not dark."""
        if level == self._store.level(channel):
            return
        self._store.add(channel, level, [t_ns - round(t_ns * self._setting.ppm * 1e-6)])

    def _end(self) -> None:
        process, thread, self._process, self._thread = self._process, self._thread, None, None
        if process is None or thread is None:
            return
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        with contextlib.suppress(OSError):
            process.stdin.write(b"\n")
            process.stdin.flush()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        thread.join()
        for file in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                file.close()


_PLUG = "look at its cable, give it a USB port without a hub, lower the sample rate; `sigrok-cli --scan` must find it"
_WIRE = "look at the wire from the serial adapter's DTR to the marker's channel, and at marker_port in bench.toml"
