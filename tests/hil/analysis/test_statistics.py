"""Quantiles and their intervals against what is known of distributions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.analysis import quantiles
from hil.analysis.statistics import least, quantile

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=200)


@given(VALUES, st.floats(0.05, 0.95))
def test_a_quantile_is_a_sample_that_this_share_does_not_exceed(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) < share * len(values) + 1e-6


def test_nearest_rank_is_not_deceived_by_binary_fractions() -> None:
    assert quantile(range(1, 301), 0.95) == 285
    assert quantile(range(1, 101), 0.99) == 99
    assert quantile(range(1, 101), 0.55) == 55
    assert (quantile([3, 1, 2], 0.0), quantile([3, 1, 2], 0.5), quantile([3, 1, 2], 1.0)) == (1, 2, 3)


@pytest.mark.parametrize(("share", "samples"), [(0.5, 2), (0.95, 20), (0.99, 100), (0.05, 20), (1.0, 1)])
def test_a_quantile_needs_one_sample_beyond_it(share: float, samples: int) -> None:
    assert least(share) == samples
    assert math.isfinite(quantile([1.0] * samples, share))
    with pytest.raises(ValueError, match=f"too few for a p{100 * share:g}; take at least {samples}"):
        quantile([1.0] * (samples - 1), share)


def test_what_is_no_number_is_refused_by_its_place() -> None:
    with pytest.raises(ValueError, match="sample 7 is no number"):
        quantile([1.0] * 7 + [math.nan] + [1.0] * 20, 0.95)
    with pytest.raises(ValueError, match="it is a share"):
        quantile([1.0], 1.5)


def test_the_exact_bootstrap_holds_the_truth_as_often_as_it_says() -> None:
    """The p95 of exponential times, the shape of waiting; an interval of 300 skewed samples is a little too short."""
    truth = math.log(20)
    held = 0
    for seed in range(200):
        low, high = quantiles.interval(np.random.default_rng(seed).exponential(size=300).tolist(), 0.95)
        held += low <= truth <= high
    assert 0.88 * 200 <= held < 0.99 * 200
