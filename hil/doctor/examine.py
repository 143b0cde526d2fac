"""The doctor's examinations, in the order in which faults are best understood: clock and instrument, consoles, power,
network and commands. One that cannot be made for the fault of an earlier one is left out, so that one wrong wire is one
finding.

The bench is left as it was found: boards with power, the network whole, overrides cancelled, whatever happens.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from hil import light
from hil.analysis.latency import THRESHOLD
from hil.analysis.pwm import pwm
from hil.bench import Bench
from hil.doctor.findings import Finding, Kind
from hil.edges import EdgeTrace
from hil.errors import BenchError, ConsoleFailed, InstrumentFailed, InstrumentReset, TraceOverflow
from hil.patience import pause

MOST_UNSURE_MS = 100.0
LEVELS = (30, 70)
FULL = 100
FREQUENCY_SHARE = 0.01


@dataclass(frozen=True)
class Patience:
    """Seconds: for a supply to empty and fill, for a look at a channel, for a board to join, for a command."""

    dark: float = 1.0
    look: float = 0.3
    start: float = 5.0
    join: float = 60.0
    follow: float = 5.0


class Doctor:
    """Examines one open bench, once."""

    def __init__(self, bench: Bench, patience: Patience = Patience()) -> None:
        self._bench = bench
        self._patience = patience
        self._boards = range(len(bench.stands))
        self._overrides: list[int] = []
        # Boards whose light can be trusted to be theirs.
        self._sound = set(self._boards)

    def examine(self) -> list[Finding]:
        """All that is wrong; empty when nothing is."""
        found: list[Finding] = []
        try:
            for examination in (self._clock, self._instrument, self._consoles, self._power, self._online):
                found += examination()
                if any(one.kind in (Kind.SILENT, Kind.OVERFLOW, Kind.RESET) for one in found):
                    return found
            found += self._commands()
            found += self._frequencies()
            found += self._cuts()
        except InstrumentFailed as error:
            found.append(Finding(_kind_of(error), error.detail))
        except BenchError as error:
            found.append(Finding(Kind.BENCH, str(error)))
        finally:
            self._restore()
        return found

    def _restore(self) -> None:
        for board, stand in enumerate(self._bench.stands):
            self._bench.network.restore(board)
            stand.power.on()
        for override in self._overrides:
            self._bench.desk.cancel(override)

    def _clock(self) -> Iterator[Finding]:
        try:
            unsure_ms = self._bench.clock.uncertainty_ms()
        except BenchError as error:
            yield Finding(Kind.CLOCK, error.detail)
            return
        if unsure_ms > MOST_UNSURE_MS:
            yield Finding(
                Kind.CLOCK, f"true time is known within {unsure_ms:.0f} ms; at most {MOST_UNSURE_MS:.0f} will do"
            )

    def _instrument(self) -> Iterator[Finding]:
        try:
            self._bench.instrument.start()
            since_ns = light.now_ns(self._bench)
            self._wait(self._patience.look)
            for stand in self._bench.stands:
                self._bench.instrument.trace(stand.channel, since_ns)
        except InstrumentFailed as error:
            yield Finding(_kind_of(error), error.detail)

    def _consoles(self) -> Iterator[Finding]:
        endpoints = {stand.endpoint: stand.name for stand in self._bench.stands}
        for stand in self._bench.stands:
            if stand.console is None:
                continue
            try:
                said = stand.console.describe().endpoint
            except ConsoleFailed as error:
                yield Finding(Kind.CONSOLE, error.detail, stand.name)
                continue
            # A board without an identity is told by what follows: it is not online.
            if said and said != stand.endpoint:
                other = endpoints.get(said, "a board that is not in bench.toml")
                yield Finding(Kind.CONSOLE_SWAPPED, f"its console is that of {other} ({said})", stand.name)

    def _power(self) -> Iterator[Finding]:
        """One board after the other goes dark and comes back: whose light went with it?"""
        for stand in self._bench.stands:
            stand.power.on()
        self._wait(self._patience.start)
        for board, stand in enumerate(self._bench.stands):
            stand.power.off()
            self._wait(self._patience.dark)
            dark = [self._look(other) for other in self._boards]
            supply = self._supply(board)
            stand.power.on()
            self._wait(self._patience.start)
            lit = [self._look(other) for other in self._boards]
            moved = [other for other in self._boards if abs(_mean(lit[other]) - _mean(dark[other])) > THRESHOLD]
            if _edges(dark[board]) > 2:
                self._sound.discard(board)
                yield Finding(Kind.FLOATING, f"{_edges(dark[board])} edges while it had no power", stand.name)
            elif moved != [board]:
                self._sound.discard(board)
                yield self._misplaced(board, moved, dark[board])
            if supply is not None and (supply, self._supply(board)) != (0.0, 1.0):
                yield Finding(Kind.SUPPLY_CHANNEL, f"channel {stand.supply_channel} did not fall and rise", stand.name)
            yield from self._voltage(board, "dark")

    def _misplaced(self, board: int, moved: list[int], dark: EdgeTrace) -> Finding:
        stand = self._bench.stands[board]
        others = ", ".join(self._bench.stands[other].name for other in moved if other != board)
        if others:
            return Finding(Kind.POWER_SWAPPED, f"its switch moves the channel of {others}", stand.name)
        if _mean(dark) > THRESHOLD:
            return Finding(Kind.STAYS_ON, f"its light was at {_mean(dark):.0%} without power", stand.name)
        return Finding(Kind.NO_LIGHT, f"channel {stand.channel} stayed dark when the power came", stand.name)

    def _voltage(self, board: int, when: str) -> Iterator[Finding]:
        stand = self._bench.stands[board]
        volts = stand.power.voltage_v()
        if volts is not None and stand.feeder_v is not None and not stand.feeder_v[0] <= volts <= stand.feeder_v[1]:
            low, high = stand.feeder_v
            yield Finding(Kind.DROOP, f"{volts:.2f} V at {when}, and {low:g} to {high:g} V are right", stand.name)

    def _online(self) -> Iterator[Finding]:
        deadline_ns = time.monotonic_ns() + round(self._patience.join * 1e9)
        for board, stand in enumerate(self._bench.stands):
            while not self._bench.desk.is_online(board):
                if time.monotonic_ns() > deadline_ns:
                    self._sound.discard(board)
                    yield Finding(Kind.OFFLINE, "the backend does not hear it", stand.name)
                    break
                self._wait(self._patience.look)

    def _commands(self) -> Iterator[Finding]:
        for board in sorted(self._sound):
            stand = self._bench.stands[board]
            self._follow(board, LEVELS[0])
            before = [_mean(self._look(other)) for other in self._boards]
            self._follow(board, LEVELS[1])
            after = [_mean(self._look(other)) for other in self._boards]
            moved = [other for other in self._boards if abs(after[other] - before[other]) > THRESHOLD]
            if moved == [board]:
                self._follow(board, FULL)
                yield from self._voltage(board, "full light")
                continue
            self._sound.discard(board)
            others = ", ".join(self._bench.stands[other].name for other in moved if other != board)
            if others:
                yield Finding(Kind.COMMAND_SWAPPED, f"a command to it moves the channel of {others}", stand.name)
            else:
                yield Finding(Kind.DEAF, f"asked for {LEVELS[0]} and {LEVELS[1]} %, its light did not move", stand.name)

    def _frequencies(self) -> Iterator[Finding]:
        if self._bench.pwm_hz is None:
            return
        for board in sorted(self._sound):
            self._follow(board, LEVELS[0])
            since_ns = light.now_ns(self._bench)
            self._wait(self._patience.look)
            stand = self._bench.stands[board]
            try:
                found = pwm(self._bench.instrument.trace(stand.channel, since_ns), light.now_ns(self._bench), 20)
            except ValueError as error:
                yield Finding(Kind.FREQUENCY, str(error), stand.name)
                continue
            hz = found.frequency_hz
            if hz is None or abs(hz / self._bench.pwm_hz - 1) > FREQUENCY_SHARE:
                met = "no pulses" if hz is None else f"{hz:.1f} Hz"
                yield Finding(Kind.FREQUENCY, f"{met}, and pwm_hz is {self._bench.pwm_hz:g}", stand.name)

    def _cuts(self) -> Iterator[Finding]:
        for board in sorted(self._sound):
            self._follow(board, LEVELS[0])
            self._bench.network.cut(board)
            before = _mean(self._look(board))
            self._overrides.append(self._bench.desk.override(board, LEVELS[1]))
            self._wait(self._patience.follow)
            leaks = abs(_mean(self._look(board)) - before) > THRESHOLD
            self._bench.network.restore(board)
            if leaks:
                yield Finding(Kind.LEAKS, "it followed a command without a network", self._bench.stands[board].name)

    def _follow(self, board: int, level: int) -> None:
        self._overrides.append(self._bench.desk.override(board, level))
        light.reached(self._bench, board, level / 100, light.now_ns(self._bench), self._patience.follow)

    def _look(self, board: int) -> EdgeTrace:
        """The levels of a channel for a moment; dark when nothing at all is seen of it."""
        since_ns = light.now_ns(self._bench)
        self._wait(self._patience.look)
        try:
            seen = light.levels(self._bench, board, since_ns)
        except ValueError:
            seen = None
        if seen is None or not len(seen):
            return EdgeTrace(self._bench.stands[board].channel, (since_ns,), (0.0,), 1, 1, "nothing seen")
        return seen

    def _supply(self, board: int) -> float | None:
        channel = self._bench.stands[board].supply_channel
        if channel is None:
            return None
        seen = self._bench.instrument.trace(channel, light.now_ns(self._bench))
        return seen.level[-1] if len(seen) else 0.0

    def _wait(self, seconds: float) -> None:
        pause(time.monotonic_ns() + round(seconds * 1e9))


def _kind_of(error: InstrumentFailed) -> Kind:
    if isinstance(error, TraceOverflow):
        return Kind.OVERFLOW
    return Kind.RESET if isinstance(error, InstrumentReset) else Kind.SILENT


def _mean(trace: EdgeTrace) -> float:
    """What it comes to rest at: the middle of its levels, which no single edge moves."""
    return sorted(trace.level)[len(trace.level) // 2]


def _edges(trace: EdgeTrace) -> int:
    return len(trace) - 1
