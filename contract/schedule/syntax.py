"""The strings inside the schedule objects: times, levels, active periods, dates, date rules; both ways.

Source: urn:oma:lwm2m:ext:3453 (resources 2 to 4) and urn:oma:lwm2m:ext:3454 (resources 1, 4, 5). Spaces may be
anywhere but in a date rule, where they separate. Every parser raises ScheduleError(path, reason).
"""

from contract import limits
from contract.schedule.model import FIXED, SUNRISE, SUNSET, Date, Moment, ScheduleError

_DIGITS = "0123456789"
_EVENTS = {"S": SUNSET, "R": SUNRISE}


def parse_moment(path, text):
    """Return the `Moment` of "23:00", "S", "R-20" or "S+30"."""
    kind = _EVENTS.get(text[:1])
    if kind is not None:
        return Moment(kind, _parse_offset(path, text))
    parts = text.split(":")
    if len(parts) == 3:
        raise ScheduleError(path, "'%s': seconds are not supported; write hh:mm" % _cut(text))
    if len(parts) == 2 and all(len(part) == 2 and _is_digits(part) for part in parts):
        hour, minute = int(parts[0]), int(parts[1])
        if hour < 24 and minute < 60:
            return Moment(FIXED, hour * 60 + minute)
    raise ScheduleError(path, "'%s' is no time; write hh:mm, S, R, S+30 or R-20" % _cut(text))


def parse_moments(path, text):
    """Return the list of `Moment` of "S;23:00;05:30"."""
    return [parse_moment(path, part) for part in _split(path, text)]


def parse_levels(path, text):
    """Return the list of levels 0..100 of "100;50;100"."""
    levels = []
    for part in _split(path, text):
        if not _is_digits(part) or len(part) > 3 or int(part) > 100:
            raise ScheduleError(path, "'%s' is no level; write a whole number from 0 to 100" % _cut(part))
        levels.append(int(part))
    return levels


def parse_active(path, text):
    """Return the active period, two `Moment` or None for an open end, of "S~R", "18:00~" or "~04:00"."""
    text = text.replace(" ", "")
    if "," in text:
        raise ScheduleError(path, "conditions on sensors are not supported; write a time range such as S~R")
    ends = text.split("~")
    if len(ends) != 2 or text == "~":
        raise ScheduleError(path, "'%s' is no time range; write start~end, start~ or ~end" % _cut(text))
    return tuple([parse_moment(path, end) if end else None for end in ends])


def parse_date(path, text):
    """Return the `Date` of "2026-12-24" or, for every year, "--12-24". Whether it exists is for `check_range`."""
    text = text.strip()
    year, rest = (None, text[2:]) if text[:2] == "--" else (text[:4], text[5:])
    if len(rest) == 5 and rest[2] == "-" and _is_digits(rest[:2] + rest[3:]):
        month, day = int(rest[:2]), int(rest[3:])
        if year is None:
            return Date(None, month, day)
        if text[4] == "-" and _is_digits(year):
            return Date(int(year), month, day)
    raise ScheduleError(path, "'%s' is no date; write yyyy-mm-dd, or --mm-dd for every year" % _cut(text))


def parse_date_rule(path, text):
    """Return (days, months, weekdays), ascending tuples, () for every one, of "1-10 * 6,7" (dom month dow)."""
    fields = text.split()
    if len(fields) != 3:
        raise ScheduleError(path, "'%s' is no date rule; write three fields: day, month, weekday" % _cut(text))
    days = _parse_numbers(path, fields[0], 1, 31)
    months = _parse_numbers(path, fields[1], 1, 12)
    weekdays = _parse_numbers(path, fields[2], 0, 7)
    # 0 and 7 are both Sunday.
    return days, months, tuple(sorted({weekday % 7 for weekday in weekdays}))


def format_moment(moment):
    """Return "23:00", "S", "S+30" or "R-20"."""
    if moment.kind == FIXED:
        return "%02d:%02d" % (moment.minute // 60, moment.minute % 60)
    letter = "S" if moment.kind == SUNSET else "R"
    return letter if moment.minute == 0 else "%s%+d" % (letter, moment.minute)


def format_active(active):
    """Return "S~R", or "18:00~" with an open end."""
    return "~".join(["" if end is None else format_moment(end) for end in active])


def format_date(date):
    """Return "2026-12-24", or "--12-24" for every year."""
    if date.year is None:
        return "--%02d-%02d" % (date.month, date.day)
    return "%04d-%02d-%02d" % (date.year, date.month, date.day)


def format_date_rule(rule):
    """Return "* * 1-5" for the days, months and weekdays of a `CalendarRule`."""
    return " ".join([_format_numbers(numbers) for numbers in (rule.days, rule.months, rule.weekdays)])


def _parse_offset(path, text):
    offset = text[1:].replace(" ", "")
    if not offset:
        return 0
    if offset[0] not in "+-" or not _is_digits(offset[1:]):
        raise ScheduleError(path, "'%s' is no time; write %s+30 or %s-20" % (_cut(text), text[0], text[0]))
    minutes = int(offset[1:]) if len(offset) < 6 else limits.ASTRONOMICAL_OFFSET_MIN + 1
    if minutes > limits.ASTRONOMICAL_OFFSET_MIN:
        raise ScheduleError(path, "'%s' is more than %d minutes away" % (_cut(text), limits.ASTRONOMICAL_OFFSET_MIN))
    return -minutes if offset[0] == "-" else minutes


def _parse_numbers(path, field, lowest, highest):
    if field == "*":
        return ()
    numbers = set()
    for part in field.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(_is_digits(end) and len(end) < 3 for end in ends):
            raise ScheduleError(path, "'%s' is no number, range such as 1-5, or *" % _cut(part))
        first, last = int(ends[0]), int(ends[-1])
        if not lowest <= first <= last <= highest:
            raise ScheduleError(path, "'%s' must ascend and lie from %d to %d" % (_cut(part), lowest, highest))
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))


def _format_numbers(numbers):
    """Return "*", "5" or "1-5,7": neighbours as a range, because a string on the wire is short."""
    parts = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join([str(a) if a == b else "%d-%d" % (a, b) for a, b in parts]) or "*"


def _split(path, text):
    parts = text.replace(" ", "").split(";")
    if len(parts) > limits.STEPS:
        raise ScheduleError(path, "has %d entries, at most %d fit" % (len(parts), limits.STEPS))
    if "" in parts:
        raise ScheduleError(path, "has an empty entry; separate entries by one semicolon")
    return parts


def _is_digits(text):
    # str.isdigit is true for digits that int() refuses on CPython, so the alphabet is spelt out.
    return text != "" and all(c in _DIGITS for c in text)


def _cut(text):
    return text[:20]
