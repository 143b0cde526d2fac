"""Levels: clamping, fading, floors and the way to the dimming output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import levels

permilles = st.integers(0, 1000)


def test_a_level_is_held_in_its_range():
    assert [levels.clamp(value) for value in (-1, 0, 55, 100, 101)] == [0, 0, 55, 100, 100]
    assert levels.clamp(1200, 1000) == 1000


@given(st.integers(0, 100))
def test_a_level_survives_the_way_through_permille(level):
    assert levels.level(levels.permille(level)) == level


def test_what_gives_light_is_never_called_off():
    assert levels.level(1) == 1
    assert levels.level(0) == 0


@given(permilles, permilles, st.integers(1, 3_600_000), st.data())
def test_a_fade_is_monotonic_and_ends_at_its_target(start, target, fade_ms, data):
    early = data.draw(st.integers(0, fade_ms))
    late = data.draw(st.integers(early, fade_ms))
    low, high = sorted((start, target))
    a, b = (levels.fade(start, target, elapsed, fade_ms) for elapsed in (early, late))
    assert low <= min(a, b) and max(a, b) <= high
    assert (b - a) * (target - start) >= 0
    assert abs(a - (start + (target - start) * early / fade_ms)) <= 0.5
    assert levels.fade(start, target, fade_ms, fade_ms) == target
    assert levels.fade(start, target, -1, fade_ms) == start


def test_a_fade_of_no_length_is_at_its_target():
    assert levels.fade(0, 700, 0, 0) == 700


def test_the_minimum_level_lifts_light_but_not_darkness():
    assert [levels.floor(value, 10) for value in (0, 1, 99, 100, 500)] == [0, 100, 100, 100, 500]


@pytest.mark.parametrize(
    ("asked", "minimum", "virtual", "constant", "driven"),
    [
        (1000, 0, 100, 1000, 1000),
        (1000, 0, 80, 1000, 800),
        (500, 10, 80, 900, 360),
        (50, 10, 80, 900, 100),
        (0, 10, 80, 900, 0),
        (1, 0, 50, 500, 1),
        (1500, 0, 100, 1000, 1000),
    ],
)
def test_the_output_follows_plate_data(asked, minimum, virtual, constant, driven):
    assert levels.drive(asked, minimum, virtual, constant) == driven
