"""Steps of a level trace against the moments at which they were due.

Each step that was due is given the change of the light that goes to its level, so that as many as can be have one and
the errors are the least in sum (assignment problem). One without a change within the window was missed, and is never
a huge error; a change that nobody is given was not due.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import optimize  # type: ignore[import-untyped]

from hil.edges import EdgeTrace

WITHIN = 0.005


@dataclass(frozen=True)
class Step:
    """Due at `due_ns`, happened at `at_ns`; `error_ns` above 0 is late."""

    due_ns: int
    at_ns: int
    level: float

    @property
    def error_ns(self) -> int:
        return self.at_ns - self.due_ns


@dataclass(frozen=True)
class Steps:
    """`missed` as they were asked for (moment, level), `extra` as they were seen; errors are true within plus or minus
    `uncertainty_ns`, if the expected moments are exact."""

    found: tuple[Step, ...]
    missed: tuple[tuple[int, float], ...]
    extra: tuple[tuple[int, float], ...]
    uncertainty_ns: int


def steps(
    trace: EdgeTrace,
    expected: Sequence[tuple[int, float]],
    window_ns: int,
    within: float = WITHIN,
    settle_ns: int = 0,
) -> Steps:
    """`expected`: (moment on the trace's clock, level 0..1 from then on), in order of time.

    A change is due within `window_ns` of its moment and goes to its level plus or minus `within`; no smaller change is
    one. Changes that follow one another within `settle_ns` are one step, which happened when it began and leads where
    it ends: so a fade between two levels is a step. The trace must be of a light that was watched from before the
    first to `window_ns` after the last moment. Raises ValueError for what cannot be told: an empty trace or one that
    begins too late, moments out of order, a step to the level of the one before.
    """
    if not expected:
        raise ValueError("no step is expected; give the moments and levels of the schedule")
    if not len(trace) or trace.t_ns[0] > expected[0][0]:
        raise ValueError(
            f"{trace.channel}: the trace does not reach back to the first step; ask for edges from before it"
        )
    if window_ns <= 0 or settle_ns < 0:
        raise ValueError(f"a window of {window_ns} ns and {settle_ns} ns to settle; above 0 and not below 0")
    for (earlier, before), (later, level) in pairwise(expected):
        if later <= earlier:
            raise ValueError("the expected steps are not in order of time; sort them")
        if abs(level - before) <= within:
            raise ValueError(f"two steps in a row lead to {level:g}: no edge shows the second; leave it out")
    seen = _changes(trace, within, settle_ns)
    found: list[Step] = []
    if seen:
        late = np.array([[float(at - due) for at, _ in seen] for due, _ in expected])
        fits = np.array([[abs(reached - level) <= within for _, reached in seen] for _, level in expected])
        fits &= np.abs(late) <= window_ns
        # One pair that does not fit costs more than all that do.
        cost = np.where(fits, np.abs(late), float(window_ns) * (len(expected) + len(seen)))
        rows, columns = optimize.linear_sum_assignment(cost)
        pairs = [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if fits[row, column]]
        found = [Step(expected[row][0], seen[column][0], expected[row][1]) for row, column in pairs]
        taken = {column for _, column in pairs}
        seen = [change for index, change in enumerate(seen) if index not in taken]
    kept = {step.due_ns for step in found}
    missed = tuple((due, level) for due, level in expected if due not in kept)
    return Steps(tuple(found), missed, tuple(seen), trace.uncertainty_ns)


def _changes(trace: EdgeTrace, within: float, settle_ns: int) -> list[tuple[int, float]]:
    """When the light left a level, and which one it went to."""
    changes: list[tuple[int, float]] = []
    level, last_ns = trace.level[0], trace.t_ns[0] - settle_ns - 1
    for at_ns, value in zip(trace.t_ns[1:], trace.level[1:], strict=True):
        moves = value != level
        if changes and moves and at_ns - last_ns <= settle_ns:
            changes[-1], level, last_ns = (changes[-1][0], value), value, at_ns
        elif abs(value - level) > within:
            changes.append((at_ns, value))
            level, last_ns = value, at_ns
    return changes
