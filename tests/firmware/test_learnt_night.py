"""Lamps whose feeder is switched at dusk: without a clock they shine as in the last good night, and are always lit."""

from collections import namedtuple

import pytest

from contract import sun
from firmware.codec import cbor
from firmware.counters import Counters
from firmware.lamp import FAILSAFE, Lamp
from firmware.learnt_night import RECORD, SLOT_MS, SLOTS, STARTS, LearntNight
from firmware.override import Override
from firmware.program import Program
from firmware.settings import Settings
from firmware.store import Store
from tests.firmware.flash import Flash, PowerCut
from tests.firmware.nights import MUNICH

DAY_S = 86_400
DAY = 20_833  # 2027-01-15
HOUR = 3_600_000
Shone = namedtuple("Shone", "rung level")


def dusk_s(day: int) -> int:
    return day * DAY_S + sun.events(MUNICH["latitude_e6"], MUNICH["longitude_e6"], day)[1]


def dawn_s(day: int) -> int:
    return day * DAY_S + sun.events(MUNICH["latitude_e6"], MUNICH["longitude_e6"], day)[0]


def programme(utc_s: int) -> int:
    """100 % from dusk, 50 % from 22:00 to 05:00 UTC."""
    return 50 if utc_s % DAY_S >= 22 * 3600 or utc_s % DAY_S < 5 * 3600 else 100


class Feeder:
    """One lamp on a feeder. `night` is a night with the clock, `wake` a start without one."""

    def __init__(self) -> None:
        self.flash = Flash()
        self.day = DAY

    def start(self, cause: str = "power") -> LearntNight:
        store = Store("", files=self.flash)
        self.settings = Settings(store, MUNICH)
        self.counters = Counters(store, cause)
        self.counters.begin()
        self.rtc = 5_000_000
        return LearntNight(store, self.counters, self.settings.get, self.rtc)

    def play(self, learnt: LearntNight, from_s: int, until_s: int, shines=programme, rung: str = "schedule") -> None:
        for utc_s in range(from_s, until_s, 60):
            now_ms = (utc_s + 30) * 1000 if utc_s > from_s else None
            learnt.update(Shone(rung, shines(utc_s)), now_ms, self.rtc + (utc_s + 30 - from_s) * 1000)

    def night(self, after_min: int = 0, until_min: int = 0, cause: str = "power", **how) -> "Feeder":
        self.play(self.start(cause), dusk_s(self.day) + after_min * 60, dawn_s(self.day + 1) + until_min * 60, **how)
        self.day += 1
        return self

    def wake(self, cause: str = "power") -> list[int]:
        """Levels followed in each quarter of an hour after a start."""
        learnt = self.start(cause)
        return [learnt.level_at(self.rtc + slot * SLOT_MS + 1) for slot in range(SLOTS)]


def test_two_agreeing_nights_are_followed_by_the_time_since_power_up() -> None:
    feeder = Feeder().night(10).night(12)
    levels = feeder.wake()
    hours_to_ten = (22 * 3600 - dusk_s(feeder.day) % DAY_S) / 3600
    assert levels[0] == 100
    assert levels[int(4 * hours_to_ten) + 1] == levels[30] == 50
    assert levels[int(4 * (hours_to_ten + 7)) + 1] == 100
    lit = len([level for level in levels if level])
    assert lit * SLOT_MS < (dawn_s(feeder.day + 1) - dusk_s(feeder.day)) * 1000, "beyond the night nothing is known"


def test_one_night_is_not_enough_and_neither_are_two_that_differ() -> None:
    assert not any(Feeder().night().wake())
    assert not any(Feeder().night().night(shines=lambda utc_s: 30).wake())
    assert any(Feeder().night().night(shines=lambda utc_s: 30).night(shines=lambda utc_s: 30).wake())


def test_a_whole_winter_keeps_a_profile_while_the_night_moves() -> None:
    feeder = Feeder()
    for _ in range(40):
        feeder.night(feeder.day % 7 - 3)
        assert feeder.day < DAY + 2 or any(feeder.wake()), feeder.day - DAY


def test_darkness_is_never_followed() -> None:
    levels = Feeder().night(shines=lambda utc_s: 0).night(shines=lambda utc_s: 0).wake()
    assert not any(levels)
    half = Feeder()
    for _ in range(2):
        half.night(shines=lambda utc_s: 0 if utc_s % DAY_S < 3 * 3600 else programme(utc_s))
    levels = half.wake()
    assert levels[0] == 100
    assert 0 in levels[20:50], "unknown there: the failsafe level holds"


def test_an_override_teaches_nothing() -> None:
    assert not any(Feeder().night(rung="override").night(rung="override").wake())


def test_a_lamp_whose_feeder_is_not_switched_at_dusk_learns_nothing() -> None:
    feeder = Feeder()
    for _ in range(3):
        feeder.night(after_min=-90)
    assert not any(feeder.wake())
    always = Feeder().night(until_min=200)
    assert not any(always.night(until_min=200).wake())


def test_one_start_at_another_hour_makes_it_forget_until_two_nights_agree_again() -> None:
    feeder = Feeder().night().night()
    assert any(feeder.wake())
    feeder.play(feeder.start(), dusk_s(feeder.day) + 5 * 3600, dusk_s(feeder.day) + 6 * 3600)
    assert not any(feeder.wake())
    feeder.night()
    assert not any(feeder.wake())
    assert any(feeder.night().wake())


def test_a_restart_in_the_night_neither_learns_nor_follows() -> None:
    feeder = Feeder().night().night()
    assert not any(feeder.wake("watchdog"))
    assert not any(Feeder().night(cause="software").night(cause="software").wake())


def test_a_profile_is_followed_for_two_weeks_of_starts() -> None:
    feeder = Feeder().night().night()
    for start in range(1, STARTS + 3):
        assert any(feeder.wake()) == (start <= STARTS)


def test_nights_weeks_apart_do_not_agree() -> None:
    feeder = Feeder().night()
    feeder.day += 20
    assert not any(feeder.night().wake())


def test_a_clock_that_was_put_right_in_the_night_teaches_nothing() -> None:
    feeder = Feeder()
    for _ in range(2):
        learnt = feeder.start()
        wrong_s = dusk_s(feeder.day)
        feeder.play(learnt, wrong_s, wrong_s + 3600)
        right_s = wrong_s + 5 * 3600
        for utc_s in range(right_s, dawn_s(feeder.day + 1), 60):
            learnt.update(Shone("schedule", 50), utc_s * 1000, feeder.rtc + (utc_s - wrong_s - 4 * 3600) * 1000)
        feeder.day += 1
    assert not any(feeder.wake())


def test_it_is_written_once_a_night_and_a_cut_leaves_the_old_profile_or_the_new_one() -> None:
    feeder = Feeder().night()
    files, before = dict(feeder.flash.files), Store("", files=feeder.flash).load(RECORD)
    learnt = feeder.start()
    steps = feeder.flash.steps
    feeder.play(learnt, dusk_s(feeder.day), dawn_s(feeder.day + 1) - 3600)
    assert feeder.flash.steps == steps
    feeder.play(learnt, dusk_s(feeder.day), dawn_s(feeder.day + 1))
    after = Store("", files=feeder.flash).load(RECORD)
    assert after != before
    kept = set()
    for points in range(feeder.flash.steps - steps):
        feeder.flash.files = dict(files)
        learnt = feeder.start()
        feeder.flash.budget = feeder.flash.steps + points
        with pytest.raises(PowerCut):
            feeder.play(learnt, dusk_s(feeder.day), dawn_s(feeder.day + 1))
        feeder.flash.budget = None
        kept.add(Store("", files=feeder.flash).load(RECORD))
    assert before in kept
    assert len(kept) == 2


@pytest.mark.parametrize(
    "record",
    [b"", b"\xff", cbor.encode(3), cbor.encode([2, 1, 1]), cbor.encode([2, 1, 1, "night"]),
     cbor.encode([2, 1, 1, b"\xff" * 9]), cbor.encode([2, 1, 1, b"\x09" * 65]), cbor.encode([2, "x", 1, b"\x09"])],
)  # fmt: skip
def test_a_record_that_makes_no_sense_is_no_night(record: bytes) -> None:
    feeder = Feeder()
    Store("", files=feeder.flash).save(RECORD, record)
    assert not any(feeder.wake())
    assert any(feeder.night().night().wake())


def test_where_the_sun_does_not_set_nothing_is_learnt() -> None:
    feeder = Feeder()
    for _ in range(2):
        learnt = feeder.start()
        feeder.settings.set({"latitude_e6": 78_000_000})
        feeder.play(learnt, dusk_s(feeder.day), dawn_s(feeder.day + 1))
        feeder.day += 1
    assert not any(feeder.wake())


def test_the_ladder_follows_it_says_so_and_leaves_it_for_photocell_and_clock() -> None:
    feeder = Feeder().night().night()
    learnt = feeder.start()
    store = Store("", files=feeder.flash)
    program = Program(feeder.settings, store)
    feeder.settings.set({"default_level": 80, "failsafe_level": 90, "default_fade_ms": 0})
    lamp = Lamp(feeder.settings, program, Override(feeder.settings, store), None, learnt)
    late = feeder.rtc + 8 * HOUR
    decision = lamp.decide(None, late)
    assert (decision.permille, decision.rung) == (500, FAILSAFE)
    assert decision.words == "no clock to trust; as in the last good night: 50 %"
    assert lamp.decide(None, feeder.rtc + 17 * HOUR).level == 90, "beyond the profile it is lit"
    assert lamp.decide(None, late, 5000.0).level == 0
    assert lamp.decide(None, late, 1.0).level == 90
    lamp.is_blind = True
    assert lamp.decide(None, late, 5000.0).level == 50, "a photocell that is stuck is not believed"
    assert lamp.decide(dusk_s(feeder.day) * 1000, late).level == 80
