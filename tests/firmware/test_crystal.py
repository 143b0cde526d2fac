"""The crystal's rate is learnt from the server's time, and the clock's error bound holds the truth whatever happens."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.clock import Clock
from firmware.codec import cbor
from firmware.crystal import DOUBT_PPB, LARGEST_PPB, RECORD, SWING_PPB, UNKNOWN_PPB, Crystal
from firmware.store import Store
from tests.firmware.flash import Flash, PowerCut

NOON = 1_800_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR


class Pole:
    """A clock on a crystal: `ppm(hours)` is what UTC gains on its RTC at each moment."""

    def __init__(self, ppm, flash: Flash | None = None, rtc_rate: int = 1, seed: int = 1) -> None:
        self.clock = Clock(rtc_rate, Store("", files=flash or Flash()))
        self.ppm = ppm
        self.rate = rtc_rate
        self.rtc = 0
        self.true_us = NOON * 1000
        self.random = random.Random(seed)

    @property
    def true_ms(self) -> int:
        return self.true_us // 1000

    def wait(self, ms: int) -> None:
        end = self.rtc + ms
        while self.rtc < end:
            step = min(600_000, end - self.rtc)
            self.true_us += step * 1000 + round(step * self.ppm(self.rtc / HOUR) / 1000)
            self.rtc += step

    def ask(self, round_trip_ms: int | None = None) -> None:
        """A question whose way there and back is split as badly as it likes."""
        way_ms = self.random.choice((20, 60, 150)) if round_trip_ms is None else round_trip_ms
        back_ms = round(self.random.random() * way_ms * self.rate)
        self.clock.offer(self.true_ms - back_ms, way_ms, self.rtc)

    def run(self, hours: int) -> "Pole":
        """Hours with a server: three questions each."""
        for _ in range(hours):
            for _ in range(3):
                self.ask()
            self.wait(HOUR)
        return self

    def error_ms(self) -> int:
        return self.clock.now_ms(self.rtc) - self.true_ms

    def is_within(self) -> bool:
        return abs(self.error_ms()) <= self.clock.error_bound_ms(self.rtc) + 2


@pytest.mark.parametrize("ppm", [-100, -37, 0, 3, 100])
def test_a_day_with_the_server_teaches_the_rate_and_72_hours_alone_cost_little(ppm: int) -> None:
    pole = Pole(lambda hours: ppm).run(24)
    assert abs(pole.clock.crystal.rate_ppb - ppm * 1000) < 3000
    pole.wait(72 * HOUR)
    assert abs(pole.error_ms()) < 1000
    assert pole.is_within()
    assert pole.clock.is_accurate(pole.rtc)
    assert pole.clock.error_bound_ms(pole.rtc) < 8000


def test_without_ever_having_learnt_72_hours_cost_26_seconds_and_the_bound_says_so() -> None:
    pole = Pole(lambda hours: 100)
    pole.ask()
    pole.wait(72 * HOUR)
    assert 25_000 < -pole.error_ms() < 26_100
    assert pole.is_within()
    assert not pole.clock.is_accurate(pole.rtc)


def test_rtc_of_is_the_inverse_of_now_at_any_rate() -> None:
    pole = Pole(lambda hours: 93).run(30)
    for rtc in (pole.rtc, pole.rtc + 72 * HOUR, pole.rtc - 5 * HOUR, pole.rtc + 1):
        assert abs(pole.clock.rtc_of(pole.clock.now_ms(rtc)) - rtc) <= 1


crystals = st.tuples(
    st.floats(-85, 85),  # ppm by its making and age
    st.floats(0, 12.5),  # and either way by its temperature,
    st.floats(6, 24 * 400),  # which comes round after so many hours
    st.floats(0, 6.3),
)


@given(crystals, st.lists(st.tuples(st.integers(1, 60), st.integers(0, 90)), min_size=1, max_size=4), st.integers(0, 9))
@settings(max_examples=60)
def test_whatever_the_crystal_and_the_outages_the_truth_is_within_the_bound(crystal, outages, seed) -> None:
    base, swing, period, phase = crystal
    pole = Pole(lambda hours: base + swing * math.sin(phase + 6.2832 * hours / period), seed=seed)
    for online_h, alone_h in outages:
        for _ in range(online_h):
            pole.run(1)
            assert pole.is_within()
        for _ in range(alone_h // 6):
            pole.wait(6 * HOUR)
            assert pole.is_within()
    assert pole.clock.contradictions == 0


@given(st.floats(-100, 100), st.integers(2, 90), st.booleans())
@settings(max_examples=40)
def test_a_server_that_was_put_right_is_believed_at_the_next_question(ppm, jump_s, back) -> None:
    pole = Pole(lambda hours: ppm).run(30)
    pole.true_us += (-1 if back else 1) * jump_s * 1_000_000
    pole.ask()
    assert not pole.clock.crystal.is_learnt
    for _ in range(12):
        assert pole.is_within()
        pole.wait(6 * HOUR)


@given(st.floats(-100, 100), st.floats(-100, 100))
@settings(max_examples=40)
def test_a_crystal_that_jumps_is_known_four_days_later(before, after) -> None:
    ppm = [before]
    pole = Pole(lambda hours: ppm[0]).run(30)
    ppm[0] = after
    pole.run(4 * 24)
    for _ in range(12):
        assert pole.is_within()
        pole.wait(6 * HOUR)


def test_a_crystal_that_swings_more_than_it_should_is_believed_to_do_so_from_then_on() -> None:
    pole = Pole(lambda hours: 60 if hours % 48 > 24 else -30)
    pole.run(30)
    before = pole.clock.crystal.doubt_ppb
    pole.run(240)
    assert pole.clock.contradictions
    assert pole.clock.crystal.doubt_ppb > before + SWING_PPB
    contradictions = pole.clock.contradictions
    pole.run(480)
    assert pole.clock.contradictions == contradictions


def test_in_a_simulation_600_times_too_fast_noise_teaches_nothing_wrong() -> None:
    pole = Pole(lambda hours: 0, rtc_rate=600)
    for _ in range(48):
        pole.ask(pole.random.choice((0, 1, 2, 8, 30)))
        pole.wait(HOUR)
        assert pole.is_within()
    assert abs(pole.clock.crystal.rate_ppb) <= DOUBT_PPB
    assert pole.clock.contradictions == 0


def test_the_lamp_is_switched_off_every_day_and_knows_its_crystal_at_once_in_the_evening() -> None:
    flash = Flash()
    pole = Pole(lambda hours: 100, flash).run(10)
    pole.clock.crystal.keep(pole.rtc)
    again = Pole(lambda hours: 100, flash)
    assert again.clock.crystal.is_learnt
    again.ask()
    again.wait(72 * HOUR)
    assert again.clock.is_accurate(again.rtc)
    assert again.is_within()
    assert abs(again.error_ms()) < 3000


def test_the_rate_is_written_when_it_is_news_and_once_a_day_at_the_most() -> None:
    flash = Flash()
    ppm = [40]
    pole = Pole(lambda hours: ppm[0], flash)
    writes = []
    for hour in range(24 * 20):
        pole.run(1)
        before = flash.steps
        pole.clock.crystal.keep(pole.rtc)
        if flash.steps != before:
            writes.append(hour)
        if hour == 24 * 8:
            ppm[0] = 52
    assert 2 <= len(writes) <= 5
    assert all(later - earlier >= 24 for earlier, later in pairwise(writes))


def test_a_cut_at_any_step_of_the_write_leaves_the_old_rate_or_the_new_one() -> None:
    flash = Flash()
    pole = Pole(lambda hours: 80, flash).run(12)
    pole.clock.crystal.keep(pole.rtc)
    old = pole.clock.crystal.rate_ppb
    new = old - 30_000
    points = 0
    while True:
        torn = Flash()
        torn.files = dict(flash.files)
        crystal = Crystal(Store("", files=torn))
        crystal.rate_ppb = new
        torn.budget = torn.steps + points
        points += 1
        try:
            crystal.keep(DAY)
        except PowerCut:
            torn.budget = None
            assert Crystal(Store("", files=torn)).rate_ppb in (old, new)
            continue
        break
    assert points > 20
    torn.budget = None
    assert Crystal(Store("", files=torn)).rate_ppb == new


@pytest.mark.parametrize(
    "record",
    [b"", b"\xff", cbor.encode(1), cbor.encode([1]), cbor.encode(["a", 1]), cbor.encode([LARGEST_PPB + 1, SWING_PPB]),
     cbor.encode([0, 0]), cbor.encode([0, UNKNOWN_PPB + 1])],
)  # fmt: skip
def test_a_record_that_makes_no_sense_is_a_crystal_that_nobody_has_measured(record: bytes) -> None:
    store = Store("", files=Flash())
    store.save(RECORD, record)
    crystal = Crystal(store)
    assert (crystal.rate_ppb, crystal.doubt_ppb, crystal.is_learnt) == (0, UNKNOWN_PPB, False)


def test_a_slope_that_no_crystal_has_is_not_learnt() -> None:
    crystal = Crystal()
    crystal.learn(NOON, 10, 0)
    crystal.learn(NOON + DAY + 60_000, 10, DAY)
    assert not crystal.is_learnt
    crystal.learn(NOON + 2 * DAY + 60_000 + 864, 10, 2 * DAY)
    assert abs(crystal.rate_ppb - 10_000) < DOUBT_PPB


def test_of_two_beginnings_the_better_one_is_learnt_from() -> None:
    crystal = Crystal()
    crystal.learn(NOON, 1500, 0)
    crystal.learn(NOON, 20, 1000)
    crystal.learn(NOON + 2 * HOUR, 20, 1000 + 2 * HOUR)
    assert crystal.is_learnt
