"""Schedules whose steps come early, late, not at all, and where nobody asked for one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.analysis.steps import Steps, steps
from hil.edges import EdgeTrace
from tests.hil.analysis.coverage import coverage
from tests.hil.analysis.synthetic import Eye

NOW = 10**18
S = 10**9
WINDOW = 25 * S


def trace(*edges: tuple[int, float]) -> EdgeTrace:
    return EdgeTrace("light", tuple(at for at, _ in edges), tuple(level for _, level in edges), 1, 10, "test")


def test_errors_lie_within_their_uncertainty() -> None:
    cases = []
    for seed in range(60):
        chance = np.random.default_rng(seed)
        due = np.arange(1, 9) * 60.0 * S
        late = chance.normal(0, 0.4 * S, due.size)
        levels = np.tile((0.3, 0.6), 4)
        seen = Eye(1000, 100_000).see(chance, np.concatenate(([0.0], due + late)), np.concatenate(([0.8], levels)), NOW)
        expected = [(NOW + round(at), float(level)) for at, level in zip(due, levels, strict=True)]
        found = steps(seen, expected, WINDOW)
        assert (found.missed, found.extra) == ((), ())
        cases += [(step.error_ns, truth, found.uncertainty_ns) for step, truth in zip(found.found, late, strict=True)]
    assert coverage(cases).share >= 0.94
    assert coverage(cases).widest < 200_000


@given(
    st.lists(st.sampled_from(("kept", "missed", "double")), min_size=1, max_size=12),
    st.data(),
)
def test_a_missed_step_is_missed_and_an_extra_one_extra(fates: list[str], data: st.DataObject) -> None:
    """Each level is another one, so that a missed step leaves the next one to be seen."""
    expected = [(number * 60 * S, number / 20) for number in range(1, len(fates) + 1)]
    edges, errors, extra = [(0, 0.0)], [], []
    for (due, level), fate in zip(expected, fates, strict=True):
        if fate == "missed":
            continue
        error = data.draw(st.integers(-10 * S, 10 * S))
        edges.append((due + error, level))
        errors.append(error)
        if fate == "double":
            # A blink to a level that is nobody's.
            extra.append((due + 20 * S, 0.97))
            edges += [(due + 20 * S, 0.97), (due + 21 * S, level)]
    found = steps(trace(*edges), expected, WINDOW)
    assert [step.due_ns for step in found.found] == [
        due for (due, _), fate in zip(expected, fates, strict=True) if fate != "missed"
    ]
    assert found.missed == tuple(step for step, fate in zip(expected, fates, strict=True) if fate == "missed")
    assert [change for change in found.extra if change[1] == 0.97] == extra
    assert len(found.extra) == 2 * len(extra)
    # After a blink the light goes to its level a second time, and that may be nearer to its moment.
    if not extra:
        assert [step.error_ns for step in found.found] == errors
    assert found.uncertainty_ns == 10


def test_a_step_beyond_the_window_is_missed_and_extra_and_no_huge_error() -> None:
    found = steps(trace((0, 0.8), (90 * S, 0.3)), [(60 * S, 0.3)], WINDOW)
    assert found == Steps((), ((60 * S, 0.3),), ((90 * S, 0.3),), 10)
    assert steps(trace((0, 0.8), (85 * S, 0.3)), [(60 * S, 0.3)], WINDOW).found[0].error_ns == 25 * S


def test_a_light_that_does_nothing_misses_all() -> None:
    expected = [(60 * S, 0.3), (120 * S, 0.6)]
    assert steps(trace((0, 0.8), (5, 0.8)), expected, WINDOW).missed == tuple(expected)


def test_a_step_to_the_wrong_level_is_missed_and_extra() -> None:
    found = steps(trace((0, 0.8), (60 * S, 0.31)), [(60 * S, 0.3)], WINDOW)
    assert (found.missed, found.extra) == (((60 * S, 0.3),), ((60 * S, 0.31),))
    assert steps(trace((0, 0.8), (60 * S, 0.304)), [(60 * S, 0.3)], WINDOW).missed == ()


def test_steps_whose_windows_overlap_are_told_apart() -> None:
    expected = [(10 * S, 0.3), (20 * S, 0.6), (30 * S, 0.3)]
    found = steps(trace((0, 0.6), (19 * S, 0.3), (29 * S, 0.6), (39 * S, 0.3)), expected, WINDOW)
    assert [step.error_ns for step in found.found] == [9 * S] * 3


def test_a_fade_is_one_step_that_happened_when_it_began() -> None:
    fade = [(60 * S + number * 20_000_000, 0.8 - number / 100) for number in range(1, 51)]
    seen = trace((0, 0.8), *fade, (120 * S, 0.8))
    found = steps(seen, [(60 * S, 0.3), (119 * S, 0.8)], WINDOW, settle_ns=100_000_000)
    assert [step.error_ns for step in found.found] == [20_000_000, S]
    assert (found.missed, found.extra) == ((), ())
    assert len(steps(seen, [(60 * S, 0.3)], WINDOW).extra) == 50


def test_noise_is_no_step() -> None:
    found = steps(trace((0, 0.8), (10 * S, 0.803), (60 * S, 0.3), (70 * S, 0.298)), [(60 * S, 0.3)], WINDOW)
    assert (len(found.found), found.extra) == (1, ())


@pytest.mark.parametrize(
    ("edges", "expected", "window", "words"),
    [
        (((0, 0.8),), (), WINDOW, "no step is expected"),
        ((), ((5, 0.3),), WINDOW, "does not reach back"),
        (((10, 0.8),), ((5, 0.3),), WINDOW, "does not reach back"),
        (((0, 0.8),), ((5, 0.3),), 0, "window of 0 ns"),
        (((0, 0.8),), ((5, 0.3), (4, 0.6)), WINDOW, "sort them"),
        (((0, 0.8),), ((5, 0.3), (9, 0.301)), WINDOW, "no edge shows the second"),
    ],
)
def test_what_cannot_be_told_is_refused(edges, expected, window: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        steps(trace(*edges), expected, window)
