"""The pulses of a digital trace, put in order: glitches taken out, and each edge given the number of its cycle.

An instrument loses edges and sees ones that are none. A cycle whose edges are missing or out of place is left out and
counted; it shifts neither the frequency nor the duty of the others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.analysis.statistics import Array
from hil.edges import EdgeTrace

Numbers = NDArray[np.int64]
# A pulse shorter than a quarter of its kind is a glitch: no timer makes one.
GLITCH = 0.25
# An edge further off its place than this share of a period is another one's, or none's.
ASTRAY = 0.25
# So far from the median in (scaled) median deviations, and no pulse is of the same setting; but a timer that switches
# between two neighbouring settings of 0.2 % may.
DEVIATIONS, SETTING = 6.0, 0.002
SCALED = 1.4826
# So many edges are numbered by the median distance alone.
FIRST = 16


@dataclass(frozen=True)
class Pulses:
    """Of cycle `number[i]`, counted from the first, the rising edge is at `rise_ns[i]` (float, from `origin_ns` on).

    `width_ns` are the lengths of the high parts that are whole and in place, `cycles` how many cycles there were,
    `odd` how many of them were left out.
    """

    origin_ns: int
    number: Numbers
    rise_ns: Array
    width_ns: Array
    period_ns: float
    cycles: int
    odd: int


def pulses(trace: EdgeTrace) -> Pulses | None:
    """None when the level never changed. Raises ValueError for an empty trace, one of levels that are neither 0 nor 1,
    one with fewer than three rising edges, and one whose rising edges keep no period."""
    trace.check_not_empty()
    if not set(trace.level) <= {0, 1}:
        raise ValueError(f"{trace.channel}: the trace gives levels and no pulses; it needs no demodulation")
    at, high = _transitions(trace)
    if at.size == 0:
        return None
    at, high = _without_glitches(at, high)
    rise, fall = at[high], at[~high]
    if rise.size < 3:
        raise ValueError(f"{trace.channel}: {rise.size} rising edges are no pulse train; watch for longer")
    period = float(np.median(np.diff(rise)))
    if period <= 0:
        raise ValueError(f"{trace.channel}: {rise.size} rising edges in no time; the probe's clock stands still")
    start, period = _line(rise, period)
    rise, number = _nearest(rise, start, period)
    if rise.size < 3:
        raise ValueError(
            f"{trace.channel}: the rising edges keep no period; look whether this channel is the pulsed one"
        )
    width = _widths(rise, fall)
    middle = np.median(width) if width.size else 0.0
    spread = SCALED * float(np.median(np.abs(width - middle))) if width.size else 0.0
    bound = max(DEVIATIONS * spread, 2.0 * trace.uncertainty_ns, SETTING * period)
    whole = width[np.abs(width - middle) <= bound]
    cycles = int(number[-1] - number[0])
    return Pulses(trace.t_ns[0], number, rise, whole, period, cycles, max(0, cycles - int(whole.size)))


def _transitions(trace: EdgeTrace) -> tuple[Array, NDArray[np.bool_]]:
    """Where the level truly changed: after a lost edge the same level comes twice."""
    origin = trace.t_ns[0]
    at = np.array([moment - origin for moment in trace.t_ns], dtype=np.float64)
    high = np.array(trace.level) > 0.5
    changed = np.flatnonzero(high[1:] != high[:-1]) + 1
    return at[changed], high[changed]


def _without_glitches(at: Array, high: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    length, kind = np.diff(at), high[:-1]
    shortest = np.zeros(length.size)
    for value in (True, False):
        if (kind == value).any():
            shortest[kind == value] = GLITCH * float(np.median(length[kind == value]))
    kept = np.ones(at.size, dtype=np.bool_)
    for index in np.flatnonzero(length < shortest):
        # Of two short ones side by side only the first goes: the other one then is part of what it broke.
        if kept[index]:
            kept[index : index + 2] = False
    return at[kept], high[kept]


def _line(rise: Array, period: float) -> tuple[float, float]:
    """Where cycle 0 begins, and the period: a line through the edges that are in place.

    Each cycle is numbered by the line so far, which is then known well enough for four times as many: an edge that is
    none cannot shift the number of all that follow.
    """
    start = float(rise[0])
    count = FIRST
    while True:
        part = rise[:count]
        number = np.rint((part - start) / period)
        off = part - start - number * period
        middle = float(np.median(off))
        distance = np.abs(off - middle)
        used = distance <= max(DEVIATIONS * SCALED * float(np.median(distance)), 1e-6 * period)
        if np.unique(number[used]).size > 1:
            period, start = (float(value) for value in np.polyfit(number[used], part[used], 1))
        if count >= rise.size:
            return start, period
        count *= 4


def _nearest(rise: Array, start: float, period: float) -> tuple[Array, Numbers]:
    """One rising edge a cycle, the one nearest to its place, and none that is astray."""
    number = np.rint((rise - start) / period).astype(np.int64)
    off = np.abs(rise - start - number * period)
    order = np.lexsort((off, number))
    _, first = np.unique(number[order], return_index=True)
    chosen = order[first]
    chosen = chosen[off[chosen] <= ASTRAY * period]
    return rise[chosen], number[chosen]


def _widths(rise: Array, fall: Array) -> Array:
    """From each rising edge to the next falling one; where that was lost, it is far from all others."""
    after = np.searchsorted(fall, rise)
    inside = after < fall.size
    return np.asarray(fall[after[inside]] - rise[inside], dtype=np.float64)
