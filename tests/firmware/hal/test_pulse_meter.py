import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.hal.pulse_meter import SILENCE_US, PulseMeter, calibration

SECOND_US = 1000000


def meter() -> PulseMeter:
    """10 W, 0.5 V and 0.015 A a hertz, with mains of 230 V and 0.3 A."""
    made = PulseMeter(10.0, 0.5, 0.015)
    made.set_voltage(460, SECOND_US)
    made.set_current(20, SECOND_US)
    return made


def test_the_constants_are_those_of_the_datasheets() -> None:
    """HLW8012 with 2 mOhm and 2821:1, BL0937 with 1 mOhm and 1981:1: figures of the datasheets' example circuits."""
    watts, volts, amperes = calibration("hlw8012", 0.001, 2821)
    assert (watts, volts, amperes) == pytest.approx((12.41, 0.490, 0.01448), rel=0.002)
    watts, volts, amperes = calibration("bl0937", 0.001, 1981)
    assert (watts, volts, amperes) == pytest.approx((1.707, 0.1567, 0.01287), rel=0.002)


def test_nothing_is_read_before_voltage_and_current_are_known() -> None:
    made = PulseMeter(10.0, 0.5, 0.015)
    assert made.reading() is None
    made.set_voltage(460, SECOND_US)
    assert made.reading() is None
    made.set_current(20, SECOND_US)
    assert made.reading().voltage_v == 230


def test_a_meter_without_volts_is_broken() -> None:
    made = meter()
    made.set_voltage(0, 0)
    assert made.reading() is None


def test_no_current_pulses_mean_no_current_and_no_bad_power_factor() -> None:
    made = meter()
    made.set_current(0, 0)
    assert (made.reading().current_a, made.reading().power_factor) == (0, 1)


@given(st.floats(0.05, 300), st.lists(st.integers(200000, 5000000), min_size=6, max_size=30))
def test_the_power_is_right_whatever_the_moments_of_asking(watts: float, waits: list[int]) -> None:
    """Between edges, so that even a lamp in standby is read to a few parts in a million."""
    made = PulseMeter(1.0, 0.5, 0.015)
    made.set_voltage(460, SECOND_US)
    made.set_current(10**6, SECOND_US)
    period_us = SECOND_US / watts
    now = told = 0
    for wait in waits:
        now += wait
        pulses = int(now / period_us)
        made.add_power(pulses - told, round(pulses * period_us), now)
        told = pulses
        reading = made.reading()
        assert reading.energy_wh == pytest.approx(pulses / 3600)
        # One microsecond of rounding at both ends of the shortest time between two edges.
        assert reading.power_w <= watts * 1.001
    if told > 2 and waits[-1] > period_us:
        assert made.reading().power_w == pytest.approx(watts, rel=0.001)


def test_power_falls_as_the_next_pulse_stays_away_and_is_zero_after_a_minute() -> None:
    made = meter()
    made.add_power(1, SECOND_US, SECOND_US)
    made.add_power(4, 2 * SECOND_US, 2 * SECOND_US)
    assert made.reading().power_w == 40
    made.add_power(0, 0, 2 * SECOND_US + 100000)
    assert made.reading().power_w == 40
    made.add_power(0, 0, 2 * SECOND_US)
    assert made.reading().power_w == 40
    made.add_power(0, 0, 12 * SECOND_US)
    assert made.reading().power_w == 1
    made.add_power(0, 0, 2 * SECOND_US + SILENCE_US + 1)
    assert made.reading().power_w == 0


def test_the_first_pulse_after_a_day_of_darkness_is_not_averaged_over_the_day() -> None:
    made = meter()
    made.add_power(1, SECOND_US, SECOND_US)
    made.add_power(4, 2 * SECOND_US, 2 * SECOND_US)
    day = 50000 * SECOND_US
    made.add_power(0, 0, day)
    made.add_power(3, day + SECOND_US, day + SECOND_US)
    assert made.reading().power_w == 0
    made.add_power(4, day + 2 * SECOND_US, day + 2 * SECOND_US)
    assert made.reading().power_w == 40
    assert made.reading().energy_wh == pytest.approx(12 * 10 / 3600)


def test_silence_before_any_pulse_is_no_power() -> None:
    made = meter()
    made.add_power(0, 0, SECOND_US)
    assert made.reading().power_w == 0


def test_the_power_factor_never_passes_one() -> None:
    made = meter()
    made.add_power(1, SECOND_US, SECOND_US)
    made.add_power(10, 2 * SECOND_US, 2 * SECOND_US)
    assert made.reading().power_factor == 1
