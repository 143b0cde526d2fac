"""The floor of a machine whose lateness is planted."""

import math

import numpy as np
import pytest

from hil.analysis.jitter import jitter
from tests.hil.analysis.coverage import coverage

NOW = 10**18


def woken(seed: int, samples: int = 500) -> list[tuple[int, int]]:
    late = np.random.default_rng(seed).exponential(1e6, samples).astype(int)
    return [(NOW + number * 10**7, NOW + number * 10**7 + int(value)) for number, value in enumerate(late)]


def test_the_floor_lies_within_its_uncertainty() -> None:
    found = [jitter(woken(seed)) for seed in range(80)]
    covered = coverage((one.p95_ns, math.log(20) * 1e6, one.uncertainty_ns) for one in found)
    assert covered.share >= 0.95
    assert covered.median < 0.2 * math.log(20) * 1e6
    assert np.median([one.median_ns for one in found]) == pytest.approx(math.log(2) * 1e6, rel=0.05)
    assert np.median([one.p99_ns for one in found]) == pytest.approx(math.log(100) * 1e6, rel=0.05)
    assert all(one.median_ns < one.p95_ns < one.p99_ns < one.max_ns and one.samples == 500 for one in found)


def test_the_latest_is_the_latest_and_early_is_below_zero() -> None:
    moments = [(NOW, NOW + 5)] * 98 + [(NOW, NOW - 3), (NOW, NOW + 777)]
    assert (jitter(moments).max_ns, jitter(moments).median_ns) == (777, 5)
    assert jitter([(NOW, NOW - 3)] * 100).max_ns == -3


def test_too_few_for_a_p99_are_refused() -> None:
    with pytest.raises(ValueError, match="take at least 100"):
        jitter([(0, 1)] * 99)
