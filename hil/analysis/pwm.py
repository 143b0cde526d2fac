"""A dimming output that pulses: its frequency, duty and jitter, and the level that its pulses mean."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, stats  # type: ignore[import-untyped]

from hil.analysis.pulses import DEVIATIONS, SCALED, Pulses, pulses
from hil.analysis.statistics import Array, quantile
from hil.edges import EdgeTrace

LEAST_PERIODS = 1_000
# What a crystal without calibration may be off; a calibrated instrument has less.
CLOCK_PPM = 100.0
# More cycles than this left out, and what is left does not speak for the output any more.
MOST_ODD = 0.10
# A pulse that the instrument lost spoils at most two periods; the median of five does not feel them.
SMOOTHED = 5


@dataclass(frozen=True)
class Pwm:
    """`duty` is the share (0..1) of time that the output is high. At 0 and 1 there are no edges: frequency and jitter
    are None. Each value is true within plus or minus its uncertainty (95 %).

    `jitter_*_ns`: how far single periods were from the mean one (standard deviation, p99 and peak of the distance), the
    instrument's own part included; that part is `jitter_uncertainty_ns` at the most. `odd` cycles of `periods` had an
    edge that was missing or out of place; they count for nothing else.
    """

    frequency_hz: float | None
    uncertainty_hz: float | None
    duty: float
    uncertainty: float
    periods: int
    odd: int
    jitter_std_ns: float | None
    jitter_p99_ns: float | None
    jitter_peak_ns: float | None
    jitter_uncertainty_ns: float | None


def pwm(
    trace: EdgeTrace, end_ns: int | None = None, least_periods: int = LEAST_PERIODS, clock_ppm: float = CLOCK_PPM
) -> Pwm:
    """`end_ns`: until when it was watched, for an output without edges. `clock_ppm`: the instrument's clock (95 %).

    Raises ValueError for an empty trace, one of levels, fewer than `least_periods`, an output without edges of which
    nobody says how long it was watched, and when a tenth of the cycles are odd: the output was not steady.
    """
    if least_periods < 10:
        raise ValueError(f"{least_periods} periods say nothing of their scatter; ask for 10 or more")
    found = pulses(trace)
    if found is None:
        return _constant(trace, end_ns)
    if found.cycles < least_periods:
        raise ValueError(
            f"{trace.channel}: {found.cycles} periods of {least_periods}; "
            f"watch for at least {math.ceil(least_periods * found.period_ns / 1e9 * 10) / 10 + 0.1:.1f} s"
        )
    if found.odd > MOST_ODD * found.cycles:
        raise ValueError(
            f"{trace.channel}: {found.odd} of {found.cycles} periods do not fit one setting; "
            "measure while nothing dims, and see whether the probe loses edges"
        )
    period, scatter = _period(found, trace.uncertainty_ns)
    # A share of time is the same on every clock, however wrong it runs; a frequency is not.
    period_uncertainty = math.hypot(scatter, clock_ppm * 1e-6 * period)
    duty = float(found.width_ns.mean()) / period
    widths = _half_width(float(found.width_ns.std(ddof=1)), int(found.width_ns.size))
    # Both edges of a pulse may be stamped off in the same way every time; a mean does not take that out.
    uncertainty = math.hypot(widths, math.sqrt(2) * trace.uncertainty_ns, duty * scatter) / period
    off = _off(found)
    return Pwm(
        1e9 / period,
        1e9 / period * period_uncertainty / period,
        duty,
        uncertainty,
        found.cycles,
        found.odd,
        float(off.std()),
        quantile(np.abs(off), 0.99),
        float(np.abs(off).max()),
        # A period has two stamps, and of a thousand the worst is half as far off again as one in twenty.
        2 * math.sqrt(2) * trace.uncertainty_ns,
    )


def demodulate(trace: EdgeTrace, period_ns: float, end_ns: int | None = None) -> EdgeTrace:
    """The mean level of each period, as a trace of levels: what fade, steps and latency take.

    Periods count from the first rising edge; without `end_ns` the trace ends with its last edge. Of a period that no
    neighbour resembles the median of five is taken: a lost pulse is no dip, and no dip shorter than three periods is
    seen. A change lies anywhere in its period, so the stamps are uncertain by one more. `period_ns` off by 1 % makes
    levels waver by up to 1 %. Raises ValueError for a trace of fewer than five periods.
    """
    trace.check_not_empty()
    if period_ns <= 0:
        raise ValueError(f"a period of {period_ns} ns; it is above 0")
    origin = trace.t_ns[0]
    last = trace.t_ns[-1] if end_ns is None else end_ns
    # Every edge, and the end, as a float from the first one on; the light so far is exact between two of them.
    at = np.array([moment - origin for moment in trace.t_ns if moment <= last] + [last - origin], dtype=np.float64)
    level = np.array(trace.level[: at.size - 1], dtype=np.float64)
    light = np.concatenate(([0.0], np.cumsum(level * np.diff(at))))
    rises = np.flatnonzero(np.diff(level) > 0)
    first = float(at[rises[0] + 1] % period_ns) if rises.size else 0.0
    count = math.floor((at[-1] - first) / period_ns + 1e-9)
    if count < SMOOTHED:
        raise ValueError(
            f"{trace.channel}: {max(0, count)} periods of {period_ns:g} ns tell no level; watch for longer"
        )
    bounds = first + period_ns * np.arange(count + 1)
    mean = np.diff(np.interp(bounds, at, light)) / period_ns
    steady = np.clip(ndimage.median_filter(mean, SMOOTHED, mode="nearest"), 0.0, 1.0)
    whole = math.ceil(period_ns)
    return EdgeTrace(
        trace.channel,
        tuple(origin + round(moment) for moment in bounds[:-1].tolist()),
        tuple(steady.tolist()),
        whole,
        trace.uncertainty_ns + whole,
        f"{trace.source}, mean of each period",
    )


def level_uncertainty(trace: EdgeTrace, period_ns: float) -> float:
    """How far (share of full scale) a demodulated level may be off: both edges of its pulse by their uncertainty."""
    return 2 * trace.uncertainty_ns / period_ns


def _constant(trace: EdgeTrace, end_ns: int | None) -> Pwm:
    if end_ns is None or end_ns <= trace.t_ns[0]:
        raise ValueError(
            f"{trace.channel}: no edge but the level at the beginning; "
            "at 0 and 100 % there is none: say with end_ns until when it was watched"
        )
    # An edge that came just at the end is all that can have been missed.
    missed = min(1.0, trace.uncertainty_ns / (end_ns - trace.t_ns[0]))
    return Pwm(None, None, float(trace.level[0]), missed, 0, 0, None, None, None, None)


def _period(found: Pulses, stamp_ns: int) -> tuple[float, float]:
    """The period on the instrument's clock and its half width: scatter of the line, and the stamps at both ends."""
    number, off = found.number.astype(np.float64), _astray(found)
    used = off <= max(DEVIATIONS * SCALED * float(np.median(off)), 2.0 * stamp_ns)
    line = stats.linregress(number[used], found.rise_ns[used])
    period = float(line.slope)
    span = float(np.ptp(number[used]))
    scatter = float(line.stderr) * float(stats.t.ppf(0.975, int(used.sum()) - 2))
    return period, math.hypot(scatter, stamp_ns / span)


def _astray(found: Pulses) -> Array:
    place = found.rise_ns - found.number * found.period_ns
    return np.asarray(np.abs(place - np.median(place)), dtype=np.float64)


def _off(found: Pulses) -> Array:
    """Single periods against the mean one: only where both rising edges are there."""
    length = np.diff(found.rise_ns)[np.diff(found.number) == 1]
    return np.asarray(length - length.mean(), dtype=np.float64)


def _half_width(deviation: float, count: int) -> float:
    return float(stats.t.ppf(0.975, count - 1)) * deviation / math.sqrt(count)
