from hypothesis import given
from hypothesis import strategies as st

from firmware.hal.ticks import Ticks

MASK = (1 << 30) - 1
HALF = 1 << 29


def difference(new: int, old: int) -> int:
    return ((new - old + HALF) & MASK) - HALF


@given(st.integers(0, MASK), st.lists(st.integers(0, HALF - 1), max_size=30))
def test_the_count_is_the_time_that_passed_however_often_the_chip_wraps(start: int, steps: list[int]) -> None:
    raw = [start]
    ticks = Ticks(lambda: raw[0], difference)
    passed = 0
    for step in steps:
        raw[0] = (raw[0] + step) & MASK
        passed += step
        assert ticks.now() == passed


def test_a_count_that_steps_back_is_held() -> None:
    raw = [100]
    ticks = Ticks(lambda: raw[0], difference)
    raw[0] = 150
    assert ticks.now() == 50
    raw[0] = 140
    assert ticks.now() == 50
    raw[0] = 151
    assert ticks.now() == 51
