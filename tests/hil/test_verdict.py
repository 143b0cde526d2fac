"""What a verdict is: the statistic with its uncertainty against its bound, and what the number of samples proves."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.analysis import quantiles
from hil.errors import InstrumentSilent
from hil.limits import Limit
from hil.measurement import Measurement, Outcome, Sample
from hil.verdict import Verdict, amount, inconclusive, judge, overall

P95 = Limit("received", "command to light", "s", "p95", "seen at once", at_most=0.150, samples=300)
LARGEST = Limit("step", "step against true time", "s", "max", "a second's matter", at_most=1.0, samples=59)
SMALLEST = Limit("duty", "duty", "%", "min", "the level is the light", at_least=90.0, samples=7)
SLOPE = Limit("heap", "heap lost", "bytes/command", "slope", "ten years", at_most=1.0, samples=59)
VM = Limit("boot", "power on to light", "s", "p95", "lit", at_most=3.0, simulated=0.5, samples=1)


def verdict(limit: Limit, *samples: tuple[float, float], quick: bool = False, simulated: bool = False) -> Verdict:
    taken = tuple(Sample(value, uncertainty) for value, uncertainty in samples)
    (found,) = judge(Measurement(limit.check, (limit,), taken), simulated, quick)
    return found


@pytest.mark.parametrize(
    ("last", "outcome"),
    [
        ((0.95, 0.05), Outcome.PASSED),
        ((0.96, 0.05), Outcome.INCONCLUSIVE),
        ((1.04, 0.05), Outcome.INCONCLUSIVE),
        ((1.05, 0.05), Outcome.INCONCLUSIVE),
        ((1.06, 0.05), Outcome.FAILED),
    ],
)
def test_a_maximum_is_judged_with_what_its_sample_does_not_know(last: tuple[float, float], outcome: Outcome) -> None:
    assert verdict(LARGEST, *[(0.5, 0.01)] * 58, last).outcome is outcome


def test_the_sample_that_decides_need_not_be_the_largest_value() -> None:
    found = verdict(LARGEST, *[(0.5, 0.0)] * 57, (0.9, 0.0), (0.8, 0.3))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.worst == Sample(0.8, 0.3)
    assert found.value == 0.9 and found.uncertainty == pytest.approx(0.2) and found.margin == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("value", "held_up", "outcome"),
    [
        (0.9, 0.8, Outcome.PASSED),  # in time in spite of it
        (1.2, 0.1, Outcome.FAILED),  # late without it
        (1.2, 0.3, Outcome.INCONCLUSIVE),
    ],
)
def test_what_held_a_sample_up_excuses_it_and_is_not_held_against_it(
    value: float, held_up: float, outcome: Outcome
) -> None:
    samples = (*[Sample(0.5)] * 58, Sample(value, 0.05, held_up=held_up))
    (found,) = judge(Measurement("step", (LARGEST,), samples), is_simulated=True)
    assert found.outcome is outcome
    assert found.uncertainty == pytest.approx(0.05)
    assert ("may have added 0.3" in found.reason) is (outcome is Outcome.INCONCLUSIVE)


def test_nothing_is_held_up_by_less_than_nothing() -> None:
    with pytest.raises(ValueError, match="held up by -1"):
        judge(Measurement("step", (LARGEST,), (Sample(0.5, held_up=-1.0),)), is_simulated=True)


@pytest.mark.parametrize(("value", "outcome"), [(91.0, "passed"), (90.5, "inconclusive"), (88.0, "failed")])
def test_a_floor_is_a_ceiling_turned_round(value: float, outcome: str) -> None:
    found = verdict(SMALLEST, *[(99.0, 0.1)] * 6, (value, 1.0))
    assert found.outcome == outcome
    assert found.worst == Sample(value, 1.0)


def test_a_quantile_is_judged_at_both_ends_of_its_samples_uncertainty() -> None:
    # 15 of 300 may be later than p95: the 285th smallest decides.
    assert verdict(P95, *[(0.100, 0.001)] * 285, *[(0.4, 0.001)] * 15).outcome is Outcome.PASSED
    assert verdict(P95, *[(0.100, 0.001)] * 284, *[(0.4, 0.001)] * 16).outcome is Outcome.FAILED
    near = verdict(P95, *[(0.149, 0.002)] * 300)
    assert near.outcome is Outcome.INCONCLUSIVE and "too near" in near.reason


def test_too_few_samples_are_inconclusive_and_say_how_many_are_missing() -> None:
    found = verdict(P95, *[(0.1, 0.0)] * 250)
    assert found.outcome is Outcome.INCONCLUSIVE and "take 50 more" in found.reason


def test_a_quick_run_passes_with_few_samples_and_says_so() -> None:
    found = verdict(P95, *[(0.1, 0.0)] * 10, quick=True)
    assert found.outcome is Outcome.PASSED
    assert "10 samples of the 300" in found.reason
    assert found.claim == "at least 74.1 % of all, with 95 % confidence"


def test_one_sample_over_a_maximum_is_over_it_however_few_there_are() -> None:
    assert verdict(LARGEST, (0.1, 0.0), (2.0, 0.1)).outcome is Outcome.FAILED
    assert verdict(P95, (0.1, 0.0), (2.0, 0.1)).outcome is Outcome.INCONCLUSIVE


def test_no_samples_are_inconclusive_even_when_quick() -> None:
    for quick in (False, True):
        assert verdict(LARGEST, quick=quick).outcome is Outcome.INCONCLUSIVE


def test_a_slope_is_one_sample_with_its_own_interval() -> None:
    assert verdict(SLOPE, (0.5, 0.4)).outcome is Outcome.PASSED
    assert verdict(SLOPE, (0.5, 0.6)).outcome is Outcome.INCONCLUSIVE
    assert verdict(SLOPE, (100.0, 5.0)).outcome is Outcome.FAILED
    assert verdict(SLOPE, (100.0, 5.0)).claim == ""
    with pytest.raises(ValueError, match="2 samples"):
        verdict(SLOPE, (0.5, 0.1), (0.5, 0.1))


def test_the_vm_is_judged_by_its_own_bound() -> None:
    assert verdict(VM, (1.0, 0.0)).outcome is Outcome.PASSED
    found = verdict(VM, (1.0, 0.0), simulated=True, quick=True)
    assert found.outcome is Outcome.FAILED and found.bound == 0.5


@pytest.mark.parametrize(("count", "share"), [(59, "95.0"), (299, "99.0"), (300, "99.0"), (7, "65.1")])
def test_without_a_failure_the_claim_is_that_of_the_sample_plan(count: int, share: str) -> None:
    assert math.floor(0.05 ** (1 / count) * 1000) / 10 == float(share)
    assert verdict(LARGEST, *[(0.1, 0.0)] * count).claim == f"at least {share} % of all, with 95 % confidence"


def test_a_sample_beyond_the_bound_weakens_the_claim() -> None:
    # Clopper and Pearson's table: 58 of 59 at one-sided 95 %.
    assert verdict(LARGEST, *[(0.1, 0.0)] * 58, (2.0, 0.0)).claim.startswith("at least 92.2 %")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    for sample in ((value, 0.0), (1.0, value), (1.0, -0.1)):
        with pytest.raises(ValueError, match="step"):
            verdict(LARGEST, (0.1, 0.0), sample)


def test_quantiles_are_left_out_where_samples_are_too_few_for_them() -> None:
    few = verdict(LARGEST, *[(number / 100, 0.0) for number in range(19)])
    assert (few.p50, few.p95, few.p99, few.max, few.interval) == (0.09, None, None, 0.18, None)
    many = verdict(LARGEST, *[(number / 1000, 0.0) for number in range(1, 101)])
    assert (many.p50, many.p95, many.p99, many.max) == (0.05, 0.095, 0.099, 0.1)
    assert many.interval is not None and many.interval[0] < 0.095 < many.interval[1] and many.interval_of == "p95"


def test_a_bench_that_failed_gives_no_verdict_and_its_advice() -> None:
    found = inconclusive("boot", InstrumentSilent("nothing from the probe", "look whether its LED blinks"))
    assert found.outcome is Outcome.INCONCLUSIVE and "look whether its LED blinks" in found.reason


def test_a_run_has_passed_when_everything_has_and_something_was_judged() -> None:
    passed, failed, unknown = (Verdict("x", outcome, "") for outcome in Outcome)
    assert overall([]) is Outcome.INCONCLUSIVE
    assert overall([passed, passed]) is Outcome.PASSED
    assert overall([passed, unknown]) is Outcome.INCONCLUSIVE
    assert overall([passed, unknown, failed]) is Outcome.FAILED


def test_a_number_beside_its_bound_shows_that_it_differs() -> None:
    assert amount(0.1500004, "s", beside=0.15) == "0.1500004 s"
    assert amount(0.15, "s", beside=0.15) == "0.15 s"
    assert amount(123456.0, "KB") == "123456 KB"


@given(
    st.lists(st.tuples(st.floats(0, 2), st.floats(0, 0.5)), min_size=1, max_size=80),
    st.sampled_from([P95, LARGEST, SMALLEST]),
)
def test_less_uncertainty_never_turns_passed_to_failed(samples: list[tuple[float, float]], limit: Limit) -> None:
    vague = verdict(limit, *samples, quick=True).outcome
    sharp = verdict(limit, *[(value, 0.0) for value, _ in samples], quick=True).outcome
    assert sharp is not Outcome.INCONCLUSIVE
    assert vague in (sharp, Outcome.INCONCLUSIVE)


@given(st.integers(20, 400), st.floats(0.01, 0.99))
def test_a_bootstrap_interval_holds_its_quantile(count: int, share: float) -> None:
    values = [float(number) for number in range(count)]
    low, high = quantiles.interval(values, share)
    assert low <= quantiles.quantile(values, share) <= high


def test_the_exact_bootstrap_agrees_with_one_that_is_drawn() -> None:
    import numpy as np

    generator = np.random.default_rng(5)
    values = list(generator.lognormal(size=300))
    drawn = [quantiles.quantile(list(generator.choice(values, 300)), 0.95) for _ in range(2000)]
    low, high = quantiles.interval(values, 0.95)
    # The interval holds 95 % of the draws: 1.96 standard deviations of a share of 2,000 are 0.01.
    assert sum(low <= value <= high for value in drawn) / 2000 == pytest.approx(0.955, abs=0.015)
    exact = quantiles.resampled(values, 0.95, 20_000, generator)
    assert float(np.mean(exact)) == pytest.approx(float(np.mean(drawn)), rel=0.01)
    assert float(np.std(exact)) == pytest.approx(float(np.std(drawn)), rel=0.1)
