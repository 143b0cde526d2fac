"""Fades whose begin, end, steps and faults are planted, as levels and as pulses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.analysis.fade import Fade, fade
from hil.analysis.pwm import demodulate, level_uncertainty
from hil.edges import EdgeTrace
from tests.hil.analysis.coverage import coverage
from tests.hil.analysis.synthetic import Eye, Ramp, pulsed, ramp

NOW = 10**18
S = 1e9


def by_level(chance: np.random.Generator, planted: Ramp) -> Fade:
    return fade(Eye(1000, 2000).see(chance, planted.at_ns, planted.level, NOW))


def by_pulses(chance: np.random.Generator, planted: Ramp) -> Fade:
    end = planted.end_ns + 0.3 * S
    at, level = pulsed(planted.at_ns, planted.level, 1000.0, end)
    raw = Eye(lost_pairs=3, lost_single=3, glitches=3).see(chance, at, level, NOW)
    return fade(demodulate(raw, 1e6, NOW + round(end)), level_uncertainty(raw, 1e6))


@pytest.mark.parametrize("look", [by_level, by_pulses])
def test_the_planted_fade_is_found_within_its_uncertainty(look) -> None:
    durations, ends, largest = [], [], []
    for seed in range(60):
        chance = np.random.default_rng(seed)
        start, end = chance.choice(np.arange(4, 100, 12) / 100, 2, replace=False)
        planted = ramp(chance, float(start), float(end), float(chance.uniform(0.4, 4)) * S)
        found = look(chance, planted)
        durations.append((found.duration_ns, planted.end_ns - planted.begin_ns, found.uncertainty_ns))
        ends += [(found.start_level, start, 3e-4), (found.end_level, end, 3e-4)]
        largest.append((found.largest_step, np.abs(np.diff(planted.level)).max(), 2 * found.level_uncertainty))
        assert found.is_monotonic
        assert found.r_squared > 0.995
        # Half a step each way, and what the looks came late.
        assert found.deviation < 1.3 * found.largest_step + 0.002
    assert coverage(durations).share >= 0.95
    # A look at the clock each 20 ms, which may come 2 ms late; a slow fade moves at each second look.
    assert coverage(durations).median < 24e6
    assert coverage(durations).widest < 48e6
    assert coverage(ends).share == 1
    assert coverage(largest).share >= 0.95
    assert coverage(largest).widest < 3e-4


@settings(max_examples=80)
@given(
    start=st.integers(0, 1000),
    way=st.integers(60, 1000),
    duration_s=st.floats(0.3, 60),
    late_ms=st.floats(0, 15),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_fade_is_found_again(start: int, way: int, duration_s: float, late_ms: float, seed: int) -> None:
    end = start + way if start + way <= 1000 else start - way
    if end < 0:
        start, end = 0, way
    chance = np.random.default_rng(seed)
    step_ns = max(20e6, duration_s * S / 200)
    planted = ramp(chance, start / 1000, end / 1000, duration_s * S, step_ns, late_ms * 1e6)
    found = fade(Eye(1000, 0).see(chance, planted.at_ns, planted.level, NOW))
    # One step more than is stated: the first look may have come as late as all of them may.
    assert abs(found.duration_ns - (planted.end_ns - planted.begin_ns)) <= found.uncertainty_ns + late_ms * 1e6
    assert (found.start_level, found.end_level) == (start / 1000, end / 1000)
    assert found.largest_back == 0
    assert found.largest_step == pytest.approx(np.abs(np.diff(planted.level)).max())
    assert found.steps == len(planted.level) - 1


def test_a_fade_that_takes_a_fifth_too_long_is_a_fifth_too_long() -> None:
    chance = np.random.default_rng(1)
    found = by_level(chance, ramp(chance, 0.2, 0.9, 4.8 * S))
    assert found.duration_ns / 4e9 - found.uncertainty_ns / 4e9 > 1.15


def trace(*edges: tuple[float, float]) -> EdgeTrace:
    return EdgeTrace("light", tuple(round(at) for at, _ in edges), tuple(level for _, level in edges), 1, 10, "test")


def staircase(count: int = 10, step_ns: float = 20e6) -> list[tuple[float, float]]:
    """From 0.2 to 0.2 + count / 100; the fade begins at 1 s."""
    return [(0, 0.2), *((S + number * step_ns, 0.2 + number / 100) for number in range(1, count + 1))]


@pytest.mark.parametrize("direction", [1, -1])
def test_a_fade_begins_one_step_before_its_first_edge(direction: int) -> None:
    found = fade(trace(*((at, 0.5 + direction * (level - 0.2)) for at, level in staircase())))
    assert (found.begin_ns, found.end_ns, found.duration_ns) == (10**9, 1_200_000_000, 200_000_000)
    assert found.uncertainty_ns == 20_000_020
    assert found.r_squared == pytest.approx(1)
    assert found.deviation == pytest.approx(0.01)
    assert found.largest_step == pytest.approx(0.01)


def test_a_step_back_is_measured_from_the_furthest_that_it_was() -> None:
    edges = staircase()
    edges[5] = (edges[5][0], edges[5][1] - 0.05)
    found = fade(trace(*edges))
    assert found.largest_back == pytest.approx(0.04)
    assert not found.is_monotonic
    down = fade(trace(*((at, 1 - level) for at, level in edges)))
    assert down.largest_back == pytest.approx(0.04)
    assert fade(trace(*edges), level_uncertainty=0.002).largest_back == pytest.approx(0.04)


def test_a_way_back_in_small_steps_is_measured_whole() -> None:
    found = fade(trace((0, 0.2), (S, 0.3), (1.1 * S, 0.27), (1.2 * S, 0.24), (1.3 * S, 0.4)))
    assert found.largest_back == pytest.approx(0.06)


def test_a_jump_amid_a_fade_is_its_largest_step_and_its_deviation() -> None:
    edges = staircase(20)
    jumped = edges[:5] + [(at, level + 0.2) for at, level in edges[5:]]
    found = fade(trace(*jumped))
    assert found.largest_step == pytest.approx(0.21)
    assert found.deviation > 0.08
    assert found.r_squared < 0.95


def test_a_stall_is_a_deviation_and_makes_the_fade_longer() -> None:
    edges = staircase(20)
    stalled = edges[:10] + [(at + 0.3 * S, level) for at, level in edges[10:]]
    found = fade(trace(*stalled))
    assert found.duration_ns == 700_000_000
    assert found.deviation > 0.05


def test_a_jump_takes_no_time_and_is_all_of_the_step() -> None:
    found = fade(trace((0, 0.2), (S, 0.9)))
    assert (found.duration_ns, found.uncertainty_ns, found.steps) == (0, 20, 1)
    assert found.largest_step == pytest.approx(0.7)
    assert (found.deviation, found.r_squared, found.largest_back) == (0, 1, 0)


def test_two_jumps_are_a_fade_of_two_steps() -> None:
    found = fade(trace((0, 0.2), (S, 0.3), (1.02 * S, 0.4)))
    assert found.duration_ns == 40_000_000


def test_there_and_back_again_is_no_fade_but_a_step_back() -> None:
    found = fade(trace((0, 0.2), (S, 0.4), (1.02 * S, 0.2)))
    assert found.largest_back == pytest.approx(0.2)
    assert not found.is_monotonic


def test_levels_that_only_waver_are_no_steps() -> None:
    edges = [(0, 0.2), (1e8, 0.2001), (2e8, 0.1999), *staircase()[1:], (3 * S, 0.3001), (4 * S, 0.2999)]
    found = fade(trace(*edges), level_uncertainty=1e-4)
    assert (found.steps, found.end_ns) == (10, 1_200_000_000)
    assert found.is_monotonic


def test_a_step_amid_a_period_is_one_step_and_not_two() -> None:
    halves = [(0, 0.2), (S, 0.25), (S + 1e6, 0.3), (S + 100e6, 0.35), (S + 101e6, 0.4)]
    seen = trace(*halves)
    coarse = EdgeTrace(seen.channel, seen.t_ns, seen.level, 1_000_000, 1_000_010, "mean of each period")
    assert fade(coarse).largest_step == pytest.approx(0.1)
    assert fade(seen).largest_step == pytest.approx(0.05)
    turned = EdgeTrace("light", seen.t_ns, (0.2, 0.3, 0.25, 0.35, 0.4), 1_000_000, 1_000_010, "mean of each period")
    assert fade(turned).largest_back == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("edges", "words"), [((), "look at the wiring"), (((0, 0.2),), "never changes"), (((0, 0.2), (5, 0.2)), "never")]
)
def test_what_is_no_fade_is_refused(edges: tuple[tuple[float, float], ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fade(trace(*edges))
