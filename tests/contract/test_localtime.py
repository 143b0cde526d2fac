"""Civil dates against datetime, local time against the tz database."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import localtime
from tests.contract.places import ZONES, time_zone

EPOCH = dt.date(1970, 1, 1)


@given(st.dates(dt.date(1600, 1, 1), dt.date(2800, 12, 31)))
def test_dates_count_as_in_the_calendar(date):
    days = (date - EPOCH).days
    assert localtime.days_from_civil(date.year, date.month, date.day) == days
    assert localtime.civil_from_days(days) == (date.year, date.month, date.day)
    assert localtime.weekday(days) == date.isoweekday() % 7
    following = dt.date(date.year + date.month // 12, date.month % 12 + 1, 1)
    assert localtime.days_in_month(date.year, date.month) == (following - dt.timedelta(1)).day


@pytest.mark.parametrize("name", ZONES)
@given(seconds=st.integers(int(dt.datetime(2024, 1, 2).timestamp()), int(dt.datetime(2029, 12, 30).timestamp())))
def test_the_offset_is_that_of_the_tz_database(name, seconds):
    expected = dt.datetime.fromtimestamp(seconds, ZoneInfo(name)).utcoffset()
    assert localtime.offset_at(time_zone(name), seconds) == expected.total_seconds()


@pytest.mark.parametrize("name", ZONES)
def test_local_times_around_every_change_go_to_utc_as_in_the_tz_database(name):
    zone = time_zone(name)
    changes = [moment for exception in zone.exceptions for moment in exception[:2]]
    for change in changes[1:-1] or [1774746000]:
        for quarter in range(-24, 25):
            local = dt.datetime.fromtimestamp(change, dt.UTC).replace(tzinfo=None)
            local += dt.timedelta(seconds=localtime.offset_at(zone, change) + quarter * 900)
            # fold=0 is the first of two; in a gap it is moved forward by the gap.
            expected = local.replace(tzinfo=ZoneInfo(name)).timestamp()
            days = (local.date() - EPOCH).days
            second = local.hour * 3600 + local.minute * 60 + local.second
            assert localtime.utc_from_local(zone, days, second) == expected
            assert localtime.utc_from_local(zone, days - 1, second + 86400) == expected


def test_both_ways_to_write_dublin_are_the_same_time():
    winter = time_zone("Europe/Dublin")
    assert winter.standard_offset_s == 3600 and winter.exceptions[0][2] == -3600
    summer = localtime.TimeZone(
        "Europe/Dublin",
        0,
        tuple((one[1], other[0], 3600) for one, other in pairwise(winter.exceptions)),
    )
    for seconds in range(summer.exceptions[0][0] - 86400, summer.exceptions[2][1], 7777):
        assert localtime.offset_at(summer, seconds) == localtime.offset_at(winter, seconds)


@pytest.mark.parametrize(
    ("text", "seconds"), [("+01:00", 3600), ("-03:30", -12600), ("01:00", 3600), ("Z", 0), ("+14:00", 50400)]
)
def test_offsets_are_read_as_iso_8601(text, seconds):
    assert localtime.parse_offset(text) == seconds


@pytest.mark.parametrize("text", ["", "1:00", "+0100", "+01:60", "+15:00", "+ab:00", "+01:0", "+²1:00", "-"])
def test_what_is_no_offset_is_refused_with_advice(text):
    with pytest.raises(ValueError, match="such as"):
        localtime.parse_offset(text)


@given(st.integers(-840, 840))
def test_a_formatted_offset_parses_back(minutes):
    assert localtime.parse_offset(localtime.format_offset(minutes * 60)) == minutes * 60
