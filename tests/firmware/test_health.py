"""Faults are raised when they last, cleared when they are gone, and never raised by fades, noise or a mute meter."""

import random
from collections import namedtuple
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from contract import faults, sun
from firmware.clock import Clock
from firmware.codec import cbor
from firmware.counters import Counters
from firmware.health import PENDING, RECORD, Health
from firmware.health.debounce import Debounce, Flicker, Loss, Stuck
from firmware.health.detectors import LITTLE_POWER, NO_POWER
from firmware.lamp import Decision
from firmware.program import Program
from firmware.settings import Settings
from firmware.store import Store
from tests.firmware.flash import Flash
from tests.firmware.nights import EVENING, MUNICH, NOON

Reading = namedtuple("Reading", "voltage_v current_a power_w power_factor frequency_hz energy_wh")

SECOND = 1000
HOUR = 3_600_000


class Pole:
    """A lamp of 100 W in Munich, its physics in our hand, looked at once a second."""

    def __init__(self, flash: Flash | None = None, at_ms: int = EVENING, **values: object) -> None:
        self.flash = flash or Flash()
        store = Store("", files=self.flash)
        settings = Settings(store, {**MUNICH, "nominal_power_w": 100, **values})
        self.parts = SimpleNamespace(
            settings=settings,
            store=store,
            program=Program(settings, store),
            clock=Clock(),
            counters=Counters(store),
            queue=SimpleNamespace(dropped=0),
        )
        self.parts.clock.offer(at_ms, 0, 0)
        self.health = Health(self.parts)
        self.rtc = self.ticks = 0
        self.permille = 1000
        self.closed = True
        self.fading = False
        self.power_w: object = 100.0
        self.voltage_v: object = 230.0
        self.factor: object = 0.95
        self.celsius: object = 20.0
        self.lux: float | None = None
        self.bright: bool | None = None
        self.mute = False
        self.knows_time = True
        self.noise = lambda: 1.0

    def tick(self) -> None:
        level = -(-self.permille // 10)
        decision = Decision(
            self.permille, self.closed, level, level, "schedule", "", "", 0, self.fading, self.bright, self.rtc
        )
        reading = None
        if not self.mute:
            power = self.power_w if not isinstance(self.power_w, float) else self.power_w * self.noise()
            current = power / 230.0 if isinstance(power, float) else power
            reading = Reading(self.voltage_v, current, power, self.factor, 50.0, 0.0)
        now = self.parts.clock.now_ms(self.rtc) if self.knows_time else None
        self.health.update(decision, reading, self.celsius, self.lux, now, self.rtc, self.ticks)
        self.rtc += SECOND
        self.ticks += SECOND

    def wait(self, seconds: int) -> "Pole":
        for _ in range(seconds):
            self.tick()
        return self

    def tell(self) -> "Pole":
        """Take the transitions, as the lamp does after each look; the look after that keeps it on flash."""
        self.health.transitions()
        self.tick()
        return self

    def off(self) -> None:
        self.permille, self.closed = 0, False

    def raised(self) -> set[str]:
        return {faults.get(code).name for code in self.health.active()}


def test_a_lamp_in_good_order_has_no_fault() -> None:
    pole = Pole().wait(2000)
    assert pole.raised() == set()
    assert pole.health.transitions() == []


def test_a_dead_lamp_is_a_failure_with_its_reason_and_its_time() -> None:
    pole = Pole().wait(60)
    pole.power_w = 0.0
    pole.wait(29)
    assert pole.raised() == set()
    pole.wait(3)
    assert pole.raised() == {"lamp failure"}
    assert pole.health.reason == NO_POWER
    [(code, raised, rtc_ms)] = pole.health.transitions()
    assert (code, raised) == (faults.LAMP_FAILURE.code, True)
    assert 89_000 <= rtc_ms <= 92_000
    assert pole.health.transitions() == []
    pole.power_w = 95.0
    pole.wait(32)
    assert pole.raised() == set()
    assert pole.health.reason == 0
    assert [entry[:2] for entry in pole.health.transitions()] == [(faults.LAMP_FAILURE.code, False)]


def test_dead_control_gear_takes_a_little_power_and_is_named_so() -> None:
    pole = Pole()
    pole.power_w = 0.4
    pole.wait(60)
    assert pole.raised() == {"lamp failure"}
    assert pole.health.reason == LITTLE_POWER


def test_the_expected_power_follows_the_output_and_the_plate_data() -> None:
    pole = Pole(minimum_power_w=20)
    pole.permille, pole.power_w = 100, 19.0
    pole.wait(60)
    assert pole.raised() == set()
    pole.power_w = 4.0
    pole.wait(60)
    assert pole.raised() == {"lamp failure"}


def test_a_failed_lamp_stays_failed_while_it_is_off() -> None:
    pole = Pole()
    pole.power_w = 0.0
    pole.wait(60)
    pole.off()
    pole.wait(600)
    assert pole.raised() == {"lamp failure"}


def test_a_collapsed_supply_is_no_lamp_failure() -> None:
    pole = Pole(low_current_a=0.1)
    pole.voltage_v, pole.power_w = 90.0, 0.0
    pole.wait(120)
    assert pole.raised() == {"low voltage"}


def test_gear_that_does_not_dim_is_a_control_gear_failure() -> None:
    pole = Pole()
    pole.permille = 500
    pole.wait(60)
    assert pole.raised() == {"control gear failure"}
    pole.power_w = 52.0
    pole.wait(60)
    assert pole.raised() == set()


def test_a_welded_relay_is_noticed_by_night_without_a_day_burner() -> None:
    pole = Pole()
    pole.off()
    pole.power_w = 15.0
    pole.wait(700)
    assert pole.raised() == {"relay failure"}
    pole.closed = True
    pole.permille = 1000
    pole.power_w = 100.0
    pole.wait(700)
    assert pole.raised() == {"relay failure"}
    pole.off()
    pole.power_w = 0.0
    pole.wait(60)
    assert pole.raised() == set()


def test_a_lamp_that_burns_by_day_is_a_day_burner() -> None:
    pole = Pole(at_ms=NOON)
    pole.off()
    pole.closed = True
    pole.power_w = 100.0
    pole.wait(609)
    assert pole.raised() == set()
    pole.wait(5)
    assert pole.raised() == {"day burner"}


def test_a_photocell_knows_the_day_without_a_clock() -> None:
    pole = Pole()
    pole.knows_time = False
    pole.off()
    pole.closed = True
    pole.lux, pole.bright = 9000.0, True
    pole.wait(620)
    assert "day burner" in pole.raised()


def test_nobody_who_knows_the_day_no_day_burner() -> None:
    pole = Pole(at_ms=NOON)
    pole.knows_time = False
    pole.off()
    pole.closed = True
    pole.wait(700)
    assert pole.raised() == set()


@pytest.mark.parametrize(("at_ms", "burns"), [(NOON, False), (NOON + 182 * 86_400_000, True)])
def test_the_polar_day_is_day_and_the_polar_night_is_not(at_ms: int, burns: bool) -> None:
    pole = Pole(at_ms=at_ms, latitude_e6=78_000_000)
    pole.off()
    pole.closed = True
    pole.wait(700)
    assert pole.raised() == ({"day burner"} if burns else set())


@pytest.mark.parametrize(
    ("change", "name", "seconds", "back"),
    [
        ({"voltage_v": 199.0}, "low voltage", 62, {"voltage_v": 205.0}),
        ({"voltage_v": 254.0}, "high voltage", 12, {"voltage_v": 247.0}),
        ({"power_w": 2500.0}, "high current", 12, {"power_w": 100.0}),
        ({"power_w": 1100.0}, "high power", 62, {"power_w": 100.0}),
        ({"power_w": 60.0}, "low power", 62, {"power_w": 85.0}),
        ({"power_w": 60.0}, "low current", 62, {"power_w": 85.0}),
        ({"factor": 0.4}, "low power factor", 302, {"factor": 0.6}),
        ({"factor": -0.4}, "low power factor", 302, {"factor": -0.6}),
        ({"celsius": 90.0}, "over temperature", 62, {"celsius": 79.0}),
    ],
)
def test_a_threshold_is_a_fault_after_its_debounce_and_clears_behind_its_dead_band(
    change: dict, name: str, seconds: int, back: dict
) -> None:
    pole = Pole(low_power_w=80.0, low_current_a=80 / 230).wait(30)
    pole.__dict__.update(change)
    pole.wait(seconds - 3)
    assert name not in pole.raised()
    pole.wait(6)
    assert name in pole.raised()
    pole.__dict__.update(back)
    pole.wait(seconds + 6)
    assert pole.raised() == set()


def test_a_value_inside_the_dead_band_changes_nothing() -> None:
    pole = Pole()
    pole.voltage_v = 202.0
    pole.wait(200)
    assert pole.raised() == set()
    pole.voltage_v = 198.0
    pole.wait(100)
    pole.voltage_v = 202.0
    pole.wait(200)
    assert pole.raised() == {"low voltage"}
    pole.voltage_v = 255.0
    pole.wait(100)
    pole.voltage_v = 251.0
    pole.wait(200)
    assert pole.raised() == {"high voltage"}


def test_a_low_threshold_of_zero_never_raises() -> None:
    pole = Pole(low_voltage_v=0.0, low_power_w=0.0, low_current_a=0.0, low_power_factor=0.0)
    pole.voltage_v, pole.factor = 31.0, 0.0
    pole.wait(400)
    assert pole.raised() == set()


def test_a_dimmed_lamp_may_have_a_bad_power_factor() -> None:
    pole = Pole()
    pole.permille, pole.power_w, pole.factor = 300, 32.0, 0.3
    pole.wait(400)
    assert pole.raised() == set()


def test_fades_and_inrush_raise_nothing() -> None:
    """For an hour the lamp is switched and faded, and the meter is always behind."""
    pole = Pole(low_power_w=80.0)
    for cycle in range(90):
        pole.fading = True
        for step in range(10):
            pole.permille = step * 100
            pole.power_w = 900.0 if step == 1 else 100.0
            pole.tick()
        pole.fading = False
        pole.permille = 1000
        pole.power_w = 0.0
        pole.wait(9)
        pole.power_w = 100.0
        pole.wait(20)
        assert pole.raised() == set(), cycle


def test_noise_around_a_threshold_does_not_flap() -> None:
    pole = Pole(low_power_w=100.0)
    dice = random.Random(7)
    pole.noise = lambda: dice.uniform(0.97, 1.03)
    pole.wait(5000)
    assert len(pole.health.transitions()) <= 1


def test_single_odd_measurements_are_no_fault() -> None:
    pole = Pole()
    for _ in range(300):
        pole.wait(20)
        pole.voltage_v, pole.power_w = 300.0, 0.0
        pole.tick()
        pole.voltage_v, pole.power_w = 230.0, 100.0
    assert pole.health.transitions() == []


def test_few_looks_far_apart_still_need_three_of_a_kind() -> None:
    pole = Pole()
    pole.wait(20)
    pole.power_w = 0.0
    pole.tick()
    pole.rtc += HOUR
    pole.tick()
    assert pole.raised() == set()
    pole.tick()
    assert pole.raised() == {"lamp failure"}


@pytest.mark.parametrize("wrong", [None, float("nan"), float("inf"), -1.0, 1e9, "x"])
def test_a_meter_that_speaks_nonsense_raises_nothing(wrong: object) -> None:
    pole = Pole(low_power_w=80.0, low_current_a=0.3)
    pole.power_w = pole.voltage_v = pole.factor = wrong
    pole.wait(700)
    assert pole.raised() == set()
    pole.off()
    pole.wait(700)
    assert pole.raised() == set()


def test_a_mute_meter_raises_and_clears_nothing() -> None:
    pole = Pole()
    pole.power_w = 0.0
    pole.wait(60)
    pole.mute = True
    pole.wait(600)
    assert pole.raised() == {"lamp failure"}
    pole = Pole()
    pole.mute = True
    pole.celsius = None
    pole.wait(600)
    assert pole.raised() == set()


@pytest.mark.parametrize("celsius", [float("nan"), 400.0, -200.0])
def test_a_thermometer_that_is_broken_raises_nothing(celsius: float) -> None:
    pole = Pole()
    pole.celsius = celsius
    pole.wait(120)
    assert pole.raised() == set()


def test_a_lamp_that_goes_on_and_off_by_itself_is_cycling() -> None:
    pole = Pole().wait(20)
    for _ in range(4):
        pole.power_w = 0.4
        pole.wait(20)
        pole.power_w = 100.0
        pole.wait(60)
    assert pole.raised() == {"cycling"}
    pole.wait(3500)
    assert pole.raised() == {"cycling"}
    pole.wait(200)
    assert pole.raised() == set()


def test_the_clock_may_take_ten_minutes_after_start_up() -> None:
    pole = Pole()
    pole.parts.clock = Clock()
    pole.knows_time = False
    pole.wait(600)
    assert pole.raised() == set()
    pole.wait(2)
    assert pole.raised() == {"clock error"}
    assert pole.health.transitions() == []
    pole.parts.clock.offer(NOON, 20, pole.rtc)
    pole.wait(1)
    assert pole.raised() == set()
    assert [entry[1] for entry in pole.health.transitions()] == [True, False]


def test_a_clock_that_nobody_renews_is_a_fault_after_days() -> None:
    pole = Pole().wait(5)
    pole.rtc += 72 * HOUR
    pole.tick()
    assert pole.raised() == {"clock error"}


def test_the_software_has_faults_of_its_own() -> None:
    pole = Pole()
    pole.parts.program.refusal = "/3454/0/4/0 is no time"
    pole.parts.store.lost = 1
    pole.parts.counters.short = 9
    pole.parts.queue.dropped = 3
    pole.wait(1)
    assert pole.raised() == {"invalid schedule", "storage error", "reset loop", "reports lost"}
    pole.parts.program.clear_errors()
    pole.parts.counters.short = 0
    pole.wait(3600)
    assert pole.raised() == {"storage error"}


def test_what_was_lost_before_a_restart_is_not_lost_again() -> None:
    pole = Pole()
    pole.parts.queue.dropped = 3
    pole.wait(3700).tell()
    assert pole.raised() == set()
    again = Pole(pole.flash).wait(1)
    again.parts.queue.dropped = 3
    assert again.wait(2).raised() == set()
    again.parts.queue.dropped = 4
    assert again.wait(1).raised() == {"reports lost"}


def test_a_photocell_that_never_sees_the_day_is_stuck() -> None:
    pole = Pole()
    pole.lux, pole.bright = 1.0, False
    for _ in range(27):
        pole.tick()
        pole.rtc += HOUR
    assert "photocell stuck" in pole.raised()
    pole.bright = True
    pole.tick()
    assert "photocell stuck" not in pole.raised()


def test_a_photocell_that_sees_the_day_through_the_night_is_stuck_until_it_sees_the_dark() -> None:
    pole = Pole()
    pole.lux, pole.bright = 5000.0, True
    pole.wait(3 * 3600)
    assert pole.raised() == set()
    assert pole.wait(2).raised() == {"photocell stuck"}
    pole.lux, pole.bright = 1.0, False
    assert pole.wait(1).raised() == set()


def test_a_photocell_that_is_dark_by_day_is_stuck_and_stays_so_in_the_next_night() -> None:
    pole = Pole(at_ms=NOON - 2 * HOUR)
    pole.lux, pole.bright = 1.0, False
    pole.wait(4 * 3600)
    assert pole.raised() == {"photocell stuck"}
    for _ in range(16):
        pole.rtc += HOUR
        assert pole.wait(1).raised() == {"photocell stuck"}
    pole.lux, pole.bright = 5000.0, True
    assert pole.wait(1).raised() == set()


def test_a_lamp_that_starts_every_evening_keeps_its_stuck_photocell_without_a_flap() -> None:
    pole = Pole()
    pole.lux, pole.bright = 5000.0, True
    pole.wait(3 * 3600 + 2).tell()
    again = Pole(pole.flash)
    again.lux, again.bright = 5000.0, True
    assert again.wait(60).raised() == {"photocell stuck"}
    assert again.health.transitions() == []
    cleaned = Pole(pole.flash)
    cleaned.lux, cleaned.bright = 1.0, False
    assert cleaned.wait(1).raised() == set()


@pytest.mark.parametrize("latitude_e6", [0, 48_137_000, 62_000_000, 65_500_000])
def test_no_photocell_in_good_order_is_ever_stuck(latitude_e6: int) -> None:
    """Through a year, with dusks that stay bright for an hour, and summer nights in the north that never get dark."""
    pole = Pole(at_ms=NOON, latitude_e6=latitude_e6)
    for _ in range(365 * 24 * 3):
        now_ms = pole.parts.clock.now_ms(pole.rtc)
        days = (now_ms // 1000 + 11_575 * 240 // 1000) // 86400
        rise_s, set_s = sun.events(latitude_e6, MUNICH["longitude_e6"], days)
        of_day_s = now_ms // 1000 - days * 86400
        is_white = set_s - rise_s > 19 * 3600
        pole.bright = is_white or rise_s - 3600 < of_day_s < set_s + 3600
        pole.lux = 5000.0 if pole.bright else 1.0
        pole.rtc += 20 * 60 * SECOND - SECOND
        pole.parts.clock.offer(now_ms, 0, pole.rtc - 20 * 60 * SECOND + SECOND)
        assert "photocell stuck" not in pole.wait(1).raised()


def test_a_photocell_that_is_taken_away_is_no_fault_any_more() -> None:
    pole = Pole()
    pole.lux, pole.bright = 5000.0, True
    pole.wait(3 * 3600 + 2)
    pole.lux = pole.bright = None
    assert pole.wait(1).raised() == set()


def test_a_stuck_photocell_is_not_asked_whether_a_lamp_burns_by_day() -> None:
    pole = Pole()
    pole.lux, pole.bright = 5000.0, True
    pole.wait(3 * 3600 + 2)
    pole.off()
    pole.power_w = 100.0
    pole.closed = True
    assert pole.wait(1200).raised() == {"photocell stuck"}


def test_in_the_polar_night_no_photocell_is_stuck() -> None:
    pole = Pole(latitude_e6=78_000_000)
    pole.lux, pole.bright = 1.0, False
    for _ in range(30):
        pole.tick()
        pole.rtc += HOUR
    assert "photocell stuck" not in pole.raised()


def test_after_a_restart_a_raised_fault_is_still_raised_and_then_cleared() -> None:
    pole = Pole()
    pole.power_w = 0.0
    pole.wait(60).tell()
    again = Pole(pole.flash)
    assert again.raised() == {"lamp failure"}
    assert again.health.reason == NO_POWER
    again.wait(60)
    assert again.raised() == set()
    assert [entry[:2] for entry in again.health.transitions()] == [(faults.LAMP_FAILURE.code, False)]


def test_a_fault_that_a_cut_kept_from_being_told_is_found_and_told_after_it() -> None:
    pole = Pole()
    pole.power_w = 0.0
    pole.wait(60)
    again = Pole(pole.flash)
    again.power_w = 0.0
    again.wait(60)
    assert [entry[:2] for entry in again.health.transitions()] == [(faults.LAMP_FAILURE.code, True)]
    again.tick()
    healed = Pole(pole.flash).wait(60)
    again = Pole(healed.flash).wait(60)
    assert [entry[:2] for entry in again.health.transitions()] == [(faults.LAMP_FAILURE.code, False)]


def test_flash_that_takes_nothing_does_not_hide_a_fault() -> None:
    pole = Pole()
    pole.flash.refuse = True
    pole.power_w = 0.0
    pole.wait(60).tell()
    assert pole.raised() == {"lamp failure", "storage error"}


@pytest.mark.parametrize("record", [b"\xff", cbor.encode(4), cbor.encode([["a"], 0])])
def test_a_record_that_makes_no_sense_starts_healthy(record: bytes) -> None:
    flash = Flash()
    Store("", files=flash).save(RECORD, record)
    assert Pole(flash).raised() == set()


def test_transitions_without_a_clock_are_bounded_and_end_in_the_true_state() -> None:
    pole = Pole()
    pole.parts.clock = Clock()
    for number in range(101):
        pole.parts.program.refusal = None if number % 2 else "no"
        pole.tick()
    pole.parts.clock.offer(NOON, 0, pole.rtc)
    states = [raised for code, raised, _ in pole.health.transitions() if code == faults.INVALID_SCHEDULE.code]
    assert len(states) <= PENDING
    assert states == [number % 2 == 0 for number in range(len(states))]
    assert states[-1]


def test_a_debounce_of_nothing_is_at_once_and_one_with_a_delay_needs_three_looks() -> None:
    assert Debounce(0).update(True, 0)
    slow = Debounce(1000)
    assert [slow.update(condition, at) for condition, at in ((True, 0), (True, 5000), (True, 5001))] == [0, 0, 1]
    assert not slow.update(None, 6000)
    assert not slow.update(True, 7000)


def test_flickers_far_apart_are_no_cycling() -> None:
    flicker = Flicker()
    for hour in range(10):
        for second in range(20):
            assert not flicker.update(second < 10, hour * HOUR + second * SECOND)


def test_a_photocell_that_is_not_there_is_not_stuck() -> None:
    stuck = Stuck()
    assert stuck.update(None, None, 0) is None
    assert stuck.update(False, True, 0) is None
    assert stuck.update(True, True, 1) is False


def test_a_counter_that_was_not_read_yet_is_no_loss() -> None:
    loss = Loss(5)
    assert [loss.update(count, 0) for count in (0, 5, 6)] == [False, False, True]


anything = st.one_of(st.none(), st.floats(), st.integers(-(10**10), 10**10))


@given(st.lists(st.tuples(anything, anything, anything, st.integers(0, 1000), st.booleans()), max_size=10))
@examples(max_examples=100)
def test_no_input_ever_breaks_it(inputs: list) -> None:
    pole = Pole()
    for power, volts, celsius, permille, closed in inputs:
        pole.power_w, pole.voltage_v, pole.celsius = power, volts, celsius
        pole.factor, pole.permille, pole.closed = power, permille, closed
        pole.wait(15)
