"""When the night is summed up."""

import itertools

import pytest

from contract import sun
from contract.localtime import UTC, TimeZone
from firmware.dawn import next_dawn_ms

DAY_MS = 86_400_000
SAIGON = (10_776_550, 106_700_900, TimeZone("Asia/Ho_Chi_Minh", 25200, ()))
NOON_MS = 1_795_323_600_000  # 2026-11-22 12:00 in Ho Chi Minh City


def test_the_next_dawn_is_the_next_sunrise() -> None:
    dawn_ms = next_dawn_ms(NOON_MS, *SAIGON)
    assert 17 * 3_600_000 < dawn_ms - NOON_MS < 19 * 3_600_000
    days = dawn_ms // DAY_MS + 1  # its local date: the sun rises there before midnight UTC
    assert sun.events(SAIGON[0], SAIGON[1], days)[0] * 1000 == dawn_ms - days * DAY_MS


def test_dawns_follow_one_another_a_day_apart() -> None:
    moment_ms, dawns = NOON_MS, []
    for _ in range(400):
        moment_ms = next_dawn_ms(moment_ms, *SAIGON)
        dawns.append(moment_ms)
    gaps = [later - earlier for earlier, later in itertools.pairwise(dawns)]
    assert all(abs(gap - DAY_MS) < 120_000 for gap in gaps)


@pytest.mark.parametrize("longitude_e6", [-179_000_000, 0, 179_000_000])
def test_the_dawn_lies_ahead_everywhere_and_within_two_days(longitude_e6: int) -> None:
    for hour in range(0, 48, 5):
        now_ms = NOON_MS + hour * 3_600_000
        assert now_ms < next_dawn_ms(now_ms, 51_000_000, longitude_e6, UTC) <= now_ms + 2 * DAY_MS


def test_a_polar_night_and_a_polar_day_are_summed_up_at_local_noon() -> None:
    for day in (1_797_811_200_000, 1_782_086_400_000):  # December and June 2026, north of the circle
        dawn_ms = next_dawn_ms(day, 78_220_000, 15_640_000, TimeZone("Arctic/Longyearbyen", 3600, ()))
        assert (dawn_ms + 3_600_000) % DAY_MS == 12 * 3_600_000
