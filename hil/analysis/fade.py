"""A fade: how long it took, whether it ever turned back, how large its steps were and how straight its way was.

For traces of levels; one of pulses goes through `hil.analysis.pwm.demodulate` first. A lamp fades in steps: it holds
still until its next look at the clock, and then goes to where the ramp is by then. So a fade begins before its first
edge, by as long as that edge took at the pace of the others; it ends with the edge that reaches the end.
"""

from dataclasses import dataclass

import numpy as np

from hil.analysis.statistics import Array
from hil.edges import EdgeTrace

# Of a thousand periods some are further off than 95 % of them: a change counts from so many level uncertainties on.
NOISE = 3


@dataclass(frozen=True)
class Fade:
    """`begin_ns` and `end_ns` on the trace's clock; the duration is true within plus or minus `uncertainty_ns`: what
    both stamps do not know, and one step, within which nobody sees that a fade has begun.

    Shares of full scale, true within plus or minus `level_uncertainty`: `start_level`, `end_level`; `largest_back`
    (the furthest it was behind where it had been, 0 is monotonic), `largest_step` (after a hold, `largest_ns` from its
    begin to its end), `deviation` (the furthest from the straight line from begin to end, before and after each step).
    `r_squared` of the levels that the steps reached against that line; 1 is straight.
    """

    duration_ns: int
    uncertainty_ns: int
    begin_ns: int
    end_ns: int
    start_level: float
    end_level: float
    largest_back: float
    largest_step: float
    largest_ns: tuple[int, int]
    deviation: float
    r_squared: float
    level_uncertainty: float
    steps: int

    @property
    def is_monotonic(self) -> bool:
        # A float is no exact 0.28: a billionth back is none.
        return self.largest_back <= NOISE * self.level_uncertainty + 1e-9


def fade(trace: EdgeTrace, level_uncertainty: float = 0.0) -> Fade:
    """The one fade in a trace that begins before it and ends after it. `level_uncertainty`: how far a level may be off
    (95 %, `hil.analysis.pwm.level_uncertainty`); changes of up to NOISE times that are none.

    A jump is a fade of one step that takes no time. Raises ValueError for an empty trace, and one without a change.
    """
    at, level = _steps(trace, level_uncertainty)
    if at.size < 2:
        raise ValueError(
            f"{trace.channel}: the level never changes; begin the trace before the fade, "
            "and see whether the command arrived"
        )
    start, end = float(level[0]), float(level[-1])
    way = level * np.sign(end - start) if end != start else level
    # With equal ends every way there and back is a step back.
    back = float((np.maximum.accumulate(way) - way).max())
    pace = float(np.median(np.diff(at[1:]))) if at.size > 2 else 0.0
    begin = float(at[1]) - _first_hold(at, level, pace)
    deviation, r_squared = _straightness(at, level, begin)
    moved = np.abs(np.diff(level))
    # The first hold has no beginning of its own in `at`.
    holds = np.concatenate(([begin], at[1:]))
    largest = int(moved.argmax())
    return Fade(
        duration_ns=round(at[-1] - begin),
        uncertainty_ns=2 * trace.uncertainty_ns + round(pace),
        begin_ns=trace.t_ns[0] + round(begin),
        end_ns=trace.t_ns[0] + round(at[-1]),
        start_level=start,
        end_level=end,
        largest_back=back,
        largest_step=float(moved[largest]),
        largest_ns=(trace.t_ns[0] + round(holds[largest]), trace.t_ns[0] + round(holds[largest + 1])),
        deviation=deviation,
        r_squared=r_squared,
        level_uncertainty=level_uncertainty,
        steps=int(moved.size),
    )


def _steps(trace: EdgeTrace, doubt: float) -> tuple[Array, Array]:
    """The beginning and each edge that changes the level by more than noise; the time from the first edge on.

    Where a step falls into the middle of what the instrument resolves (a demodulated period), it comes as two.
    """
    trace.check_not_empty()
    origin = trace.t_ns[0]
    at, level = [0], [trace.level[0]]
    for moment, value in zip(trace.t_ns[1:], trace.level[1:], strict=True):
        if abs(value - level[-1]) <= NOISE * doubt:
            continue
        is_half = len(at) > 1 and moment - origin - at[-1] <= 1.5 * trace.resolution_ns
        onwards = is_half and (value - level[-1]) * (level[-1] - level[-2]) > 0
        if onwards:
            level[-1] = value
        else:
            at.append(moment - origin)
            level.append(value)
    return np.array(at, dtype=np.float64), np.array(level, dtype=np.float64)


def _first_hold(at: Array, level: Array, pace: float) -> float:
    """How long before the first edge the fade began: the first step at the pace of all others, one of them at most."""
    others = np.abs(np.diff(level[1:]))
    return pace * min(1.0, float(abs(level[1] - level[0]) / np.median(others))) if others.size else 0.0


def _straightness(at: Array, level: Array, begin: float) -> tuple[float, float]:
    """The largest distance from the ramp, and R² of where the steps led."""
    length = float(at[-1]) - begin
    if length <= 0:
        return 0.0, 1.0
    ramp = level[0] + (level[-1] - level[0]) * (at[1:] - begin) / length
    reached, left = level[1:] - ramp, level[:-1] - ramp
    total = float(np.square(level[1:] - level[1:].mean()).sum())
    r_squared = 1 - float(np.square(reached).sum()) / total if total else 1.0
    return float(np.abs(np.concatenate((reached, left))).max()), r_squared
