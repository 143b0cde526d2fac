"""The light of one board in levels, whatever the bench's instrument sees: pulses are demodulated first.

Boards are numbered as in `hil.bench.Bench.stands`; moments without a name are the instrument's, ns.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from hil.analysis.latency import THRESHOLD
from hil.analysis.pwm import demodulate, level_uncertainty
from hil.bench import Bench
from hil.edges import EdgeTrace
from hil.errors import NothingSeen
from hil.patience import pause

# Pulses before a moment tell the level that holds at it.
PERIODS_BEFORE = 20
LOOK_EVERY_NS = 20_000_000


def now_ns(bench: Bench) -> int:
    """The instrument's now."""
    return bench.instrument.stamp(time.monotonic_ns()).t_ns


def levels(bench: Bench, board: int, since_ns: int, until_ns: int | None = None) -> EdgeTrace:
    """What the light did in [since, until), begun by the level in force then; until now when it is left out.

    Raises ValueError when the instrument saw too little of the channel to tell a level.
    """
    channel = bench.stands[board].channel
    end_ns = now_ns(bench) if until_ns is None else until_ns
    if bench.pwm_hz is None:
        return bench.instrument.trace(channel, since_ns).between(since_ns, end_ns)
    period_ns = 1e9 / bench.pwm_hz
    pulses = bench.instrument.trace(channel, since_ns - round(PERIODS_BEFORE * period_ns))
    return demodulate(pulses, period_ns, end_ns).between(since_ns, end_ns)


def uncertainty(bench: Bench, trace: EdgeTrace) -> float:
    """How far a level of `levels` may be off, as a share of full scale."""
    if bench.pwm_hz is None:
        return 0.0
    # That a change lies anywhere in its period is no doubt of the pulses that make a level.
    stamps_ns = trace.uncertainty_ns - trace.resolution_ns
    return level_uncertainty(replace(trace, uncertainty_ns=stamps_ns), 1e9 / bench.pwm_hz)


def first_change(bench: Bench, board: int, since_ns: int, patience_s: float) -> int | None:
    """The moment after `since_ns` at which the light first changes; None if it does not within `patience_s`."""
    if bench.pwm_hz is None:
        try:
            return bench.instrument.wait(bench.stands[board].channel, since_ns, patience_s)
        except NothingSeen:
            return None
    return _first(bench, board, since_ns, patience_s, lambda before, level: abs(level - before) >= THRESHOLD)


def reached(bench: Bench, board: int, level: float, since_ns: int, patience_s: float) -> int | None:
    """The first moment from `since_ns` on at which the light has `level` (0..1); None if not within `patience_s`."""
    return _first(bench, board, since_ns, patience_s, lambda _, now: abs(now - level) <= THRESHOLD)


def _first(
    bench: Bench, board: int, since_ns: int, patience_s: float, is_it: Callable[[float, float], bool]
) -> int | None:
    deadline_ns = time.monotonic_ns() + round(patience_s * 1e9)
    before: float | None = None
    from_ns = since_ns
    while True:
        is_over = time.monotonic_ns() >= deadline_ns
        try:
            seen = levels(bench, board, from_ns)
        except ValueError:
            seen = None  # nothing on the channel yet: no supply, or too few pulses
        if seen is not None and len(seen):
            before = seen.level[0] if before is None else before
            for at_ns, level in zip(seen.t_ns, seen.level, strict=True):
                if is_it(before, level):
                    return at_ns
            from_ns = seen.t_ns[-1]
        if is_over:
            return None
        pause(min(time.monotonic_ns() + LOOK_EVERY_NS, deadline_ns))
