"""A schedule for the tests: every night 100 % from sunset, 50 % from 23:00, 100 % from 05:30, off at sunrise."""

from contract.schedule import FIXED, SUNRISE, SUNSET, CalendarRule, Moment, Program, Schedule, Step, to_objects
from firmware.lwm2m.node import Change

MUNICH = {
    "latitude_e6": 48_137_000,
    "longitude_e6": 11_575_000,
    "standard_offset_s": 3600,
    "time_zone": "Europe/Berlin",
}

# 2027-01-15: 12:00, 20:00, 23:30 and the next noon, UTC.
NOON = 1_800_014_400_000
EVENING = NOON + 8 * 3_600_000
LATE = NOON + 11 * 3_600_000 + 1_800_000


def night(name: str = "night", late_level: int = 50, fade_s: int = 30, off: bool = True, priority: int = 0) -> Program:
    return Program(
        name,
        priority,
        (CalendarRule(True, (), (), (), ()),),
        (Moment(SUNSET, 0), Moment(SUNRISE, 0)),
        (Step(SUNSET, 0, 100), Step(FIXED, 23 * 60, late_level), Step(FIXED, 5 * 60 + 30, 100)),
        fade_s,
        off,
    )


def instances(*programs: Program) -> dict:
    return to_objects(Schedule(programs or (night(),), 0, 0, None))


def changes(*programs: Program, kind: str = "create") -> list[Change]:
    return [Change(key[0], key[1], values, kind) for key, values in instances(*programs).items()]
