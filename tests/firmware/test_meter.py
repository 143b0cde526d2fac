"""Energy, hours and switchings are counted, kept, and not led astray by a meter that speaks nonsense."""

from collections import namedtuple

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from firmware.clock import Clock
from firmware.codec import cbor
from firmware.errors import StorageError
from firmware.meter import NOTHING, RECORD, Meter, sift
from firmware.store import Store
from tests.firmware.flash import Flash

Reading = namedtuple("Reading", "voltage_v current_a power_w power_factor frequency_hz energy_wh")

NOW = 1_800_000_000_000
HOUR = 3_600_000


def reading(energy_wh: object = 0.0, voltage_v: object = 230.0, power_w: object = 40.0) -> Reading:
    return Reading(voltage_v, 0.2, power_w, 0.95, 50.0, energy_wh)


def meter(flash: Flash | None = None) -> Meter:
    return Meter(Store("", files=flash or Flash()))


def clock() -> Clock:
    clock = Clock()
    clock.offer(NOW, 0, 0)
    return clock


def test_energy_is_what_the_chip_counted_since_it_started() -> None:
    one = meter()
    one.update(reading(3.5), True, 0)
    one.update(reading(5.25), True, 1000)
    assert one.energy_wh == 5.25


def test_a_chip_that_starts_again_from_zero_loses_nothing() -> None:
    one = meter()
    for energy in (10.0, 12.0, 0.5, 2.0):
        one.update(reading(energy), True, 0)
    assert one.energy_wh == 14.0


@pytest.mark.parametrize("wrong", [None, float("nan"), float("inf"), -5.0, 1e9, "12", True])
def test_nonsense_from_the_chip_counts_nothing(wrong: object) -> None:
    one = meter()
    one.update(reading(10.0), True, 0)
    one.update(reading(wrong, voltage_v=wrong, power_w=wrong), True, 1000)
    assert one.energy_wh == 10.0
    assert one.reading.voltage_v is one.reading.power_w is None
    one.update(reading(11.0), True, 2000)
    assert one.energy_wh == 11.0


def test_a_silent_meter_is_no_reading_and_the_hours_go_on() -> None:
    one = meter()
    one.update(None, True, 0)
    one.update(None, True, HOUR)
    assert one.reading == NOTHING
    assert one.read_rtc_ms is None
    assert one.lamp_hours == 1.0
    one.update(reading(), True, HOUR)
    assert one.read_rtc_ms == HOUR


def test_small_energies_add_up_for_years() -> None:
    """Ten years of 100 W in steps of a minute would stop counting in a 32-bit float of watt-hours."""
    one = meter()
    one._energy_mwh = 4_000_000_000
    for minute in range(1, 61):
        one.update(reading(minute * 1.667), True, minute * 60_000)
    assert round(one.energy_wh - 4_000_000) == 100


def test_hours_count_only_light_and_switchings_only_its_end() -> None:
    one = meter()
    for hour, lit in enumerate((False, True, True, False, True, False)):
        one.update(reading(), lit, hour * HOUR)
    assert (one.lamp_hours, one.operating_hours, one.switches) == (3.0, 5, 2)


def test_a_long_silence_proves_no_hours() -> None:
    one = meter()
    one.update(reading(), True, 0)
    one.update(reading(), True, 50 * HOUR)
    one.update(reading(), True, 40 * HOUR)
    assert one.lamp_hours == 1.0


def test_when_the_lamp_went_on_is_known_even_if_the_clock_came_later() -> None:
    one = meter()
    assert one.lit_since_s(clock()) == 0
    one.update(reading(), True, 5000)
    assert one.lit_since_s(Clock()) == 0
    assert one.lit_since_s(clock()) == NOW // 1000 + 5


def test_a_power_cut_costs_a_quarter_of_an_hour_at_most() -> None:
    flash = Flash()
    one = meter(flash)
    for minute in range(45):
        one.update(reading(minute * 1.0), True, minute * 60_000)
        one.save_if_due(minute * 60_000, clock())
    again = meter(flash)
    assert again.energy_wh == 30.0
    assert again.lamp_hours == 0.5
    assert again.lit_since_s(Clock()) == NOW // 1000
    again.update(reading(3.0), True, 0)
    assert again.energy_wh == 33.0


def test_a_night_is_summed_up_and_the_next_begins() -> None:
    one = meter()
    one.update(reading(1.0, 228.0, 40.0), True, 0)
    one.update(reading(5.0, 236.0, 20.0), True, HOUR)
    one.update(reading(6.0, 232.0, 0.4), False, 2 * HOUR)
    summary = one.close_night()
    assert summary == (6.0, 7200, 1, ((0, 228.0), (HOUR, 236.0)), 232.0, 30.0)
    assert one.close_night() == (0.0, 0, 0, (), None, None)


def test_the_beginning_of_the_night_survives_a_restart() -> None:
    flash = Flash()
    one = meter(flash)
    one.update(reading(7.0), True, 0)
    one.close_night()
    one.update(reading(9.0), True, 0)
    one.save(clock())
    assert meter(flash).close_night().energy_wh == 2.0


def test_counters_can_be_reset_one_by_one() -> None:
    one = meter()
    one.update(reading(7.0), True, 0)
    one.update(reading(9.0), False, HOUR)
    one.reset_energy()
    assert (one.energy_wh, one.lamp_hours, one.switches) == (0.0, 1.0, 1)
    one.reset_lamp_hours()
    one.reset_switches()
    assert (one.lamp_hours, one.switches, one.operating_hours) == (0.0, 0, 1)
    one.update(reading(9.5), False, HOUR)
    assert one.energy_wh == 0.5
    assert one.close_night()[:3] == (0.5, 0, 0)


def test_flash_that_takes_nothing_says_so_and_the_counting_goes_on() -> None:
    flash = Flash()
    one = meter(flash)
    flash.refuse = True
    one.update(reading(7.0), True, 0)
    with pytest.raises(StorageError):
        one.save(clock())
    assert one.energy_wh == 7.0


@pytest.mark.parametrize("record", [b"\xff", cbor.encode([1, 2]), cbor.encode(["a"] * 8), cbor.encode(3)])
def test_a_record_that_makes_no_sense_starts_at_zero(record: bytes) -> None:
    flash = Flash()
    Store("", files=flash).save(RECORD, record)
    assert meter(flash).energy_wh == 0.0


anything = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(-(10**12), 10**12), st.text(max_size=3))


@given(st.lists(st.tuples(st.builds(Reading, *[anything] * 6), st.booleans()), max_size=8))
@examples(max_examples=150)
def test_no_reading_ever_breaks_the_meter(readings: list) -> None:
    one = meter()
    for at, (odd, lit) in enumerate(readings):
        one.update(odd, lit, at * 1000)
        assert all(value is None or isinstance(value, float) for value in sift(odd))
    one.save(clock())
    assert 0 <= one.close_night().energy_wh < 1e10
