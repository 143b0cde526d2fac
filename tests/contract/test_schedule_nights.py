"""Nights that schedules have gone wrong in: clock changes, polar seasons, leap days, new year, the date line."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from contract import localtime, sun
from contract import schedule as s
from contract.schedule.calendar import half_at
from tests.contract.places import PLACES, ZONES, time_zone

ALWAYS = s.Program("", 0, (), None, (s.Step(s.FIXED, 720, 100),), 0, False)
NIGHT = ALWAYS._replace(
    name="Night",
    active=(s.Moment(s.SUNSET, 0), s.Moment(s.SUNRISE, 0)),
    steps=(s.Step(s.SUNSET, 0, 100), s.Step(s.FIXED, 1380, 50), s.Step(s.FIXED, 330, 100)),
    off_when_inactive=True,
)
EVERY_DAY = s.CalendarRule(False, (), (), (), ())
EVERY_NIGHT = s.CalendarRule(True, (), (), (), ())


def plan(zone, *programs):
    one = s.Schedule(programs, *PLACES[zone], time_zone(zone))
    s.check(one)
    return one


def at(zone, *local, fold=0):
    """UTC milliseconds of a local time."""
    return int(dt.datetime(*local, tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * 1000


def level(schedule, *local, fold=0):
    return s.level_at(schedule, at(schedule.time_zone.name, *local, fold=fold))


def steps(*pairs):
    return tuple(s.Step(s.FIXED, minute, percent) for minute, percent in pairs)


@pytest.mark.parametrize("zone", ZONES)
def test_a_fixed_time_is_that_local_time_on_every_day_of_the_year(zone):
    one = plan(zone, ALWAYS._replace(steps=steps((300, 10), (1320, 80))))
    date = dt.date(2026, 1, 1)
    while date.year == 2026:
        parts = date.year, date.month, date.day
        assert [level(one, *parts, *clock) for clock in ((4, 59), (5, 0), (21, 59), (22, 0))] == [80, 10, 10, 80]
        date += dt.timedelta(1)


@pytest.mark.parametrize(
    ("zone", "spring", "gap"),
    [
        ("Europe/Berlin", (2026, 3, 29), (2, 30, 3, 30)),
        ("Europe/Dublin", (2026, 3, 29), (1, 30, 2, 30)),
        ("America/New_York", (2026, 3, 8), (2, 30, 3, 30)),
        ("Australia/Lord_Howe", (2026, 10, 4), (2, 15, 2, 45)),
    ],
)
def test_a_step_in_the_hour_that_does_not_exist_comes_later_by_the_gap(zone, spring, gap):
    hour, minute, later_hour, later_minute = gap
    one = plan(zone, ALWAYS._replace(steps=steps((720, 10), (hour * 60 + minute, 80))))
    moment = at(zone, *spring, later_hour, later_minute)
    assert (s.level_at(one, moment - 1), s.level_at(one, moment)) == (10, 80)


@pytest.mark.parametrize(
    ("zone", "autumn", "twice"),
    [
        ("Europe/Berlin", (2026, 10, 25), (2, 30)),
        ("Europe/Dublin", (2026, 10, 25), (1, 30)),
        ("America/New_York", (2026, 11, 1), (1, 30)),
        ("Australia/Lord_Howe", (2026, 4, 5), (1, 45)),
    ],
)
def test_a_step_in_the_hour_that_comes_twice_happens_the_first_time(zone, autumn, twice):
    hour, minute = twice
    one = plan(zone, ALWAYS._replace(steps=steps((720, 10), (hour * 60 + minute, 80))))
    first, second = at(zone, *autumn, *twice), at(zone, *autumn, *twice, fold=1)
    assert second > first
    assert [s.level_at(one, moment) for moment in (first - 1, first, second - 1, second)] == [10, 80, 80, 80]


def test_polar_night_keeps_the_light_on_and_polar_day_off():
    one = plan("Europe/Oslo", NIGHT)
    assert [level(one, 2026, 12, 21, hour) for hour in (0, 6, 12, 18, 23)] == [50, 100, 100, 100, 50]
    assert [level(one, 2026, 6, 21, hour) for hour in (0, 6, 12, 18, 23)] == [0, 0, 0, 0, 0]


def test_daylight_windows_are_the_opposite_of_dark_ones():
    daylight = ALWAYS._replace(active=(s.Moment(s.SUNRISE, 0), s.Moment(s.SUNSET, 0)))
    one = plan("Europe/Oslo", daylight)
    assert [level(one, 2026, 12, 21, hour) for hour in (0, 12)] == [None, None]
    assert [level(one, 2026, 6, 21, hour) for hour in (0, 12)] == [100, 100]
    assert [level(one, 2026, 3, 21, hour) for hour in (0, 12)] == [None, 100]


@pytest.mark.parametrize(
    ("active", "winter", "summer"),
    [
        ((s.Moment(s.SUNSET, 0), s.Moment(s.FIXED, 1380)), [100, 100, None], [None, None, None]),
        ((s.Moment(s.FIXED, 1200), s.Moment(s.SUNRISE, 0)), [None, 100, 100], [None, None, None]),
        ((s.Moment(s.SUNSET, 0), None), [100, 100, 100], [None, None, None]),
        ((None, s.Moment(s.SUNSET, 0)), [None, None, None], [100, 100, 100]),
    ],
)
def test_a_missing_event_opens_or_empties_the_active_period(active, winter, summer):
    one = plan("Europe/Oslo", ALWAYS._replace(active=active))
    assert [level(one, 2026, 12, 21, hour) for hour in (13, 22, 23)] == winter
    assert [level(one, 2026, 6, 21, hour) for hour in (13, 22, 23)] == summer


def test_without_sunset_an_astronomical_step_does_not_happen():
    both = (s.Step(s.FIXED, 1200, 30), s.Step(s.SUNSET, 0, 100))
    one = plan("Europe/Oslo", ALWAYS._replace(steps=both))
    assert [level(one, 2026, 6, 21, hour) for hour in (13, 19, 21)] == [30, 30, 30]
    alone = ALWAYS._replace(steps=both[1:], off_when_inactive=True)
    assert level(plan("Europe/Oslo", alone), 2026, 6, 21, 13) is None
    lower = ALWAYS._replace(priority=1, steps=steps((720, 40)))
    assert level(plan("Europe/Oslo", alone, lower), 2026, 6, 21, 13) == 40


def test_a_sunset_after_midnight_belongs_to_the_night_of_the_day_before():
    # In Tromsø the last sunsets before the polar day are after midnight.
    one = plan("Europe/Oslo", NIGHT)
    noon = at("Europe/Oslo", 2026, 5, 16, 12)
    change = s.next_change_after(one, noon)
    sunset = dt.datetime.fromtimestamp(change / 1000, ZoneInfo("Europe/Oslo"))
    assert sunset.date() == dt.date(2026, 5, 17) and sunset.hour == 0
    assert s.explain_at(one, change).calendar is None and s.level_at(one, change) > 0


@pytest.mark.parametrize("zone", PLACES)
def test_the_night_program_burns_exactly_from_sunset_to_sunrise(zone):
    """Wherever the date line is: the light must be on when the sun is down."""
    one = plan(zone, NIGHT)
    latitude, longitude = PLACES[zone]
    for days in range(20454, 20819, 13):
        events = sun.events(latitude, longitude, days)
        if isinstance(events, str):
            continue
        rise, set_ = ((days * 86400 + event) * 1000 for event in events)
        lit = [bool(s.level_at(one, moment)) for moment in (rise - 1, rise, set_ - 1, set_)]
        assert lit == [True, False, False, True]


def test_a_leap_day_is_a_day_of_its_own():
    leap = s.CalendarRule(False, ((s.Date(None, 2, 29), s.Date(None, 2, 29)),), (), (), ())
    one = plan("Asia/Ho_Chi_Minh", ALWAYS._replace(calendars=(leap,)))
    assert level(one, 2028, 2, 29, 0) == 100
    assert [level(one, *day, 12) for day in ((2028, 2, 28), (2028, 3, 1), (2027, 2, 28), (2027, 3, 1))] == [None] * 4


def test_a_yearly_range_wraps_over_new_year():
    winter = s.CalendarRule(True, ((s.Date(None, 11, 15), s.Date(None, 2, 10)),), (), (), ())
    one = plan("Europe/Berlin", ALWAYS._replace(calendars=(winter,)))
    assert [level(one, *day, 13) for day in ((2025, 11, 15), (2025, 12, 31), (2026, 1, 1), (2026, 2, 10))] == [100] * 4
    assert [level(one, *day) for day in ((2025, 11, 15, 11), (2026, 2, 11, 13))] == [None] * 2
    assert level(one, 2026, 2, 11, 11) == 100  # still the night of the 10th


def test_night_and_day_rules_change_at_noon_and_at_midnight():
    new_year = ((s.Date(2026, 12, 31), s.Date(2026, 12, 31)),)
    for night, hours in ((True, [None, 100, 100, None]), (False, [100, 100, None, None])):
        one = plan("Europe/Berlin", ALWAYS._replace(calendars=(s.CalendarRule(night, new_year, (), (), ()),)))
        found = [
            level(one, *when) for when in ((2026, 12, 31, 1), (2026, 12, 31, 13), (2027, 1, 1, 1), (2027, 1, 1, 13))
        ]
        assert found == hours


def test_dates_days_months_and_weekdays_must_all_hold():
    rule = s.CalendarRule(False, (), (13,), (2, 3, 11), (5,))
    one = plan("Europe/Berlin", ALWAYS._replace(calendars=(rule,)))
    fridays = [
        (2026, month, day) for month in range(1, 13) for day in range(1, 29) if level(one, 2026, month, day, 12) == 100
    ]
    assert fridays == [(2026, 2, 13), (2026, 3, 13), (2026, 11, 13)]


def test_a_clock_change_across_midnight_moves_the_half_of_the_date_with_it():
    midnight = 20000 * 86400
    # At half past eleven the clock goes to half past twelve: midnight is moved to one o'clock.
    forward = localtime.TimeZone("", 0, ((midnight - 1800, midnight + 10 * 86400, 3600),))
    assert [half_at(forward, midnight + s) for s in (-1801, -1800, -1, 0)] == [39999, 39999, 39999, 40000]
    # At half past twelve the clock goes back to half past eleven: midnight was the first one.
    back = localtime.TimeZone("", 0, ((0, midnight - 1800, 3600),))
    assert [half_at(back, midnight + s) for s in (-3601, -3600, -1800, -1)] == [39999, 40000, 40000, 40000]


def test_the_first_matching_calendar_rule_is_named():
    rules = (EVERY_DAY._replace(weekdays=(1,)), EVERY_DAY)
    one = plan("Europe/Berlin", ALWAYS._replace(calendars=rules))
    monday = s.explain_at(one, at("Europe/Berlin", 2026, 11, 23, 12))
    tuesday = s.explain_at(one, at("Europe/Berlin", 2026, 11, 24, 12))
    assert (monday.calendar, tuesday.calendar) == (0, 1)


@pytest.mark.parametrize(
    ("rule", "first", "last", "hours"),
    [
        (EVERY_NIGHT, (s.FIXED, 1080), (s.FIXED, 240), {0, 3, 19, 23}),
        (EVERY_DAY, (s.FIXED, 1080), (s.FIXED, 240), {0, 3, 19, 23}),
        (EVERY_DAY, (s.SUNSET, 0), (s.SUNRISE, 0), {0, 3, 19, 23}),
        (EVERY_NIGHT, (s.FIXED, 360), (s.FIXED, 1080), {7, 12, 15}),
        (EVERY_NIGHT, (s.FIXED, 1200), (s.FIXED, 1080), {0, 3, 7, 12, 15, 23}),
        (EVERY_NIGHT, (s.SUNSET, 0), (s.FIXED, 1200), {19}),
        (EVERY_NIGHT, (s.SUNSET, 300), (s.FIXED, 1200), set()),
        (EVERY_NIGHT, (s.SUNSET, 60), (s.SUNSET, 0), {0, 3, 7, 12, 15, 23}),
        (EVERY_DAY, (s.FIXED, 0), (s.FIXED, 720), {0, 3, 7}),
        (EVERY_DAY, (s.FIXED, 60), (s.FIXED, 0), {3, 7, 12, 15, 19, 23}),
    ],
)
def test_an_active_period_holds_these_hours(rule, first, last, hours):
    active = s.Moment(*first), s.Moment(*last)
    one = plan("Europe/Berlin", ALWAYS._replace(calendars=(rule,), active=active))
    # In mid-March in Berlin the sun is up from half past six to a quarter past six.
    found = {hour for hour in (0, 3, 7, 12, 15, 19, 23) if level(one, 2026, 3, 18, hour) is not None}
    assert found == hours


def test_an_active_period_whose_parts_meet_is_the_whole_period():
    active = s.Moment(s.SUNRISE, -720), s.Moment(s.SUNSET, 720)
    one = plan("Europe/Berlin", ALWAYS._replace(calendars=(EVERY_NIGHT,), active=active))
    assert all(level(one, 2026, 3, 18, hour) == 100 for hour in range(24))


def test_sunset_to_a_fixed_time_is_empty_when_the_sun_sets_later():
    one = plan("Europe/Berlin", ALWAYS._replace(active=(s.Moment(s.SUNSET, 0), s.Moment(s.FIXED, 1260))))
    assert [level(one, 2026, 6, 21, hour) for hour in (14, 20, 21, 22, 23)] == [None] * 5
    assert [level(one, 2026, 12, 21, hour) for hour in (14, 17, 20, 21)] == [None, 100, 100, None]


def test_the_lower_number_wins_and_then_the_lower_instance():
    high, low = ALWAYS._replace(priority=1, steps=steps((0, 20))), ALWAYS._replace(priority=2, steps=steps((0, 90)))
    assert level(plan("Europe/Berlin", high, low), 2026, 1, 1, 12) == 20
    twins = plan("Europe/Berlin", high, high._replace(steps=steps((0, 30))))
    assert level(twins, 2026, 1, 1, 12) == 20


def test_an_inactive_program_lets_the_next_one_decide_unless_it_says_off():
    evening = ALWAYS._replace(active=(s.Moment(s.FIXED, 1080), s.Moment(s.FIXED, 1320)), steps=steps((720, 80)))
    always = ALWAYS._replace(priority=1, steps=steps((720, 20)))
    for off, expected in ((False, 20), (True, 0)):
        one = plan("Europe/Berlin", evening._replace(off_when_inactive=off), always)
        assert [level(one, 2026, 1, 1, hour) for hour in (17, 19, 23)] == [expected, 80, expected]


def test_of_two_steps_at_one_moment_the_later_in_the_list_wins():
    one = plan("Europe/Berlin", ALWAYS._replace(steps=steps((720, 10), (1200, 20), (1200, 30))))
    assert [level(one, 2026, 1, 1, hour) for hour in (19, 20)] == [10, 30]


def test_a_step_that_its_offset_pushes_out_of_its_night_does_not_happen():
    early = s.Step(s.SUNSET, -600, 70)
    one = plan("Europe/Berlin", ALWAYS._replace(steps=(early, s.Step(s.FIXED, 1200, 30))))
    assert {level(one, 2026, 12, 21, hour) for hour in range(24)} == {30}


def test_a_fade_is_linear_from_the_light_before():
    one = plan("Europe/Berlin", ALWAYS._replace(steps=steps((1200, 100), (1260, 50)), fade_s=60))
    begin = at("Europe/Berlin", 2026, 1, 1, 21)
    assert [s.permille_at(one, begin + ms) for ms in (-1, 0, 15000, 30000, 59999, 60000)] == [
        1000,
        1000,
        875,
        750,
        500,
        500,
    ]


def test_a_fade_that_is_interrupted_goes_on_from_where_it_is():
    one = plan("Europe/Berlin", ALWAYS._replace(steps=steps((720, 0), (1200, 100), (1230, 0)), fade_s=3600))
    begin = at("Europe/Berlin", 2026, 1, 1, 20, 30)
    assert [s.permille_at(one, begin + ms) for ms in (0, 1800000, 3600000)] == [500, 250, 0]


def test_a_fade_goes_on_over_noon_and_midnight():
    for minute, hour in ((1439, 0), (719, 12)):
        rules = (EVERY_DAY,) if hour == 0 else (EVERY_NIGHT,)
        pair = steps((0, 100), (1439, 0)) if hour == 0 else steps((720, 100), (719, 0))
        one = plan("Europe/Berlin", ALWAYS._replace(calendars=rules, steps=pair, fade_s=120))
        turn = at("Europe/Berlin", 2026, 1, 2, hour)
        assert pair[1].minute == minute
        assert s.permille_at(one, turn - 1) == 500
        assert [s.permille_at(one, turn + ms) for ms in (0, 60000, 120000)] == [500, 750, 1000]


def test_after_a_time_without_a_program_a_fade_starts_from_the_default_level_if_it_is_known():
    evening = ALWAYS._replace(active=(s.Moment(s.FIXED, 1200), s.Moment(s.FIXED, 1260)), fade_s=100)
    one = plan("Europe/Berlin", evening)
    begin = at("Europe/Berlin", 2026, 1, 1, 20)
    assert s.permille_at(one, begin - 1) is None
    assert s.permille_at(one, begin) == 1000
    assert s.Evaluator(one, 20).permille_at(begin + 50000) == 600
    assert s.Evaluator(one, 20).permille_at(at("Europe/Berlin", 2026, 1, 1, 21)) is None


def test_without_programs_nothing_applies_and_nothing_changes():
    one = plan("Europe/Berlin")
    now = at("Europe/Berlin", 2026, 1, 1, 12)
    assert s.level_at(one, now) is None
    assert s.next_change_after(one, now) == now + s.HORIZON_MS
    found = s.explain_at(one, now)
    assert found == (None, None, None, None, 0, 0, "No program applies: the default level decides")


def test_an_operator_reads_why_in_one_sentence():
    weekdays = NIGHT._replace(name="Weekdays", calendars=(EVERY_NIGHT._replace(weekdays=(1, 2, 3, 4, 5)),), fade_s=30)
    one = plan("Europe/Berlin", weekdays)

    def words(*local):
        return s.explain_at(one, at("Europe/Berlin", *local)).words

    assert words(2026, 11, 19, 2) == "Program 'Weekdays' (calendar rule 1): 50 % since 23:00 until 05:30"
    assert words(2026, 11, 19, 23, 0, 15) == (
        "Program 'Weekdays' (calendar rule 1): fading from 100 % to 50 %, now 75 %, since 23:00 until 05:30"
    )
    assert words(2026, 11, 19, 11) == (
        "Program 'Weekdays' (calendar rule 1): 0 % outside its active period since 07:35 until 16:07"
    )
    assert words(2026, 11, 21, 13) == "No program applies: the default level decides since 12:00"
    assert words(2026, 11, 22, 13) == (
        "No program applies: the default level decides since 2026-11-21 12:00 until 2026-11-23 12:00"
    )
    assert words(2026, 11, 23, 1) == "No program applies: the default level decides until 12:00"
    monday = plan("Europe/Berlin", ALWAYS._replace(name="Mondays", calendars=(EVERY_DAY._replace(weekdays=(1, 2)),)))
    found = s.explain_at(monday, at("Europe/Berlin", 2026, 11, 23, 20))
    assert found.words == "Program 'Mondays' (calendar rule 1): 100 % since 2026-11-23 00:00 until 2026-11-25 00:00"
