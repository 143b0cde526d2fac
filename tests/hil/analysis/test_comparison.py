"""Two sets of samples whose difference is planted."""

import numpy as np
import pytest

from hil.analysis.comparison import compare


def test_the_same_thing_measured_twice_differs_as_rarely_as_chance_allows() -> None:
    found = []
    for seed in range(100):
        chance = np.random.default_rng(seed)
        found.append(
            compare(chance.exponential(size=120).tolist(), chance.exponential(size=120).tolist(), seed, 0.95, 300)
        )
    assert sum(comparison.p_value < 0.05 for comparison in found) <= 12
    assert sum(comparison.p95.low <= 0 <= comparison.p95.high for comparison in found) >= 92
    assert np.median([abs(comparison.effect) for comparison in found]) < 0.1


def test_a_set_that_is_later_is_seen_as_later() -> None:
    chance = np.random.default_rng(1)
    before = chance.normal(100, 5, 300)
    found = compare(before.tolist(), (chance.normal(100, 5, 300) + 10).tolist(), 1)
    assert found.p_value < 1e-9
    # Of two normals 10 apart with sd 5: P(later) - P(earlier) = 2 Phi(10 / (5 sqrt 2)) - 1 = 0.84.
    assert found.effect == pytest.approx(0.843, abs=0.05)
    assert found.p95.low <= 10 <= found.p95.high
    assert 0 < found.uncertainty < 5
    back = compare((before + 10).tolist(), before.tolist(), 1)
    assert back.effect < -0.8
    assert back.p95.high < 0


def test_late_ones_alone_are_seen_in_the_p95() -> None:
    chance = np.random.default_rng(2)
    before, after = chance.normal(100, 5, 300), chance.normal(100, 5, 300)
    after[:30] += 200
    found = compare(before.tolist(), after.tolist(), 1)
    assert found.p95.low > 50
    assert abs(found.effect) < 0.25


def test_without_any_difference_nothing_moved() -> None:
    found = compare([3.0] * 20, [3.0] * 20, 1)
    assert (found.p_value, found.effect, found.p95.value, found.uncertainty) == (1.0, 0.0, 0.0, 0.0)


def test_sets_too_small_for_a_p95_are_refused() -> None:
    with pytest.raises(ValueError, match="take at least 20"):
        compare([1.0] * 19, [1.0] * 20, 1)
