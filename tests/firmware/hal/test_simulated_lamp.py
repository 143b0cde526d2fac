import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.hal.simulated_conditions import FAULTS, Conditions, parse
from firmware.hal.simulated_lamp import Lamp, Noise, half_cycle_ms, power_factor, power_w, supply_v

HOUR_MS = 3600000
LIT_MS = 30000


def conditions(*faults: str, **fields: object) -> Conditions:
    return parse(json.dumps({"faults": faults, "noise": 0, **fields}).encode())


def watts(permille: int, closed: bool, *faults: str, now_ms: int = 0) -> float:
    return power_w(conditions(*faults), permille, closed, now_ms)


def test_a_lamp_at_full_draws_its_nominal_power_and_an_open_relay_nothing() -> None:
    assert watts(1000, True) == pytest.approx(40)
    assert watts(1000, False) == 0
    assert watts(0, True) == 0.4
    assert power_w(conditions(supply_v=0), 1000, True, 0) == 0


@given(st.integers(1, 999))
def test_power_rises_with_the_level_and_dimmed_gear_is_less_efficient(permille: int) -> None:
    assert watts(permille, True) < watts(permille + 1, True)
    assert watts(permille, True) > 40 * permille / 1000


def test_each_fault_shows_in_the_power_as_its_name_says() -> None:
    assert watts(1000, True, "lamp_failure") == 0.4
    assert watts(1000, True, "partial_failure") == pytest.approx(24)
    assert watts(1000, True, "control_gear_dead") == 0
    assert watts(300, True, "control_gear_failure") == pytest.approx(40)
    assert watts(1000, True, "relay_open") == 0
    assert watts(1000, True, "over_power") == pytest.approx(60)
    assert watts(0, False, "relay_welded") == watts(100, True)
    assert watts(700, False, "relay_welded") == watts(700, True)
    assert watts(700, True, "relay_welded") == watts(700, True)
    assert watts(1000, True, "cycling", now_ms=LIT_MS - 1) == pytest.approx(40)
    assert watts(1000, True, "cycling", now_ms=LIT_MS) == 0.4


@given(st.integers(0, 10**10), st.integers(0, 1000))
def test_the_supply_wanders_slowly_and_stays_close(now_ms: int, seed: int) -> None:
    here = conditions(seed=seed)
    assert supply_v(here, now_ms) == pytest.approx(230, rel=0.0061)
    assert supply_v(here, now_ms) == pytest.approx(supply_v(here, now_ms + 1000), abs=0.05)


def test_supply_faults_leave_the_band_of_en_50160() -> None:
    for now_ms in range(0, 8 * HOUR_MS, 600000):
        assert supply_v(conditions("low_voltage"), now_ms) < 200
        assert supply_v(conditions("high_voltage"), now_ms) > 253


def test_the_power_factor_falls_with_the_load_and_a_worn_filter_ruins_it() -> None:
    healthy = conditions()
    factors = [power_factor(healthy, watts(permille, True), 230) for permille in (1000, 500, 100, 0)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == pytest.approx(0.974, abs=0.001)
    assert 0.65 < factors[2] < 0.75
    assert power_factor(healthy, 0, 230) == 1.0
    assert power_factor(conditions("low_power_factor"), 40, 230) < 0.45


def test_a_reading_hangs_together() -> None:
    reading = Lamp(conditions(noise=0.005), 500, True, 0).measure(HOUR_MS)
    assert reading.power_w == pytest.approx(reading.voltage_v * reading.current_a * reading.power_factor)
    assert reading.power_w == pytest.approx(watts(500, True), rel=0.005)
    assert reading.energy_wh == pytest.approx(watts(500, True))
    assert reading.frequency_hz == 50


def test_a_dead_supply_reads_zero_and_divides_by_nothing() -> None:
    reading = Lamp(conditions(supply_v=0), 500, True, 0).measure(1000)
    assert (reading.voltage_v, reading.current_a, reading.power_w) == (0, 0, 0)


def test_a_silent_meter_says_nothing_and_an_absurd_one_too_much() -> None:
    assert Lamp(conditions("meter_silent"), 500, True, 0).measure(1000) is None
    assert Lamp(conditions("meter_absurd"), 500, True, 0).measure(1000).power_factor == 7


def test_energy_belongs_to_the_level_that_was_in_force() -> None:
    lamp = Lamp(conditions(), 1000, True, 0)
    lamp.settle(HOUR_MS)
    lamp.permille = 0
    lamp.settle(2 * HOUR_MS)
    lamp.closed = False
    assert lamp.measure(9 * HOUR_MS).energy_wh == pytest.approx(40.4)
    assert lamp.measure(8 * HOUR_MS).energy_wh == pytest.approx(40.4)


def test_a_cycling_lamp_uses_half_the_energy_however_often_it_is_asked() -> None:
    lamp = Lamp(conditions("cycling"), 1000, True, 0)
    for now_ms in range(0, HOUR_MS + 1, 7919):
        lamp.settle(now_ms)
    assert lamp.measure(HOUR_MS).energy_wh == pytest.approx((40 + 0.4) / 2)


def test_a_cycle_lasts_long_enough_to_be_seen_however_fast_the_night_goes() -> None:
    assert half_cycle_ms(conditions()) == LIT_MS
    assert half_cycle_ms(conditions(rtc_rate=600)) == 600 * 4000


def test_the_housing_warms_up_with_the_light_and_cools_without() -> None:
    lamp = Lamp(conditions(celsius=10), 1000, True, 0)
    assert lamp.celsius(0) == 10
    assert lamp.celsius(900000) == pytest.approx(10 + 25 * 0.632, abs=0.1)
    assert lamp.celsius(10 * HOUR_MS) == pytest.approx(35, abs=0.1)
    lamp.closed = False
    assert lamp.celsius(20 * HOUR_MS) == pytest.approx(10, abs=0.1)
    assert Lamp(conditions("over_temperature", celsius=10), 0, False, 0).celsius(0) == 90


def test_noise_repeats_with_its_seed_and_stays_in_its_share() -> None:
    first, second, other = Noise(7), Noise(7), Noise(8)
    values = [first.around(100, 0.01) for _ in range(200)]
    assert values == [second.around(100, 0.01) for _ in range(200)]
    assert values != [other.around(100, 0.01) for _ in range(200)]
    assert 99 <= min(values) < 99.2 < 100.8 < max(values) <= 101


# What breaks in the controller, not in the luminaire: tests/firmware/hal/test_simulated_vm.py.
IN_THE_CONTROLLER = {"photocell_stuck", "storage_error", "reset_loop"}


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - IN_THE_CONTROLLER))
def test_every_fault_can_be_told_from_health(fault: str) -> None:
    """In one of: lit, told to be off, warm, half a cycle later."""

    def seen(*faults: str) -> list[object]:
        told = []
        for permille, closed in ((500, True), (0, False)):
            lamp = Lamp(conditions(*faults), permille, closed, 0)
            told += [lamp.measure(now_ms) for now_ms in (0, LIT_MS)] + [lamp.celsius(LIT_MS)]
        return told

    assert seen(fault) != seen()
