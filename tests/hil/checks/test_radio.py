"""The signal of an hour: a steady one passes, one that wanders or falls for a while does not, whichever board it is."""

from dataclasses import replace
from typing import Any, cast

import pytest

from hil.bench import Bench
from hil.checks import radio
from hil.effort import FULL, QUICK
from hil.measurement import Outcome
from hil.verdict import judge
from tests.hil.benches import MadeUp


class Clock:
    """An hour passes at once."""

    def utc_ms(self, host_ns: int) -> float:
        return 0.0

    def host_ns(self, utc_ms: float) -> int:
        return 0


class Desk:
    """`heard[board]` is told value by value."""

    def __init__(self, *heard: list[int]) -> None:
        self._rest = [iter(levels) for levels in heard]

    def resources(self, board: int, *paths: str) -> dict[str, Any]:
        return {path: next(self._rest[board]) for path in paths}


def bench(*heard: list[int]) -> Bench:
    return replace(MadeUp(boards=len(heard)).bench(), clock=cast(Any, Clock()), desk=cast(Any, Desk(*heard)))


STEADY = [-60, -61, -59] * 20


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        ([-90] * 60, Outcome.PASSED),  # weak, and steady
        (list(range(-60, -30)) + list(range(-60, -30)), Outcome.FAILED),
        ([-60] * 54 + [-80] * 6, Outcome.FAILED),
        ([-60] * 59 + [-80], Outcome.PASSED),
        ([-60] * 53 + [-70] * 7, Outcome.INCONCLUSIVE),
    ],
)
def test_an_hour_of_signal_is_judged_by_how_far_it_is_from_its_median(other: list[int], outcome: Outcome) -> None:
    (found,) = radio.measure(bench(STEADY, other), FULL)
    (verdict,) = judge(found, is_simulated=False)
    assert verdict.outcome is outcome
    assert verdict.n == 60
    assert "board-1: " in found.notes[1]


def test_a_quick_look_takes_a_quarter_of_an_hour() -> None:
    (found,) = radio.measure(bench(STEADY), QUICK)
    assert len(found.samples) == 15
