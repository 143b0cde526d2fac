"""A schedule is taken or refused as a whole, survives restarts, and a transaction is one or nothing."""

import pytest

from contract import limits, schedule
from contract.localtime import TimeZone
from firmware import program as module
from firmware.codec import cbor
from firmware.errors import ProgramError, StorageError
from firmware.lwm2m.node import Change
from firmware.program import RECORD, Program
from firmware.settings import Settings
from firmware.store import Store
from tests.firmware.flash import Flash, PowerCut
from tests.firmware.nights import EVENING, LATE, MUNICH, NOON, changes, instances, night


class Pole:
    def __init__(self, flash: Flash | None = None) -> None:
        self.flash = flash or Flash()
        store = Store("", files=self.flash)
        self.settings = Settings(store, MUNICH)
        self.program = Program(self.settings, store)

    def take(self, *given: Change) -> None:
        self.program.prepare(list(given))()


def test_without_a_schedule_no_program_applies() -> None:
    program = Pole().program
    assert program.level_at(NOON) is program.permille_at(NOON) is program.explain_at(NOON) is None
    assert program.is_valid
    assert program.next_change_after(NOON) > NOON
    assert len(program.digest) == 16


def test_a_schedule_gives_its_levels_and_its_digest_is_the_backends() -> None:
    pole = Pole()
    revision = pole.program.revision
    pole.take(*changes())
    program = pole.program
    assert [program.level_at(at) for at in (NOON, EVENING, LATE)] == [0, 100, 50]
    assert program.permille_at(EVENING) == 1000
    assert program.revision > revision
    zone = TimeZone("Europe/Berlin", 3600, ())
    wanted = schedule.from_objects(instances(), MUNICH["latitude_e6"], MUNICH["longitude_e6"], zone)
    assert program.digest == schedule.digest(wanted)


def test_what_was_compiled_is_moved_once_and_stays_what_it_was() -> None:
    pole = Pole()
    pole.take(*changes())
    program = pole.program
    made, digest, explanation = program.schedule, program.digest, program.explain_at(LATE)
    program.poll(0)
    moved = program.schedule
    assert moved is not made
    assert tuple(moved.programs) == tuple(made.programs)
    assert (program.digest, program.explain_at(LATE)) == (digest, explanation)
    program.poll(2000)
    assert program.schedule is moved


def test_an_explanation_knows_its_program_and_its_aim() -> None:
    pole = Pole()
    pole.take(*changes(night("weekday", priority=5), night("holiday", 20, priority=1)))
    program = pole.program
    explanation = program.explain_at(LATE)
    assert program.instance_of(explanation) == 1
    assert program.aim_of(explanation) == 20
    assert program.aim_of(program.explain_at(NOON)) == 0


def test_a_schedule_survives_a_restart() -> None:
    pole = Pole()
    pole.take(*changes())
    again = Pole(pole.flash).program
    assert again.digest == pole.program.digest
    assert again.level_at(LATE) == 50
    assert again.instances_of(module.SCHEDULER) == [0]
    assert again.values_of(module.SCHEDULER, 0) == pole.program.values_of(module.SCHEDULER, 0)


@pytest.mark.parametrize(
    ("at", "values", "bit"),
    [
        ((module.FUNCTION, 0), {4: {0: "25:99"}}, module.INVALID_FUNCTION),
        ((module.FUNCTION, 0), {5: {0: "100;50"}}, module.INVALID_FUNCTION),
        ((module.SCHEDULER, 0), {4: 7}, module.MISSING_OBJECTS),
        ((module.SCHEDULER, 0), {6: {0: "</3311/0>"}}, module.INVALID_OUTPUTS),
        ((module.SCHEDULER, 0), {5: {0: "</3302/0/5500>"}}, module.MISSING_RESOURCES),
        ((module.CALENDAR, 0), {4: "32 * *"}, module.MISSING_RESOURCES),
        ((module.FILTER, 0), {1: -4.0}, module.MISSING_RESOURCES),
    ],
)
def test_a_refused_schedule_leaves_the_old_one_running_and_sets_the_error(at: tuple, values: dict, bit: int) -> None:
    pole = Pole()
    pole.take(*changes())
    digest, revision = pole.program.digest, pole.program.revision
    with pytest.raises(ProgramError) as caught:
        pole.program.prepare([Change(at[0], at[1], values, "write")])
    assert caught.value.path.startswith(f"/{at[0]}/{at[1]}")
    assert "the old one keeps running" in caught.value.advice
    assert (pole.program.digest, pole.program.revision) == (digest, revision)
    assert not pole.program.is_valid
    assert pole.program.errors & bit
    pole.program.clear_errors()
    assert pole.program.is_valid
    assert pole.program.errors == 0


def test_a_good_schedule_clears_the_error_of_the_bad_one() -> None:
    pole = Pole()
    pole.take(*changes())
    with pytest.raises(ProgramError):
        pole.program.prepare([Change(module.FUNCTION, 0, {4: {0: "now"}}, "write")])
    pole.take(Change(module.FUNCTION, 0, {5: {0: "100;20;100"}}, "write"))
    assert pole.program.is_valid
    assert pole.program.level_at(LATE) == 20


def test_a_write_keeps_the_other_resources_and_a_replace_does_not() -> None:
    pole = Pole()
    pole.take(*changes())
    pole.take(Change(module.SCHEDULER, 0, {2: 9}, "write"))
    assert pole.program.values_of(module.SCHEDULER, 0)[0] == "night"
    values = {name: value for name, value in instances()[(module.SCHEDULER, 0)].items() if name != 0}
    pole.take(Change(module.SCHEDULER, 0, values, "replace"))
    assert 0 not in pole.program.values_of(module.SCHEDULER, 0)


def test_an_instance_can_be_deleted_once_nobody_refers_to_it() -> None:
    pole = Pole()
    pole.take(*changes())
    with pytest.raises(ProgramError):
        pole.program.prepare([Change(module.FUNCTION, 0, {}, "delete")])
    pole.take(Change(module.SCHEDULER, 0, {}, "delete"), Change(module.FUNCTION, 0, {}, "delete"))
    assert pole.program.instances_of(module.FUNCTION) == []
    assert pole.program.explain_at(NOON) is None
    with pytest.raises(KeyError):
        pole.program.values_of(module.FUNCTION, 0)


def test_more_instances_than_fit_are_refused() -> None:
    pole = Pole()
    rule = {1: 1, 4: "* * *"}
    given = [Change(module.CALENDAR, number, rule, "create") for number in range(limits.CALENDAR_RULES + 1)]
    pole.take(*given[:-1])
    with pytest.raises(ProgramError, match="the lamp holds 8"):
        pole.program.prepare(given[-1:])
    assert pole.program.errors & module.OUT_OF_STORAGE


def test_a_controller_may_write_instance_by_instance_while_the_program_is_disabled() -> None:
    pole = Pole()
    parts = instances()
    scheduler = parts.pop((module.SCHEDULER, 0))
    pole.take(Change(module.SCHEDULER, 0, {**scheduler, 1: False}, "create"))
    for key, values in parts.items():
        pole.take(Change(*key, values, "create"))
    assert pole.program.explain_at(EVENING) is None
    pole.take(Change(module.SCHEDULER, 0, {1: True}, "write"))
    assert pole.program.level_at(EVENING) == 100


def test_a_new_place_or_time_zone_moves_the_steps() -> None:
    pole = Pole()
    pole.take(*changes())
    digest, revision = pole.program.digest, pole.program.revision
    pole.settings.set({"standard_offset_s": 7 * 3600})
    assert pole.program.level_at(EVENING) == 50
    assert pole.program.digest != digest
    assert pole.program.revision > revision
    revision = pole.program.revision
    pole.settings.set({"asset_id": "pole 7"})
    assert pole.program.revision == revision


def test_a_fade_into_a_program_starts_from_the_default_level() -> None:
    pole = Pole()
    pole.settings.set({"default_level": 20})
    pole.take(*changes(night(off=False, fade_s=600)))
    sunset = pole.program.next_change_after(NOON)
    assert pole.program.explain_at(NOON) is None
    assert pole.program.permille_at(sunset) == 200
    pole.settings.set({"default_level": 60})
    assert pole.program.permille_at(sunset) == 600
    assert pole.program.permille_at(sunset + 300_000) == 800


def test_a_place_that_makes_the_schedule_impossible_is_an_error_and_the_old_one_runs(monkeypatch) -> None:
    pole = Pole()
    pole.take(*changes())

    def refuse(*_):
        raise schedule.ScheduleError("/3452/0/3", "has no place")

    monkeypatch.setattr("contract.schedule.read.packed_from_objects", refuse)
    pole.settings.set({"latitude_e6": 1})
    assert not pole.program.is_valid
    assert pole.program.level_at(LATE) == 50


def test_flash_that_takes_nothing_leaves_the_old_schedule() -> None:
    pole = Pole()
    pole.take(*changes())
    commit = pole.program.prepare([Change(module.FUNCTION, 0, {5: {0: "100;20;100"}}, "write")])
    pole.flash.refuse = True
    with pytest.raises(StorageError):
        commit()
    assert pole.program.level_at(LATE) == 50
    assert pole.program.errors & module.OUT_OF_STORAGE
    with pytest.raises(StorageError):
        pole.program.reset()
    assert pole.program.level_at(LATE) == 50


def test_a_power_cut_at_any_step_of_a_write_leaves_the_old_or_the_new_schedule() -> None:
    pole = Pole()
    pole.take(*changes())
    old = pole.program.digest
    before = dict(pole.flash.files)
    pole.flash.steps = 0
    pole.take(Change(module.FUNCTION, 0, {5: {0: "100;20;100"}}, "write"))
    new, steps = pole.program.digest, pole.flash.steps
    for budget in range(0, steps, 7):
        flash = Flash()
        flash.files = dict(before)
        cut = Pole(flash)
        flash.steps, flash.budget = 0, budget
        with pytest.raises(PowerCut):
            cut.take(Change(module.FUNCTION, 0, {5: {0: "100;20;100"}}, "write"))
        flash.budget = None
        assert Pole(flash).program.digest in (old, new), budget


@pytest.mark.parametrize(
    "record",
    [
        b"\xff",
        cbor.encode(7),
        cbor.encode([[1, 2]]),
        cbor.encode([[module.SCHEDULER, 0, {1: True}]]),
        cbor.encode([[module.SCHEDULER, 0, 5]]),
        cbor.encode([["x", 0, {}]]),
    ],
)
def test_a_record_that_cannot_be_understood_leaves_the_default_level(record: bytes) -> None:
    flash = Flash()
    Store("", files=flash).save(RECORD, record)
    pole = Pole(flash)
    assert pole.program.explain_at(NOON) is None
    pole.take(*changes())
    assert pole.program.level_at(EVENING) == 100


def test_a_reset_wipes_the_schedule_for_good() -> None:
    pole = Pole()
    pole.take(*changes())
    pole.program.prepare_begin(1, [], 0)()
    pole.program.reset()
    assert pole.program.instances_of(module.SCHEDULER) == []
    assert not pole.program.is_open
    assert Pole(pole.flash).program.explain_at(EVENING) is None


def test_a_transaction_is_taken_at_its_end_and_not_before() -> None:
    pole = Pole()
    pole.program.prepare_begin(77, [], 1000)()
    for change in sorted(changes(), key=lambda change: change.object):
        pole.take(change)
    assert pole.program.is_open
    assert pole.program.instances_of(module.SCHEDULER) == [0]
    assert pole.program.explain_at(EVENING) is None
    pole.program.prepare_end(77)()
    assert not pole.program.is_open
    assert pole.program.level_at(EVENING) == 100
    assert not pole.program.transaction_error


def test_a_transaction_ends_only_with_its_own_token() -> None:
    pole = Pole()
    with pytest.raises(ProgramError, match="none is open"):
        pole.program.prepare_end(77)
    pole.program.prepare_begin(77, [], 1000)()
    with pytest.raises(ProgramError, match="not the value"):
        pole.program.prepare_end(78)
    assert pole.program.is_open


def test_a_transaction_that_is_not_ended_in_time_is_dropped() -> None:
    pole = Pole()
    pole.settings.set({"transaction_timeout_s": 10})
    assert pole.program.poll(0) is None
    pole.program.prepare_begin(77, [], 1000)()
    pole.take(*changes())
    assert pole.program.poll(10_999) == 11_000
    assert pole.program.is_open
    assert pole.program.poll(11_000) is None
    assert not pole.program.is_open
    assert pole.program.transaction_error
    assert pole.program.instances_of(module.SCHEDULER) == []
    pole.program.prepare_begin(78, [], 20_000)()
    assert not pole.program.transaction_error


def test_a_transaction_that_makes_no_schedule_is_dropped_at_its_end() -> None:
    pole = Pole()
    pole.take(*changes())
    pole.program.prepare_begin(77, [], 1000)()
    pole.take(Change(module.FUNCTION, 0, {}, "delete"))
    with pytest.raises(ProgramError):
        pole.program.prepare_end(77)
    assert not pole.program.is_open
    assert pole.program.transaction_error
    assert pole.program.level_at(LATE) == 50


def test_a_transaction_that_flash_does_not_take_is_dropped() -> None:
    pole = Pole()
    pole.program.prepare_begin(77, [], 1000)()
    pole.take(*changes())
    commit = pole.program.prepare_end(77)
    pole.flash.refuse = True
    with pytest.raises(StorageError):
        commit()
    assert not pole.program.is_open
    assert pole.program.transaction_error


def test_the_last_writes_may_come_together_with_the_end() -> None:
    pole = Pole()
    pole.program.prepare_begin(77, [], 1000)()
    pole.program.prepare_end(77, changes())()
    assert pole.program.level_at(EVENING) == 100


def test_a_schedule_at_every_limit_fits_on_flash() -> None:
    pole = Pole()
    long = night("x" * limits.PROGRAM_NAME_BYTES)
    steps = tuple(long.steps[1]._replace(minute=number * 7) for number in range(limits.STEPS))
    dates = tuple(
        (schedule.Date(2027, 1, day), schedule.Date(2028, 12, day)) for day in range(1, limits.DATE_RANGES + 1)
    )
    programs = [
        long._replace(
            steps=steps,
            calendars=(schedule.CalendarRule(True, dates, tuple(range(1, number + 2)), (), ()),),
        )
        for number in range(limits.PROGRAMS)
    ]
    pole.take(*changes(*programs))
    assert Pole(pole.flash).program.digest == pole.program.digest
    assert max(len(content) for content in pole.flash.files.values()) < 8192
