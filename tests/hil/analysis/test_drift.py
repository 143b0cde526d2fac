"""Clocks whose drift is planted, read through noise, outliers and a wander."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.analysis.drift import Drift, drift
from hil.analysis.trend import trend
from tests.hil.analysis.coverage import coverage

HOUR_NS = 3600 * 10**9


def planted(seed: int, outliers: float, wander: float, samples: int = 60) -> tuple[Drift, float]:
    """Samples at random moments of an hour, good to 2 ms (95 %); `outliers` of them up to hundreds of ms late;
    `wander`: how much of its error a sample hands on to the next."""
    chance = np.random.default_rng(seed)
    at = np.sort(chance.integers(0, HOUR_NS, samples))
    ppm = float(chance.uniform(-60, 60))
    error = chance.normal(0, 1e6, samples)
    for number in range(1, samples):
        error[number] += wander * error[number - 1]
    error += (chance.random(samples) < outliers) * chance.exponential(5e7, samples)
    offsets = at * ppm * 1e-6 + error + 5e9
    return drift((at + 10**18).tolist(), offsets.tolist(), [2e6] * samples), ppm


@pytest.mark.parametrize("outliers", [0.0, 0.1])
def test_the_drift_lies_within_its_uncertainty(outliers: float) -> None:
    found = [planted(seed, outliers, 0.0) for seed in range(300)]
    covered = coverage((one.slope_ppm, ppm, one.uncertainty_ppm) for one, ppm in found)
    assert covered.share >= 0.95
    # 1 ms of noise on 60 samples of an hour allow 0.24 ppm.
    assert covered.median < 0.4
    assert covered.widest < 1.0
    assert all(one.samples == 60 and one.span_ns < HOUR_NS for one, _ in found)


def test_a_clock_that_wanders_is_known_less_well_and_says_so() -> None:
    covered = coverage(
        (one.slope_ppm, ppm, one.uncertainty_ppm) for one, ppm in (planted(s, 0.0, 0.6) for s in range(300))
    )
    assert covered.share >= 0.93
    assert 0.4 < covered.median < 1.2


def test_the_residual_is_the_noise_and_not_the_drift() -> None:
    residuals = [planted(seed, 0.0, 0.0)[0].residual_p95_ns for seed in range(50)]
    assert 1.5e6 < np.median(residuals) < 2.3e6


def test_a_straight_line_is_no_better_than_its_samples() -> None:
    at = [number * 10**9 for number in range(60)]
    exact = drift(at, [moment * 20e-6 for moment in at])
    assert exact.slope_ppm == pytest.approx(20)
    assert exact.uncertainty_ppm < 1e-6
    doubtful = drift(at, [moment * 20e-6 for moment in at], [1e6] * 60)
    # 1 ms / sqrt(sum of squares of the moments) of a minute.
    assert doubtful.uncertainty_ppm == pytest.approx(7.46, abs=0.05)


def test_moments_of_today_lose_nothing_in_a_float() -> None:
    """At 10 ** 18 ns neighbours of a float are 128 ns apart."""
    found = drift([10**18 + 100 * number for number in range(60)], [5.0 * number for number in range(60)])
    assert found.slope_ppm == pytest.approx(50_000, rel=1e-9)
    assert found.uncertainty_ppm < 1


def test_a_long_series_is_thinned_and_says_the_same() -> None:
    chance = np.random.default_rng(3)
    x = np.arange(10_000.0)
    found = trend(x, 5 + 0.25 * x + chance.normal(0, 10, x.size))
    assert found.slope == pytest.approx(0.25, abs=found.uncertainty)
    assert found.uncertainty < 2e-4
    assert found.at_zero == pytest.approx(5, abs=1)
    assert found.n == 10_000
    assert found.correlation == 0


@given(st.floats(-100, 100), st.floats(-1e3, 1e3), st.integers(20, 60))
def test_a_line_is_found_again(slope: float, start: float, count: int) -> None:
    x = [float(number) for number in range(count)]
    found = trend(x, [start + slope * value for value in x])
    assert found.slope == pytest.approx(slope, abs=1e-6)
    assert found.at_zero == pytest.approx(start, abs=1e-4)


def test_residuals_of_two_kinds_only_do_not_upset_it() -> None:
    """All ranks but the last are equal: no correlation can be worked out, and none is."""
    x = [float(number) for number in range(20)]
    assert trend(x, [0.0] * 19 + [5.0]).correlation == 0


@pytest.mark.parametrize(
    ("x", "y", "doubts", "words"),
    [
        (range(19), range(19), (), "take at least 20"),
        (range(20), range(21), (), "20 moments for 21 values"),
        (range(20), range(20), (1.0,), "with 1 uncertainties"),
        ([*range(19), 3], range(20), (), "sort the samples"),
        ([1] * 20, range(20), (), "over a while"),
        ([*range(19), float("inf")], range(20), (), "sample 19 is no number"),
    ],
)
def test_a_series_that_has_no_trend_is_refused(x, y, doubts, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        trend([float(value) for value in x], [float(value) for value in y], doubts)


def test_no_samples_are_refused_as_too_few() -> None:
    with pytest.raises(ValueError, match="take at least 20"):
        drift([], [])
