import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.hal.analog import BRIGHTEST_LUX, control_volts, ldr_lux, ntc_celsius

SUPPLY_UV = 3300000


def lux(microvolts: int) -> float:
    return ldr_lux(microvolts, SUPPLY_UV, 10000, 15000, 0.7)


def celsius(microvolts: int) -> float | None:
    return ntc_celsius(microvolts, SUPPLY_UV, 10000, 10000, 3950)


def test_the_photoresistor_reads_ten_lux_at_its_nominal_resistance() -> None:
    assert lux(SUPPLY_UV * 10000 // 25000) == pytest.approx(10, rel=1e-4)


def test_a_broken_photocell_wire_is_night_and_a_short_is_day() -> None:
    assert lux(0) == 0
    assert lux(3300) == 0
    assert lux(SUPPLY_UV) == BRIGHTEST_LUX
    assert lux(SUPPLY_UV - 1) == BRIGHTEST_LUX


@given(st.integers(0, SUPPLY_UV - 1))
def test_more_light_never_reads_as_less(microvolts: int) -> None:
    assert lux(microvolts) <= lux(microvolts + 1)


@pytest.mark.parametrize("degrees", [-40, -10, 0, 25, 60, 110])
def test_the_thermistor_reads_what_the_beta_equation_says(degrees: int) -> None:
    ohm = 10000 * math.exp(3950 * (1 / (degrees + 273.15) - 1 / 298.15))
    assert celsius(round(SUPPLY_UV * ohm / (ohm + 10000))) == pytest.approx(degrees, abs=0.01)


@pytest.mark.parametrize("microvolts", [0, 65999, 3234001, SUPPLY_UV])
def test_an_open_or_shorted_thermistor_is_no_temperature(microvolts: int) -> None:
    assert celsius(microvolts) is None


def test_the_control_line_is_at_its_minimum_for_the_lowest_light_and_at_zero_for_none() -> None:
    assert control_volts(0, 1.0, 10.0) == 0
    assert control_volts(1, 1.0, 10.0) == pytest.approx(1.009)
    assert control_volts(500, 1.0, 9.0) == 5
    assert control_volts(1000, 1.0, 10.0) == 10
    assert control_volts(1001, 1.0, 10.0) == 10
