"""What a busy computer did to a lamp makes a measurement uncertain, and what the lamp did fails."""

import time
from dataclasses import replace

import pytest

from hil.bench import Bench
from hil.checks.common import sample
from hil.checks.fade import FADE_S, LEVELS, faded
from hil.limits import of
from hil.measurement import Measurement, Outcome, Sample
from hil.seams import Instant
from hil.verdict import judge
from tests.hil.benches import APART_NS, MS, SECOND, MadeUp

STEP_NS = 30 * MS
BOARD = 1


@pytest.fixture
def made() -> MadeUp:
    made = MadeUp(steady=LEVELS[0] / 100)
    # What is looked at has to be over by this computer's own time.
    made.now = time.monotonic_ns() - 30 * SECOND
    return made


def with_fade(made: MadeUp, held_ns: int) -> Bench:
    """The board fades in even steps and stands still for `held_ns` in the middle; a busy computer let only this board
    wait, and only then."""
    begin_ns, way = made.now + SECOND, (LEVELS[1] - LEVELS[0]) / 100
    count = round(FADE_S * 1e9 / STEP_NS)
    held_from, held_to = begin_ns + count // 2 * STEP_NS, begin_ns + count // 2 * STEP_NS + held_ns
    for number in range(1, count + 1):
        at_ns = begin_ns + number * STEP_NS
        if not held_from < at_ns < held_to:
            made.boards[BOARD].edges.append((at_ns, LEVELS[0] / 100 + way * number / count))
    made.pause(begin_ns + round(FADE_S * 2e9))

    def stall_ns(board: int, start_ns: int, end_ns: int) -> int:
        start_ns, end_ns = start_ns - APART_NS, end_ns - APART_NS
        is_beside = start_ns < held_to and held_from < end_ns
        return held_ns if board == BOARD and is_beside else 0

    return replace(made.bench(), stall_ns=stall_ns)


def outcome(name: str, found: Sample) -> Outcome:
    (limit,) = of(name)
    limits = (replace(limit, samples=1),)
    return judge(Measurement(name, limits, (found,)), is_simulated=True)[0].outcome


def faded_there(bench: Bench, made: MadeUp) -> tuple[Sample, Sample]:
    begin_ns = next(at for at, _ in made.boards[BOARD].edges if at > 0) + APART_NS - SECOND // 2
    return faded(bench, BOARD, LEVELS[1], begin_ns)


def test_a_fade_that_the_computer_held_up_is_inconclusive(made: MadeUp) -> None:
    bench = with_fade(made, 400 * MS)
    _, step = faded_there(bench, made)
    assert step.value > 1.0
    assert outcome("fade-step", step) is Outcome.INCONCLUSIVE


def test_a_fade_that_stood_still_by_itself_has_failed(made: MadeUp) -> None:
    bench = replace(with_fade(made, 400 * MS), stall_ns=lambda board, start_ns, end_ns: 0)
    _, step = faded_there(bench, made)
    assert outcome("fade-step", step) is Outcome.FAILED


def test_a_wait_elsewhere_excuses_no_step(made: MadeUp) -> None:
    bench = with_fade(made, 400 * MS)
    mine = bench.stall_ns

    def of_another(board: int, start_ns: int, end_ns: int) -> int:
        return mine(board - 1, start_ns, end_ns)

    _, step = faded_there(replace(bench, stall_ns=of_another), made)
    assert outcome("fade-step", step) is Outcome.FAILED


def test_an_even_fade_passes(made: MadeUp) -> None:
    duration, step = faded_there(with_fade(made, 0), made)
    assert outcome("fade", duration) is Outcome.PASSED
    assert outcome("fade-step", step) is Outcome.PASSED


@pytest.mark.parametrize(("waited_ns", "expected"), [(0, Outcome.FAILED), (700 * MS, Outcome.INCONCLUSIVE)])
def test_a_command_that_was_late_is_judged_by_what_the_board_waited(
    made: MadeUp, waited_ns: int, expected: Outcome
) -> None:
    asked_ns = made.now + APART_NS
    made.boards[BOARD].edges.append((made.now + 600 * MS, 0.9))
    made.pause(made.now + SECOND)
    bench = replace(made.bench(), stall_ns=lambda board, start_ns, end_ns: waited_ns if board == BOARD else 0)
    found = sample(bench, BOARD, Instant(asked_ns, 0), asked_ns + 600 * MS)
    (limit,) = (replace(limit, samples=1) for limit in of("received") if limit.statistic == "max")
    (verdict,) = judge(Measurement("received", (limit,), (found,)), is_simulated=True)
    assert verdict.outcome is expected
