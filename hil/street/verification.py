"""Did the light follow the schedule? Samples of the edge trace against `contract.schedule.level_at`.

A sample is right when the schedule asks for its level at some moment within the tolerance around it: steps and fades
may be early or late by that much, and nothing else is forgiven.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contract import schedule as engine

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Interval:
    """A stretch of wall time, [start, end) in UTC ms."""

    start_ms: int
    end_ms: int

    def holds(self, at_ms: int) -> bool:
        return self.start_ms <= at_ms < self.end_ms


def tolerance_ms(rate: int) -> int:
    """max(1 s, 0.05 s of real time) as wall time."""
    return max(1000, 50 * rate)


def levels_around(schedule: object, at_ms: int, within_ms: int, default_level: int) -> tuple[int, int]:
    """Lowest and highest level that the schedule asks for within `within_ms` of a moment.

    Levels between steps are constant and fades are linear, so the ends of the window, the changes inside it and the
    ends of their fades are enough; they are sampled densely instead, because that holds for any schedule.
    """

    def level(moment_ms: int) -> int:
        asked = engine.level_at(schedule, moment_ms)
        return default_level if asked is None else asked

    start_ms, end_ms = at_ms - within_ms, at_ms + within_ms
    if engine.next_change_after(schedule, start_ms - 2 * MINUTE_MS) > end_ms:
        steady = level(at_ms)
        return steady, steady
    step_ms = max(1, within_ms // 50)
    found = [level(moment) for moment in range(start_ms, end_ms + 1, step_ms)]
    found += [level(at_ms), level(end_ms)]
    return min(found), max(found)


def differing(
    schedule: object,
    samples: Sequence[tuple[int, int]],
    within_ms: int,
    default_level: int = 100,
    excused: Sequence[Interval] = (),
) -> list[tuple[int, int, int, int]]:
    """The samples `(utc_ms, level)` that the schedule does not explain, with the lowest and highest level allowed."""
    wrong = []
    for at_ms, level in samples:
        if any(interval.holds(at_ms) for interval in excused):
            continue
        lowest, highest = levels_around(schedule, at_ms, within_ms, default_level)
        if not lowest <= level <= highest:
            wrong.append((at_ms, level, lowest, highest))
    return wrong
