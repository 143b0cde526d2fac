"""What `check` refuses, named by its place."""

import pytest

from contract import limits
from contract import schedule as s
from contract.localtime import UTC

STEP = s.Step(s.FIXED, 0, 100)
RULE = s.CalendarRule(False, (), (), (), ())
PROGRAM = s.Program("P", 1, (RULE,), None, (STEP,), 0, False)


def program(**changes):
    return {"programs": (PROGRAM._replace(**changes),)}


def rule(**changes):
    return program(calendars=(RULE._replace(**changes),))


def step(**changes):
    return program(steps=(STEP, STEP._replace(**changes)))


def zone(**changes):
    return {"time_zone": UTC._replace(**changes)}


YEARLY, ONCE = s.Date(None, 3, 1), s.Date(2026, 3, 1)


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"latitude_e6": 90000001}, "latitude_e6", "from -90000000 to 90000000"),
        ({"latitude_e6": 52.5}, "latitude_e6", "whole number"),
        ({"longitude_e6": -180000001}, "longitude_e6", "from -180000000"),
        ({"programs": [PROGRAM]}, "programs", "entries"),
        ({"programs": (PROGRAM,) * 9}, "programs", "from 0 to 8"),
        ({"programs": (PROGRAM, PROGRAM._replace(priority=0))}, "programs/1/priority", "put the lowest number first"),
        (program(name=None), "programs/0/name", "text of at most 32 bytes"),
        (program(name="é" * 17), "programs/0/name", "text of at most 32 bytes"),
        (program(priority=1 << 31), "programs/0/priority", "whole number"),
        (program(off_when_inactive=1), "programs/0/off_when_inactive", "true or false"),
        (program(fade_s=-1), "programs/0/fade_s", "from 0 to 3600 seconds"),
        (program(fade_s=3601), "programs/0/fade_s", "from 0 to 3600 seconds"),
        (program(fade_s="1"), "programs/0/fade_s", "from 0 to 3600 seconds"),
        (program(calendars=(RULE,) * 5), "programs/0/calendars", "from 0 to 4"),
        (program(steps=()), "programs/0/steps", "from 1 to 24"),
        (program(steps=(STEP,) * 25), "programs/0/steps", "from 1 to 24"),
        (program(active=(None,)), "programs/0/active", "from 2 to 2"),
        (program(active=(None, None)), "programs/0/active", "has no length"),
        (program(active=(None, s.Moment(s.FIXED, 1440))), "programs/0/active/minute", "from 0 to 1439"),
        (step(minute=-1), "programs/0/steps/1/minute", "from 0 to 1439"),
        (step(kind=s.SUNSET, minute=721), "programs/0/steps/1/minute", "from -720 to 720"),
        (step(kind=3), "programs/0/steps/1/kind", "FIXED, SUNSET or SUNRISE"),
        (step(level=101), "programs/0/steps/1/level", "from 0 to 100"),
        (step(level=True), "programs/0/steps/1/level", "whole number"),
        (rule(night=0), "programs/0/calendars/0/night", "true or false"),
        (rule(ranges=((YEARLY, YEARLY),) * 17), "programs/0/calendars/0/ranges", "from 0 to 16"),
        (rule(ranges=((YEARLY, ONCE),)), "programs/0/calendars/0/ranges/0", "write both dates alike"),
        (rule(ranges=((ONCE, s.Date(2026, 2, 28)),)), "programs/0/calendars/0/ranges/0", "ends before it starts"),
        (rule(ranges=((ONCE, s.Date(2026, 2, 29)),)), "programs/0/calendars/0/ranges/0", "day must be"),
        (rule(days=(0,)), "programs/0/calendars/0/days", "from 1 to 31"),
        (rule(months=(13,)), "programs/0/calendars/0/months", "from 1 to 12"),
        (rule(weekdays=(7,)), "programs/0/calendars/0/weekdays", "from 0 to 6"),
        (rule(days=(2, 1)), "programs/0/calendars/0/days", "ascending order"),
        (rule(days=(1, 1)), "programs/0/calendars/0/days", "each number once"),
        (zone(name="x" * 41), "time_zone/name", "at most 40 bytes"),
        (zone(standard_offset_s=50401), "time_zone/standard_offset_s", "from -50400"),
        (zone(exceptions=((0, 1, 2),) * 17), "time_zone/exceptions", "from 0 to 16"),
        (zone(exceptions=((0, 1, 86401),)), "time_zone/exceptions/0/delta_s", "from -86400"),
        (zone(exceptions=((1, 1, 3600),)), "time_zone/exceptions/0", "must end after it starts"),
        (zone(exceptions=((5, 9, 3600), (8, 10, 3600))), "time_zone/exceptions/1", "start after the one before"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(changes, path, reason):
    one = s.Schedule((PROGRAM,), 0, 0, UTC)._replace(**changes)
    with pytest.raises(s.ScheduleError) as caught:
        s.check(one)
    assert caught.value.path == path
    assert reason in caught.value.reason


def test_a_full_schedule_passes():
    rules = tuple(RULE._replace(days=(day,)) for day in range(1, limits.CALENDAR_RULES + 1))
    programs = tuple(
        PROGRAM._replace(priority=n, calendars=(rules[n],), steps=(STEP,) * limits.STEPS, fade_s=n % 5)
        for n in range(limits.PROGRAMS)
    )
    s.check(s.Schedule(programs, 90000000, -180000000, UTC))


@pytest.mark.parametrize(
    ("programs", "reason"),
    [
        (tuple(PROGRAM._replace(fade_s=n + 1) for n in range(5)), "use 5 fade times, at most 4 fit"),
        (
            tuple(
                PROGRAM._replace(calendars=tuple(RULE._replace(days=(n * 3 + day,)) for day in (1, 2, 3)))
                for n in range(3)
            ),
            "use 9 calendar rules, at most 8 fit",
        ),
    ],
)
def test_more_rules_or_fades_than_the_objects_hold_are_refused(programs, reason):
    with pytest.raises(s.ScheduleError, match=reason):
        s.check(s.Schedule(programs, 0, 0, UTC))
