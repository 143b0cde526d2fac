"""Traces whose truth is known, seen by an instrument that is as bad as it says it is, and no worse.

What the output did is planted first, in true nanoseconds; then an `Eye` sees it: with a clock that runs wrong, stamps
that scatter and are cut to a resolution, edges lost and edges that never were.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hil.edges import EdgeTrace
from hil.seams import Waveform

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Eye:
    """`scatter_ns` is the standard deviation of a stamp; `lost_pairs` and `lost_single` are how many edges two by two
    and one by one never arrive; `glitches` are pulses of `glitch_ns` that nobody sent."""

    resolution_ns: int = 8
    scatter_ns: float = 20.0
    skew_ppm: float = 0.0
    lost_pairs: int = 0
    lost_single: int = 0
    glitches: int = 0
    glitch_ns: float = 300.0

    @property
    def uncertainty_ns(self) -> int:
        return ceil(1.96 * self.scatter_ns + self.resolution_ns)

    def see(self, chance: np.random.Generator, at_ns: Array, level: Array, origin_ns: int = 0) -> EdgeTrace:
        """The trace of edges at `at_ns` (true), each to `level`; the first one is never lost."""
        at, levels = at_ns, level
        if self.glitches:
            at, levels = self._glitched(chance, at, levels)
        gone = np.ones(at.size, dtype=np.bool_)
        if self.lost_pairs or self.lost_single:
            gone[chance.choice(np.arange(2, at.size - 2), self.lost_single, replace=False)] = False
            for first in chance.choice(np.arange(2, at.size - 3), self.lost_pairs, replace=False):
                gone[first : first + 2] = False
        at, levels = at[gone], levels[gone]
        seen = at * (1 + self.skew_ppm * 1e-6) + chance.normal(0, self.scatter_ns, at.size)
        stamps = np.maximum.accumulate(np.floor(seen / self.resolution_ns).astype(np.int64) * self.resolution_ns)
        return EdgeTrace(
            "light",
            tuple((stamps + origin_ns).tolist()),
            tuple(levels.tolist()),
            self.resolution_ns,
            self.uncertainty_ns,
            "synthetic",
        )

    def _glitched(self, chance: np.random.Generator, at: Array, level: Array) -> tuple[Array, Array]:
        """Only where both of its edges find room in one pulse."""
        room = np.flatnonzero(np.diff(at) > 3 * self.glitch_ns)
        hosts = chance.choice(room[1:-1], self.glitches, replace=False)
        begin = (
            at[hosts] + self.glitch_ns + chance.random(hosts.size) * (at[hosts + 1] - at[hosts] - 3 * self.glitch_ns)
        )
        times = np.concatenate((at, begin, begin + self.glitch_ns))
        levels = np.concatenate((level, 1 - level[hosts], level[hosts]))
        order = np.argsort(times, kind="stable")
        return times[order], levels[order]


def pulses(
    chance: np.random.Generator, frequency_hz: float, duty: float, periods: int, wander_ns: float = 0.0
) -> tuple[Array, Array]:
    """True edges of a PWM: `wander_ns` is by how much each rising edge is off its place (standard deviation)."""
    period = 1e9 / frequency_hz
    rise = (np.arange(periods + 1) + 1) * period + chance.normal(0, wander_ns, periods + 1)
    at = np.column_stack((rise, rise + duty * period)).ravel()
    return np.concatenate(([0.0], at)), np.concatenate(([0.0], np.tile((1.0, 0.0), periods + 1)))


@dataclass(frozen=True)
class Ramp:
    """A planted fade: edges, and what they truly are."""

    at_ns: Array
    level: Array
    begin_ns: float
    end_ns: float


def ramp(
    chance: np.random.Generator,
    start: float,
    end: float,
    duration_ns: float,
    step_ns: float = 20e6,
    late_ns: float = 2e6,
    begin_ns: float = 1e9,
) -> Ramp:
    """As the firmware fades: looks every `step_ns` from the beginning on, each look late by up to `late_ns`, goes to
    the whole permille that the ramp has by then, and is silent when that is the one it has."""
    looks = begin_ns + np.arange(1, ceil(duration_ns / step_ns) + 1) * step_ns
    looks = np.minimum(looks, begin_ns + duration_ns) + chance.random(looks.size) * late_ns
    share = np.clip((looks - begin_ns) / duration_ns, 0, 1)
    level = np.rint(1000 * (start + (end - start) * share)) / 1000
    level[-1] = end
    at, levels = np.concatenate(([0.0], looks)), np.concatenate(([start], level))
    moved = np.concatenate(([True], np.diff(levels) != 0))
    return Ramp(at[moved], levels[moved], begin_ns, float(at[moved][-1]))


def pulsed(at_ns: Array, level: Array, frequency_hz: float, end_ns: float) -> tuple[Array, Array]:
    """PWM edges of a light of these levels: a timer that takes a new duty at the beginning of its next period."""
    period = 1e9 / frequency_hz
    rise = np.arange(int(end_ns / period)) * period
    duty = level[np.searchsorted(at_ns, rise, side="right") - 1]
    times = np.column_stack((rise, rise + duty * period)).ravel()
    levels = np.tile((1.0, 0.0), rise.size)
    # Off has no rising edge, and full has no falling one.
    real = np.column_stack((duty > 0, duty < 1)).ravel()
    times, levels = times[real], levels[real]
    moved = np.concatenate(([True], np.diff(levels) != 0))
    return times[moved], levels[moved]


def wave(
    chance: np.random.Generator, shape: Array, frequency_hz: float, rate_hz: float, seconds: float, noise: float
) -> Waveform:
    """A light that repeats `shape` (one cycle, evenly sampled), with white noise of standard deviation `noise`."""
    at = np.arange(int(rate_hz * seconds)) / rate_hz
    phase = (at * frequency_hz + chance.random()) % 1.0
    level = shape[(phase * shape.size).astype(np.int64)] + chance.normal(0, noise, at.size)
    return Waveform(0, 1e9 / rate_hz, tuple(level.tolist()), 1.96 * noise)
