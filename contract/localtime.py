"""Civil dates and local time without libraries, in integers.

A time zone is its standard offset and a table of exceptions, as object 3410 carries it (resources 11 to 13): the lamp
has no zone database. Whoever has one (the backend) writes the exceptions of the coming years.
Source of the calendar: the proleptic Gregorian calendar of ISO 8601, counted in eras of 400 years (146,097 days).
"""

from collections import namedtuple

DAY_S = 86400

# name: IANA name, for people; standard_offset_s: seconds east of UTC;
# exceptions: ((start_s, end_s, delta_s), ...): from start_s until before end_s (UTC) delta_s is added to the offset.
TimeZone = namedtuple("TimeZone", ("name", "standard_offset_s", "exceptions"))

UTC = TimeZone("UTC", 0, ())


def days_from_civil(year, month, day):
    """Return the days from 1970-01-01 to a date. month 1..12, day 1..31; the date must exist (`days_in_month`)."""
    # A year that begins in March keeps the leap day at its end.
    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


def civil_from_days(days):
    """Return (year, month, day) of a number of days since 1970-01-01."""
    days += 719468
    era = days // 146097
    day_of_era = days - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * day_of_year + 2) // 153
    month = (march_month + 2) % 12 + 1
    day = day_of_year - (153 * march_month + 2) // 5 + 1
    return year_of_era + era * 400 + (month <= 2), month, day


def days_in_month(year, month):
    """Return how many days a month has. `year` decides February."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def weekday(days):
    """Return the day of the week of days since 1970-01-01: 0 is Sunday, 6 is Saturday (as in 3453/4)."""
    return (days + 4) % 7


def offset_at(zone, utc_s):
    """Return the offset from UTC in seconds that is in force at a moment."""
    for start_s, end_s, delta_s in zone.exceptions:
        if start_s <= utc_s < end_s:
            return zone.standard_offset_s + delta_s
    return zone.standard_offset_s


def utc_from_local(zone, days, second_of_day):
    """Return the UTC second of a local date (days since 1970-01-01) and second of that day (any integer).

    A local time that does not exist, because the clock is put forward, is moved forward by the gap; of one that exists
    twice the first is meant.
    """
    local_s = days * DAY_S + second_of_day
    offsets = {zone.standard_offset_s}
    for exception in zone.exceptions:
        offsets.add(zone.standard_offset_s + exception[2])
    moments = [local_s - offset for offset in offsets if offset_at(zone, local_s - offset) == offset]
    if not moments:
        # In a gap: the offset from before the change carries the time over it.
        moments = [local_s - offset_at(zone, change - 1) for change in _changes(zone) if _skips(zone, change, local_s)]
    return min(moments)


def parse_offset(text):
    """Return the seconds of an ISO 8601 offset: "+01:00", "-03:30", "01:00" (as in 3410/13) or "Z".

    Raises ValueError with what to write instead.
    """
    if text == "Z":
        return 0
    digits = text[1:] if text[:1] in ("+", "-") else text
    hours, colon, minutes = digits.partition(":")
    if len(hours) == 2 and colon and len(minutes) == 2 and all(c in "0123456789" for c in hours + minutes):
        seconds = int(hours) * 3600 + int(minutes) * 60
        if int(minutes) < 60 and seconds <= 50400:
            return -seconds if text[0] == "-" else seconds
    raise ValueError(f"offset '{text[:20]}' is not a time such as +01:00, from -14:00 to +14:00")


def format_offset(offset_s):
    """Return "+01:00" for 3600 seconds; seconds below a minute are dropped."""
    minutes = abs(offset_s) // 60
    return "%s%02d:%02d" % ("-" if offset_s < 0 else "+", minutes // 60, minutes % 60)


def _changes(zone):
    return [moment for exception in zone.exceptions for moment in exception[:2]]


def _skips(zone, change, local_s):
    """Say whether local time jumps over `local_s` at this change."""
    return change + offset_at(zone, change - 1) <= local_s < change + offset_at(zone, change)
