"""The clock keeps the best time it was told, and knows how wrong it may be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.clock import EARLIEST_MS, LATEST_MS, Clock

NOON = 1_800_000_000_000
HOUR = 3_600_000


def test_without_a_time_there_is_none_and_nothing_to_trust() -> None:
    clock = Clock()
    assert clock.now_ms(5) is clock.stamp_s(5) is clock.rtc_of(5) is clock.last_sync_ms() is clock.trusted_ms(5) is None
    assert clock.error_bound_ms(5) == -1
    assert not clock.is_trusted(5)
    assert not clock.is_accurate(5)


def test_an_answer_is_half_a_round_trip_old() -> None:
    clock = Clock()
    assert clock.offer(NOON, 80, 1000)
    assert clock.now_ms(1000) == NOON + 40
    assert clock.now_ms(6000) == NOON + 5040
    assert clock.error_bound_ms(1000) == 41
    assert clock.rtc_of(NOON + 5040) == 6000
    assert clock.last_sync_ms() == NOON + 40


def test_of_several_samples_the_tightest_is_kept() -> None:
    clock = Clock()
    assert clock.offer(NOON, 200, 0)
    assert not clock.offer(NOON + 100 + 90, 400, 100)
    assert clock.offer(NOON + 250, 20, 200)
    assert clock.now_ms(200) == NOON + 260
    assert clock.error_bound_ms(200) == 11


def test_the_bound_grows_with_the_drift_and_an_aged_one_gives_way() -> None:
    clock = Clock()
    clock.offer(NOON, 20, 0)
    assert clock.error_bound_ms(HOUR) == 11 + 360
    assert clock.error_bound_ms(72 * HOUR) == 11 + 25920
    assert clock.offer(NOON + HOUR, 200, HOUR)
    assert clock.error_bound_ms(HOUR) == 101


def test_after_72_hours_it_is_a_fault_and_still_followed_and_after_months_no_longer() -> None:
    clock = Clock()
    clock.offer(NOON, 20, 0)
    assert clock.is_accurate(27 * HOUR)
    assert not clock.is_accurate(72 * HOUR)
    assert clock.is_trusted(72 * HOUR)
    assert clock.trusted_ms(72 * HOUR) == NOON + 10 + 72 * HOUR
    months = 24 * 120 * HOUR
    assert not clock.is_trusted(months)
    assert clock.trusted_ms(months) is None
    assert clock.now_ms(months) is not None


def test_a_sample_that_contradicts_replaces_even_a_tighter_one() -> None:
    clock = Clock()
    clock.offer(NOON, 2, 0)
    assert clock.offer(NOON + HOUR, 300, 1000)
    assert clock.contradictions == 1
    assert clock.now_ms(1000) == NOON + HOUR + 150


@pytest.mark.parametrize("utc_ms", [0, -5, EARLIEST_MS - 2, LATEST_MS, LATEST_MS * 1000])
def test_an_absurd_time_is_refused(utc_ms: int) -> None:
    clock = Clock()
    assert not clock.offer(utc_ms, 2, 0)
    assert clock.now_ms(0) is None
    assert clock.rejected == 1


@pytest.mark.parametrize("round_trip_ms", [-1, 93001])
def test_an_absurd_round_trip_is_refused(round_trip_ms: int) -> None:
    clock = Clock()
    assert not clock.offer(NOON, round_trip_ms, 0)
    assert clock.rejected == 1


def test_a_round_trip_is_measured_in_ticks_and_counts_at_the_rate_of_the_rtc() -> None:
    clock = Clock(rtc_rate=600)
    clock.offer(NOON, 10, 0)
    assert clock.now_ms(0) == NOON + 3000
    assert clock.error_bound_ms(0) == 3600, "half the way, and the tick that is not known better"
    assert clock.is_accurate(0)


def test_a_written_time_sets_a_clock_that_has_none_and_does_not_spoil_a_better_one() -> None:
    clock = Clock()
    assert clock.set_s(NOON // 1000, 0)
    assert abs(clock.now_ms(0) - NOON) <= clock.error_bound_ms(0) + 500
    assert clock.is_accurate(0)
    clock.offer(NOON + 700, 20, 0)
    assert clock.set_s(NOON // 1000, 0)
    assert clock.now_ms(0) == NOON + 710
    assert not clock.set_s(0, 0)


def test_a_written_time_that_contradicts_is_taken() -> None:
    clock = Clock()
    clock.offer(NOON, 20, 0)
    assert clock.set_s(NOON // 1000 + 3600, 0)
    assert clock.now_ms(0) > NOON + HOUR


def test_stamps_are_whole_seconds_and_never_repeat_over_a_small_step_back() -> None:
    clock = Clock()
    clock.offer(NOON, 20, 0)
    stamps = [clock.stamp_s(0), clock.stamp_s(0), clock.stamp_s(900)]
    clock.offer(NOON - 30_000, 2, 2000)
    stamps.append(clock.stamp_s(2000))
    assert stamps == [NOON // 1000 + count for count in range(4)]
    assert clock.stamp_s(60_000) == NOON // 1000 + 28


def test_a_large_step_back_is_believed() -> None:
    clock = Clock()
    clock.offer(NOON, 20, 0)
    clock.stamp_s(0)
    clock.offer(NOON - HOUR, 20, 0)
    assert [clock.stamp_s(0), clock.stamp_s(0)] == [(NOON - HOUR) // 1000, (NOON - HOUR) // 1000 + 1]


def test_the_stamp_of_what_waited_for_the_clock_leaves_the_newer_ones_unique() -> None:
    clock = Clock()
    clock.offer(NOON, 20, HOUR)
    assert [clock.stamp_s(HOUR), clock.stamp_s(0), clock.stamp_s(HOUR)] == [
        NOON // 1000,
        (NOON - HOUR) // 1000,
        NOON // 1000 + 1,
    ]


def test_a_clock_that_runs_beyond_2106_is_not_trusted_any_more() -> None:
    clock = Clock()
    assert clock.offer(LATEST_MS - HOUR, 20, 0)
    assert clock.is_trusted(HOUR // 2)
    assert not clock.is_trusted(HOUR)
    assert clock.trusted_ms(HOUR) is None


def test_a_server_that_is_five_years_wrong_is_followed_and_later_put_right() -> None:
    clock = Clock()
    clock.offer(NOON, 20, 0)
    years = 5 * 365 * 24 * HOUR
    assert clock.offer(NOON + years + HOUR, 20, HOUR)
    assert clock.trusted_ms(HOUR) == NOON + years + HOUR + 10
    assert clock.offer(NOON + 2 * HOUR, 20, 2 * HOUR)
    assert clock.trusted_ms(2 * HOUR) == NOON + 2 * HOUR + 10
    assert clock.contradictions == 2
    assert clock.crystal.rate_ppb == 0, "neither step was taken for the crystal's"


samples = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 100), st.integers(0, 50_000_000)), max_size=12)


@given(samples, st.integers(-100, 100))
@settings(max_examples=200)
def test_the_true_time_is_always_within_the_bound(samples: list, drift_ppm: int) -> None:
    """Whatever the split of each round trip and whatever the drift within the specification."""
    clock = Clock()
    rtc = 0
    for round_trip, back_percent, wait in samples:
        rtc += wait
        true_ms = NOON + rtc + rtc * drift_ppm // 1_000_000
        clock.offer(true_ms - round_trip * back_percent // 100, round_trip, rtc)
        later = rtc + 1_000_000
        assert clock.contradictions == 0
        assert (
            abs(clock.now_ms(later) - (NOON + later + later * drift_ppm // 1_000_000))
            <= clock.error_bound_ms(later) + 2
        )
