"""Is a schedule complete, in range and within the limits? Every refusal names the place and the reason."""

from contract import limits
from contract.localtime import days_in_month
from contract.schedule.evaluator import fade_ms_of
from contract.schedule.model import FIXED, SUNRISE, SUNSET, ScheduleError

# Seconds: no zone is further from UTC than 14 hours, no daylight saving changes more than a day (the date line moved).
_OFFSET_MAX_S = 50400
_DELTA_MAX_S = 86400
_PRIORITY_MAX = 2147483647
# A leap year, for dates that come every year.
_LEAP_YEAR = 2000


def check(schedule):
    """Return nothing for a valid `Schedule`. Raises ScheduleError with the first thing that is wrong."""
    check_place(*schedule[1:])
    _count("programs", schedule.programs, 0, limits.PROGRAMS)
    for _ in checked(schedule.programs):
        pass


def check_place(latitude_e6, longitude_e6, time_zone):
    """Check where a schedule holds. Raises ScheduleError."""
    _number("latitude_e6", latitude_e6, -90000000, 90000000)
    _number("longitude_e6", longitude_e6, -180000000, 180000000)
    _check_time_zone(time_zone)


def checked(programs):
    """Yield each program of an iterable once it has been checked, so that no two need to be held at a time.

    Raises ScheduleError, at the end also for what all of them use together.
    """
    rules = []
    fades = []
    last_priority = -_PRIORITY_MAX - 1
    for position, program in enumerate(programs):
        at = "programs/%d" % position
        _check_program(at, program)
        if program.priority < last_priority:
            raise ScheduleError(
                at + "/priority", "is lower than that of the program before; put the lowest number first"
            )
        last_priority = program.priority
        rules.extend([rule for rule in program.calendars if rule not in rules])
        fade_ms = fade_ms_of(program)
        if fade_ms and fade_ms not in fades:
            fades.append(fade_ms)
        yield program
    if len(rules) > limits.CALENDAR_RULES:
        raise ScheduleError("programs", "use %d calendar rules, at most %d fit" % (len(rules), limits.CALENDAR_RULES))
    if len(fades) > limits.OUTPUT_FILTERS:
        raise ScheduleError("programs", "use %d fade times, at most %d fit" % (len(fades), limits.OUTPUT_FILTERS))


def check_rule(at, rule):
    """Check one `CalendarRule` that stands at the path `at`. Raises ScheduleError."""
    _boolean(at + "/night", rule.night)
    _count(at + "/ranges", rule.ranges, 0, limits.DATE_RANGES)
    for position, (first, last) in enumerate(rule.ranges):
        check_range("%s/ranges/%d" % (at, position), first, last)
    for name, numbers, lowest, highest in (
        ("days", rule.days, 1, 31),
        ("months", rule.months, 1, 12),
        ("weekdays", rule.weekdays, 0, 6),
    ):
        for number in numbers:
            _number(at + "/" + name, number, lowest, highest)
        if list(numbers) != sorted(set(numbers)):
            raise ScheduleError(at + "/" + name, "must be in ascending order, each number once")


def check_range(at, first, last):
    """Check a range of two `Date` that stands at the path `at`. Raises ScheduleError."""
    for date in (first, last):
        if date.year is not None:
            _number(at, date.year, 1970, 2200, "year ")
        _number(at, date.month, 1, 12, "month ")
        _number(at, date.day, 1, days_in_month(date.year or _LEAP_YEAR, date.month), "day ")
    if (first.year is None) != (last.year is None):
        raise ScheduleError(at, "starts every year and ends once, or the other way round; write both dates alike")
    if first.year is not None and tuple(first) > tuple(last):
        raise ScheduleError(at, "ends before it starts")


def _check_program(at, program):
    _text(at + "/name", program.name, limits.PROGRAM_NAME_BYTES)
    _number(at + "/priority", program.priority, -_PRIORITY_MAX, _PRIORITY_MAX)
    _boolean(at + "/off_when_inactive", program.off_when_inactive)
    if not isinstance(program.fade_s, (int, float)) or not 0 <= program.fade_s <= limits.FADE_MAX_S:
        raise ScheduleError(at + "/fade_s", "must be from 0 to %d seconds" % limits.FADE_MAX_S)
    _count(at + "/calendars", program.calendars, 0, limits.CALENDARS_OF_PROGRAM)
    for position, rule in enumerate(program.calendars):
        check_rule("%s/calendars/%d" % (at, position), rule)
    _count(at + "/steps", program.steps, 1, limits.STEPS)
    for position, step in enumerate(program.steps):
        here = "%s/steps/%d" % (at, position)
        _check_moment(here, step)
        _number(here + "/level", step.level, 0, 100)
    if program.active is not None:
        _check_active(at + "/active", program.active)


def _check_active(at, active):
    _count(at, active, 2, 2)
    first, last = active
    for end in active:
        if end is not None:
            _check_moment(at, end)
    if first == last:
        raise ScheduleError(at, "has no length; leave the active period out for always")


def _check_moment(at, moment):
    if moment.kind == FIXED:
        _number(at + "/minute", moment.minute, 0, 1439)
    elif moment.kind in (SUNSET, SUNRISE):
        _number(at + "/minute", moment.minute, -limits.ASTRONOMICAL_OFFSET_MIN, limits.ASTRONOMICAL_OFFSET_MIN)
    else:
        raise ScheduleError(at + "/kind", "must be FIXED, SUNSET or SUNRISE")


def _check_time_zone(zone):
    _text("time_zone/name", zone.name, limits.TIME_ZONE_NAME_BYTES)
    _number("time_zone/standard_offset_s", zone.standard_offset_s, -_OFFSET_MAX_S, _OFFSET_MAX_S)
    _count("time_zone/exceptions", zone.exceptions, 0, limits.TIME_ZONE_EXCEPTIONS)
    before_s = -(1 << 40)
    for position, (start_s, end_s, delta_s) in enumerate(zone.exceptions):
        at = "time_zone/exceptions/%d" % position
        _number(at + "/delta_s", delta_s, -_DELTA_MAX_S, _DELTA_MAX_S)
        if not before_s <= start_s < end_s:
            raise ScheduleError(at, "must end after it starts and start after the one before")
        before_s = end_s


def _number(at, value, lowest, highest, what=""):
    # type() and not isinstance(): on CPython True is an int, on MicroPython it is none.
    if type(value) is not int or not lowest <= value <= highest:
        raise ScheduleError(at, "%smust be a whole number from %d to %d" % (what, lowest, highest))


def _boolean(at, value):
    if not isinstance(value, bool):
        raise ScheduleError(at, "must be true or false")


def _text(at, value, most_bytes):
    if not isinstance(value, str) or len(value.encode()) > most_bytes:
        raise ScheduleError(at, "must be text of at most %d bytes" % most_bytes)


def _count(at, items, least, most):
    if not isinstance(items, tuple) or not least <= len(items) <= most:
        raise ScheduleError(at, "must have from %d to %d entries" % (least, most))
