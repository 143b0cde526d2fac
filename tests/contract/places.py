"""Places and time zones for tests; the zones come from the tz database, not from the code under test."""

import datetime as dt
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from contract.localtime import TimeZone

# name -> standard offset in seconds. Dublin's standard time is its summer time, and its winter an exception.
ZONES = {
    "Europe/Berlin": 3600,
    "Europe/Dublin": 3600,
    "America/New_York": -18000,
    "Australia/Lord_Howe": 37800,
    "Asia/Ho_Chi_Minh": 25200,
    "Pacific/Kiritimati": 50400,
    "Pacific/Pago_Pago": -39600,
    "Europe/Oslo": 3600,
    "America/Havana": -18000,
    "Africa/Casablanca": 3600,
}

# zone -> (latitude_e6, longitude_e6) of a place in it
PLACES = {
    "Europe/Berlin": (52520000, 13405000),
    "Europe/Dublin": (53349800, -6260300),
    "America/New_York": (40712800, -74006000),
    "Australia/Lord_Howe": (-31555000, 159082000),
    "Asia/Ho_Chi_Minh": (10823100, 106629700),
    "Pacific/Kiritimati": (1872000, -157429000),
    "Pacific/Pago_Pago": (-14271000, -170701000),
    "Europe/Oslo": (69649200, 18955300),  # Tromsø
    "America/Havana": (23113600, -82366600),
    "Africa/Casablanca": (33573100, -7589800),
}


@cache
def time_zone(name, first=2024, last=2029):
    """Return the TimeZone of a name with its exceptions over some years."""
    zone = ZoneInfo(name)
    standard = ZONES[name]
    start = int(dt.datetime(first, 1, 1, tzinfo=dt.UTC).timestamp())
    end = int(dt.datetime(last + 1, 1, 1, tzinfo=dt.UTC).timestamp())

    def delta(seconds):
        return int(dt.datetime.fromtimestamp(seconds, zone).utcoffset().total_seconds()) - standard

    changes = [start]
    for day in range(start, end, 86400):
        low, high = day, min(day + 86400, end)
        if delta(low) != delta(high):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if delta(middle) == delta(day) else (low, middle)
            changes.append(high)
    changes.append(end)
    spans = [(a, b, delta(a)) for a, b in pairwise(changes)]
    return TimeZone(name, standard, tuple(span for span in spans if span[2]))
