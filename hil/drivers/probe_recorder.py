"""What a probe said, frame by frame, as edges, clock and failures. Pure; `hil.drivers.probe` feeds it.

Source of truth: `hil.probe.wire`.
"""

import struct
from dataclasses import dataclass

from hil.drivers.edge_store import LESS, EdgeStore
from hil.errors import InstrumentFailed, InstrumentReset, TraceOverflow
from hil.probe import wire

REINSTALL = "write the program to the probe anew (docs/bench.md, the probe)"
REPLUG = "look at the probe's cable and supply, and start the run again"


@dataclass(frozen=True)
class Hello:
    """What the probe is; `step_ps` is the step of its counter, which has `counter_bits`."""

    name: str
    channels: int
    counter_bits: int
    step_ps: int
    uncertainty_ns: int


@dataclass(frozen=True)
class SyncReply:
    clock_ns: int
    received_ns: int


def unwrap(word: int, fetched_us: int, counter_bits: int, step_ps: int) -> int:
    """ns since the start of an edge whose counter stood at `word` when its higher bits are cut off.

    It was fetched within one turn of the counter; the clock of the fetching may be early by a sixteenth of a turn.
    """
    turn = 1 << counter_bits
    newest = fetched_us * 1_000_000 // step_ps + turn // 16
    steps = newest - (newest - word) % turn
    return steps * step_ps // 1000


class Recorder:
    """From one start of the probe to the next. `failure` is the first that went wrong; from then on nothing is
    believed. Moments `now_ns` are the host's."""

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.failure: InstrumentFailed | None = None
        self.has_started = False
        self.levels = 0
        self.syncs: dict[int, SyncReply] = {}
        self.wave: list[int] = []
        self.wave_start_ns = 0
        self.wave_period_ns = 0
        self.wave_total: int | None = None
        self._boot: int | None = None
        self._number: int | None = None
        self._store: EdgeStore | None = None

    def restart(self) -> None:
        """The probe will be told to start: what it says until it has is of no interest."""
        self.has_started = False
        self.failure = self._store = self._boot = self._number = None
        self.syncs.clear()
        self.forget_wave()

    def forget_wave(self) -> None:
        self.wave, self.wave_total = [], None

    @property
    def store(self) -> EdgeStore:
        if self._store is None:
            raise InstrumentFailed("the probe was not started", "call start before anything is measured")
        return self._store

    def take(self, frame: tuple[int, int, int, bytes], now_ns: int) -> None:
        """One frame of the probe. What is wrong with it becomes `failure`."""
        kind, number, boot, payload = frame
        try:
            if kind == wire.HELLO:
                self._greet(payload)
            elif kind == wire.STARTED:
                self._begin()
            if self.has_started:
                self._check_order(number, boot)
                self._believe(kind, payload, now_ns)
        except InstrumentFailed as error:
            self.failure = self.failure or error
        except (struct.error, IndexError):
            self.failure = self.failure or InstrumentFailed(f"the probe's frame {kind:#x} is no such frame", REINSTALL)

    def _greet(self, payload: bytes) -> None:
        size = struct.calcsize(wire.HELLO_HEAD)
        version = payload[0]
        if version != wire.VERSION:
            raise InstrumentFailed(f"the probe speaks version {version}, this program {wire.VERSION}", REINSTALL)
        _, channels, bits, step_ps, uncertainty_ns = struct.unpack(wire.HELLO_HEAD, payload[:size])
        self.hello = Hello(payload[size:].decode("utf-8", "replace"), channels, bits, step_ps, uncertainty_ns)

    def _begin(self) -> None:
        if self.hello is None:
            raise InstrumentFailed("the probe starts and never said what it is", REINSTALL)
        resolution_ns = max(1, self.hello.step_ps // 1000)
        self._store = EdgeStore(self.hello.name.split(" ")[0], resolution_ns, self.hello.uncertainty_ns)
        self.has_started = True

    def _check_order(self, number: int, boot: int) -> None:
        if self._boot is not None and boot != self._boot:
            raise InstrumentReset("the probe started again in the middle", REPLUG)
        if self._number is not None and number != (self._number + 1) & 0xFFFF:
            missing = (number - self._number - 1) & 0xFFFF
            raise TraceOverflow(f"{missing} frames of the probe are missing", LESS)
        self._boot, self._number = boot, number

    def _believe(self, kind: int, payload: bytes, now_ns: int) -> None:
        if kind == wire.EDGES:
            self._add(payload)
        elif kind == wire.SYNC:
            token, clock_us, lost = struct.unpack(wire.SYNC_REPLY, payload)
            self.syncs[token] = SyncReply(clock_us * 1000, now_ns)
            self._check_lost(lost)
        elif kind == wire.BEAT:
            _, self.levels, lost = struct.unpack(wire.BEAT_BODY, payload)
            self._check_lost(lost)
        elif kind == wire.WAVE:
            size = struct.calcsize(wire.WAVE_HEAD)
            start_us, period_ns, total, first = struct.unpack(wire.WAVE_HEAD, payload[:size])
            if total and first == len(self.wave):
                self.wave += struct.unpack(f"<{(len(payload) - size) // 2}H", payload[size:])
            self.wave_start_ns, self.wave_period_ns, self.wave_total = start_us * 1000, period_ns, total

    def _add(self, payload: bytes) -> None:
        assert self.hello is not None
        size = struct.calcsize(wire.EDGES_HEAD)
        channel, level, fetched_us = struct.unpack(wire.EDGES_HEAD, payload[:size])
        words = struct.unpack(f"<{(len(payload) - size) // 4}I", payload[size:])
        bits, step_ps = self.hello.counter_bits, self.hello.step_ps
        self.store.add(str(channel), level, [unwrap(word, fetched_us, bits, step_ps) for word in words])

    def _check_lost(self, lost: int) -> None:
        if lost:
            channels = ", ".join(str(channel) for channel in range(8) if lost >> channel & 1)
            raise TraceOverflow(f"the probe lost edges on channel {channels}", LESS)
