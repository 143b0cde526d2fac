"""A controller that is too hot takes its light back slowly, says so, and is never dark for it."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from firmware.derating import BAND_C, FULL, HOLD_MS, LEAST, Derating
from tests.firmware.nights import EVENING
from tests.firmware.test_floor import FLOOR_30
from tests.firmware.test_lamp import Street

LIMIT = 85.0


class Housing:
    """A derating whose temperature is in our hand, looked at each two seconds."""

    def __init__(self) -> None:
        self.derating = Derating()
        self.rtc = 5000
        self.trace = [FULL]

    def hold(self, celsius: float | None, seconds: int) -> int:
        for _ in range(seconds // 2):
            self.derating.update(celsius, LIMIT, self.rtc)
            self.rtc += 2000
            self.trace.append(self.derating.permille)
        return self.derating.permille


@pytest.mark.parametrize(
    ("celsius", "left"), [(85.0, 1000), (86.5, 950), (92.5, 750), (100.0, 500), (120.0, 500), (149.0, 500)]
)
def test_the_output_falls_evenly_to_half_fifteen_degrees_above_the_threshold(celsius: float, left: int) -> None:
    assert Housing().hold(celsius, 1200) == left


def test_a_short_heat_takes_no_light_and_a_long_one_takes_it_slowly() -> None:
    housing = Housing()
    for _ in range(20):
        housing.hold(99.0, HOLD_MS // 1000)
        housing.hold(80.0, 4)
    assert set(housing.trace) == {FULL}
    housing.hold(99.0, 1000)
    assert max(before - after for before, after in pairwise(housing.trace)) == 2


def test_the_light_comes_back_as_slowly_and_only_when_it_has_become_cooler() -> None:
    housing = Housing()
    housing.hold(94.0, 1200)
    assert housing.hold(94.0 - BAND_C, 1200) == 700
    assert housing.hold(88.0, 1200) == 800
    assert housing.hold(LIMIT - BAND_C, 1200) == FULL
    assert max(abs(after - before) for before, after in pairwise(housing.trace)) == 2


def test_a_temperature_that_trembles_makes_no_light_that_flickers() -> None:
    housing, dice = Housing(), random.Random(3)
    for _ in range(2000):
        housing.hold(92.0 + dice.uniform(-1.4, 1.4), 2)
    settled = housing.trace[1000:]
    assert len(set(settled)) < 30
    assert settled == sorted(settled, reverse=True)


@pytest.mark.parametrize("nonsense", [None, float("nan"), 400.0, -100.0])
def test_a_thermometer_that_breaks_gives_the_light_back(nonsense: float | None) -> None:
    assert Housing().hold(nonsense, 600) == FULL
    housing = Housing()
    housing.hold(99.0, 1200)
    housing.hold(nonsense, 20)
    assert housing.derating.words() == ", derated to 55 %: no temperature"
    assert housing.hold(nonsense, 1200) == FULL


@examples(max_examples=100)
@given(st.lists(st.tuples(st.one_of(st.none(), st.floats()), st.integers(1, 100_000)), max_size=30))
def test_whatever_is_measured_half_of_the_light_is_left_and_no_step_is_seen(looks: list) -> None:
    derating, rtc = Derating(), 0
    for celsius, passed_ms in looks:
        before = derating.permille
        rtc += passed_ms
        derating.update(celsius, LIMIT, rtc)
        assert LEAST <= derating.permille <= FULL
        assert abs(derating.permille - before) <= rtc // 1000


def hot(street: Street, celsius: float = 92.0) -> None:
    for second in range(1200):
        street.lamp.derating.update(celsius, LIMIT, second * 1000)


def test_the_lamp_says_how_far_it_is_derated_and_why() -> None:
    street = Street(default_level=100, minimum_level=10)
    street.decide()
    hot(street)
    decision = street.decide()
    assert (decision.permille, decision.dimming, decision.level) == (767, 77, 100)
    assert decision.words == "no program applies, derated to 77 %: 92 degrees"
    assert not decision.fading
    street.command(level=5)
    assert street.lamp.decision.permille == 100, "the gear's minimum stays"
    assert street.command(level=0).words == "manual command"


def test_heat_does_not_cross_the_safety_floor_by_night() -> None:
    street = Street(provisioned={**FLOOR_30, "safety_floor": 80}, now=EVENING)
    hot(street, 120.0)
    assert street.decide().permille == 800
