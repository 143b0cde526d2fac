"""From an IANA time zone to the table that a lamp holds: a standard offset and its exceptions for the coming years.

The lamp has no zone database (contract.localtime). The window begins with the current year, so that the table, and
the digest with it, changes once a year and not every day.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from contract import limits
from contract.localtime import TimeZone

YEARS = 10


def time_zone(name: str, now_ms: int) -> TimeZone:
    """The lamp's table for the year of `now_ms` and those after it, at most `limits.TIME_ZONE_EXCEPTIONS` rows."""
    return _table(name, datetime.fromtimestamp(now_ms // 1000, UTC).year)


@lru_cache(maxsize=512)
def _table(name: str, year: int) -> TimeZone:
    zone = ZoneInfo(name)
    start = datetime(year, 1, 1, tzinfo=UTC)
    end = datetime(year + YEARS, 1, 1, tzinfo=UTC)
    standard_s = _standard_offset_s(zone, start)
    rows: list[tuple[int, int, int]] = []
    moment = start
    while moment < end and len(rows) < limits.TIME_ZONE_EXCEPTIONS:
        until = _next_change(zone, moment, end)
        delta_s = _offset_s(zone, moment) - standard_s
        if delta_s:
            rows.append((int(moment.timestamp()), int(until.timestamp()), delta_s))
        moment = until
    return TimeZone(name, standard_s, tuple(rows))


def _offset_s(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


def _standard_offset_s(zone: ZoneInfo, moment: datetime) -> int:
    """The offset without daylight saving (which is negative in a zone that puts the clock back in winter)."""
    saving = moment.astimezone(zone).dst() or timedelta(0)
    return _offset_s(zone, moment) - round(saving.total_seconds())


def _next_change(zone: ZoneInfo, moment: datetime, end: datetime) -> datetime:
    """The second at which the offset becomes another; `end` when it stays until then."""
    offset_s = _offset_s(zone, moment)
    after = moment
    while _offset_s(zone, after) == offset_s:
        after += timedelta(days=1)
        if after >= end:
            after = end
            break
    if _offset_s(zone, after) == offset_s:
        return end
    low, high = after - timedelta(days=1), after
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _offset_s(zone, middle) == offset_s:
            low = middle
        else:
            high = middle
    return high
