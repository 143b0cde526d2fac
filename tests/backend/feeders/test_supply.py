"""Planned hours: the schedule's engine says when a feeder is on."""

from typing import Any

import pytest

from backend.errors import BadInput
from backend.feeders.supply import Supply
from backend.schedules.timezones import time_zone
from contract import sun

SAIGON = (10_776_900, 106_700_900)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MIDNIGHT_MS = 1_795_305_600_000 - 7 * HOUR_MS  # local midnight of Sunday, 2026-11-22


def supply(*hours: tuple[str, str], date_rule: str = "* * *", kind: str = "night") -> Supply:
    rules = [{"start": start, "end": end, "type": kind, "date_rule": date_rule} for start, end in hours]
    return Supply(rules, *SAIGON, time_zone("Asia/Ho_Chi_Minh", MIDNIGHT_MS))


def test_a_feeder_is_on_from_an_hour_to_another_across_midnight() -> None:
    planned = supply(("17:00", "07:00"))
    for hour, on in ((6.9, True), (7.1, False), (12, False), (16.9, False), (17.1, True), (23.9, True)):
        assert planned.is_on(MIDNIGHT_MS + int(hour * HOUR_MS)) is on, hour
    at_noon_ms = MIDNIGHT_MS + 12 * HOUR_MS
    assert planned.since_ms(at_noon_ms) == MIDNIGHT_MS + 7 * HOUR_MS
    assert planned.until_ms(at_noon_ms) == MIDNIGHT_MS + 17 * HOUR_MS
    assert planned.since_ms(MIDNIGHT_MS) == MIDNIGHT_MS - 7 * HOUR_MS


def test_a_feeder_follows_the_sun_of_its_place() -> None:
    planned = supply(("S-15", "R+15"))
    days = MIDNIGHT_MS // DAY_MS + 1
    sunrise_s, sunset_s = sun.events(*SAIGON, days)
    off_ms = (days * 86_400 + sunrise_s + 900) * 1000
    on_ms = (days * 86_400 + sunset_s - 900) * 1000
    for at_ms, on in ((off_ms - 1000, True), (off_ms, False), (on_ms - 1000, False), (on_ms, True)):
        assert planned.is_on(at_ms) is on
    assert planned.since_ms(on_ms + 1000) == on_ms


def test_days_of_the_week_have_hours_of_their_own() -> None:
    planned = supply(("18:00", "06:00"), date_rule="* * 1-5")
    sunday_evening_ms = MIDNIGHT_MS + 20 * HOUR_MS
    assert not planned.is_on(sunday_evening_ms)
    assert planned.is_on(sunday_evening_ms + DAY_MS)
    assert planned.is_on(MIDNIGHT_MS - DAY_MS + 2 * HOUR_MS), "Friday's night ends on Saturday morning"
    assert planned.since_ms(sunday_evening_ms) == 0, "it was off for longer than the engine looks"


def test_several_hours_in_one_night() -> None:
    planned = supply(("18:00", "23:00"), ("04:00", "06:00"))
    on = [planned.is_on(MIDNIGHT_MS + hour * HOUR_MS) for hour in (3, 5, 7, 19, 23)]
    assert on == [False, True, False, True, False]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start": "25:00"}, "hours.0.start"),
        ({"end": "S+9999"}, "hours.0.end"),
        ({"end": "later"}, "hours.0.end"),
        ({"date_rule": "* *"}, "hours.0.date_rule"),
        ({"date_rule": "32 * *"}, "hours.0.date_rule"),
    ],
)
def test_hours_that_mean_nothing_are_refused_by_field(changes: dict[str, Any], field: str) -> None:
    rule = {"start": "S", "end": "R", "type": "night", "date_rule": "* * *"} | changes
    with pytest.raises(BadInput) as caught:
        Supply([rule], *SAIGON, time_zone("UTC", MIDNIGHT_MS))
    assert [error.field for error in caught.value.errors] == [field]


def test_hours_that_the_engine_cannot_hold_are_refused() -> None:
    rule = {"start": "S", "end": "R", "type": "night", "date_rule": "* * *"}
    with pytest.raises(BadInput):
        Supply([rule] * 9, *SAIGON, time_zone("UTC", MIDNIGHT_MS))
