"""On which dates a program applies. Source: urn:oma:lwm2m:ext:3453 (Calendar Rule).

Time is cut into halves: half 2 * D is the morning of the local date D (midnight to noon), half 2 * D + 1 its afternoon.
Within a half the date of a night rule and that of a day rule are both constant.
"""

from contract.localtime import civil_from_days, offset_at, utc_from_local

HALF_S = 43200


def boundary(zone, half):
    """Return the UTC second at which a half begins."""
    return utc_from_local(zone, half // 2, half % 2 * HALF_S)


def half_at(zone, utc_s):
    """Return the half that holds a UTC second."""
    half = (utc_s + offset_at(zone, utc_s)) // HALF_S
    # A clock change at midnight or noon puts the first guess on the wrong side.
    while utc_s < boundary(zone, half):
        half -= 1
    while utc_s >= boundary(zone, half + 1):
        half += 1
    return half


def applies(program, half):
    """Return (position of the calendar rule, night, date), or None when the program does not apply in this half.

    Without a calendar rule a program applies every night, and the position is None.
    """
    night_date = (half - 1) // 2
    if not program.calendars:
        return None, True, night_date
    for position, rule in enumerate(program.calendars):
        date = night_date if rule.night else half // 2
        if matches(rule, date):
            return position, rule.night, date
    return None


def matches(rule, days):
    """Say whether a calendar rule holds a date, given as days since 1970-01-01."""
    year, month, day = civil_from_days(days)
    if rule.days and day not in rule.days:
        return False
    if rule.months and month not in rule.months:
        return False
    if rule.weekdays and (days + 4) % 7 not in rule.weekdays:
        return False
    return not rule.ranges or any(_holds(first, last, year, month, day) for first, last in rule.ranges)


def _holds(first, last, year, month, day):
    if first.year is not None:
        return tuple(first) <= (year, month, day) <= tuple(last)
    start, end, date = tuple(first)[1:], tuple(last)[1:], (month, day)
    return start <= date <= end if start <= end else date >= start or date <= end
