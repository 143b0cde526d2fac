"""The parts that need no database: which schedule, which time zone table."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.schedules.resolution import schedule_of
from backend.schedules.timezones import YEARS, time_zone
from contract import limits
from contract.localtime import offset_at

NOW_MS = 1_795_334_400_000


def test_the_innermost_zone_with_a_schedule_decides_and_of_equals_the_first() -> None:
    parents = {1: None, 2: 1, 3: 2, 4: 1}
    assert schedule_of(9, {}, {1: 10}, [3], parents) == 10
    assert schedule_of(9, {}, {1: 10, 2: 20}, [3], parents) == 20
    assert schedule_of(9, {}, {2: 20, 4: 40}, [2, 4], parents) == 20
    assert schedule_of(9, {}, {4: 40, 3: 30}, [4, 3], parents) == 30
    assert schedule_of(9, {9: 90}, {3: 30}, [3], parents) == 90
    assert schedule_of(9, {}, {}, [3], parents) is None


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Asia/Ho_Chi_Minh", "UTC"]
)
@given(st.integers(min_value=0, max_value=365 * 8 * 1440))
def test_the_table_says_what_the_zone_database_says(name: str, minutes: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moment = start + timedelta(minutes=minutes)
    expected = moment.astimezone(ZoneInfo(name)).utcoffset()
    assert expected is not None
    assert offset_at(time_zone(name, NOW_MS), int(moment.timestamp())) == expected.total_seconds()


def test_the_table_fits_the_lamp_and_changes_once_a_year() -> None:
    assert YEARS <= limits.TIME_ZONE_EXCEPTIONS
    day_ms = 86_400_000
    assert time_zone("Europe/Berlin", NOW_MS) == time_zone("Europe/Berlin", NOW_MS + 30 * day_ms)
    assert len(time_zone("Europe/Berlin", NOW_MS).exceptions) == YEARS
    assert time_zone("Asia/Ho_Chi_Minh", NOW_MS).exceptions == ()
