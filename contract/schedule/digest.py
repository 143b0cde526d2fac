"""The digest by which the backend knows that a lamp holds the schedule it was sent.

First 16 hexadecimal digits of the SHA-256 of a text of everything that decides the light. Names and numbers of
instances are not in it: they decide nothing. Both sides must build the text alike, so it is frozen by a test.
"""

import hashlib

from contract.schedule.evaluator import fade_ms_of


def digest(schedule):
    """Return 16 hexadecimal digits for a `Schedule`."""
    return hashlib.sha256(canonical(schedule).encode()).digest().hex()[:16]


def canonical(schedule):
    """Return the text that is digested: one line for the place and the time zone, one for each program."""
    zone = schedule.time_zone
    lines = ["1 %d %d %d" % (schedule.latitude_e6, schedule.longitude_e6, zone.standard_offset_s)]
    lines[0] += "".join([" %d,%d,%d" % tuple(exception) for exception in zone.exceptions])
    for program in schedule.programs:
        active = "-" if program.active is None else "~".join([_moment(end) for end in program.active])
        steps = ";".join(["%s=%d" % (_moment(step), step.level) for step in program.steps])
        rules = "|".join([_rule(rule) for rule in program.calendars])
        lines.append("%s %s %d %d %s" % (active, steps, fade_ms_of(program), bool(program.off_when_inactive), rules))
    return "\n".join(lines)


def _moment(moment):
    return "" if moment is None else "%d:%d" % (moment.kind, moment.minute)


def _rule(rule):
    ranges = ",".join([_date(first) + "~" + _date(last) for first, last in rule.ranges])
    numbers = [",".join([str(number) for number in part]) for part in (rule.days, rule.months, rule.weekdays)]
    return "%d/%s/%s" % (bool(rule.night), ranges, "/".join(numbers))


def _date(date):
    return "%d-%d-%d" % (date.year or 0, date.month, date.day)
