"""Sunrise and sunset against astral, in double and in single precision."""

import datetime as dt
import math
import operator
import random
import struct

import astral.sun
import pytest
from astral import Observer, SunDirection

from contract import sun

EPOCH = dt.date(1970, 1, 1)
# astral makes two passes where we make three: up to 1.9 s apart at 65 degrees (16,000 events, 2020 to 2060).
TOLERANCE_S = 3
# Single precision against double: 1 s seen in 10,000 events.
SINGLE_TOLERANCE_S = 2


def _astral_s(latitude, longitude, date, direction):
    """Moments that astral gives for a date and its neighbours: it goes by the UTC date, we by the solar one."""
    midnight = dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC)
    for day in (-1, 0, 1):
        observer = Observer(latitude, longitude)
        # The zenith already holds refraction and the sun's radius.
        moment = astral.sun.time_of_transit(observer, date + dt.timedelta(day), 90 - sun.ALTITUDE, direction, False)
        yield (moment - midnight).total_seconds()


def _cases(count, seed):
    draw = random.Random(seed)
    for _ in range(count):
        latitude, longitude = draw.randint(-65000000, 65000000), draw.randint(-180000000, 180000000)
        yield latitude, longitude, draw.randint(18262, 32872)  # 2020 to 2060


def test_events_are_those_of_astral():
    for latitude, longitude, days in _cases(1000, 7):
        date = EPOCH + dt.timedelta(days)
        events = sun.events(latitude, longitude, days)
        for event, direction in zip(events, (SunDirection.RISING, SunDirection.SETTING), strict=True):
            apart = min(abs(event - s) for s in _astral_s(latitude / 1e6, longitude / 1e6, date, direction))
            # Some UTC dates hold no event for astral; the one of the next is then a day off, minus its drift.
            assert apart <= TOLERANCE_S or 86000 < apart < 86800, (latitude, longitude, date, direction)


def test_sunrise_precedes_and_sunset_follows_the_solar_noon_of_the_date():
    for latitude, longitude, days in _cases(1000, 8):
        rise_s, set_s = sun.events(latitude, longitude, days)
        noon_s = 43200 - longitude * 240 // 1000000
        assert rise_s < noon_s < set_s
        assert abs((rise_s + set_s) / 2 - noon_s) < 1100  # the equation of time is at most 16.5 minutes


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (dt.date(2026, 6, 21), sun.ALWAYS_UP),
        (dt.date(2026, 12, 21), sun.ALWAYS_DOWN),
        (dt.date(2026, 7, 25), sun.ALWAYS_UP),
    ],
)
def test_tromso_has_polar_day_and_night(date, expected):
    assert sun.events(69649200, 18955300, (date - EPOCH).days) == expected


def test_tromso_has_sun_and_night_in_spring():
    assert isinstance(sun.events(69649200, 18955300, (dt.date(2026, 3, 20) - EPOCH).days), tuple)


@pytest.mark.parametrize("latitude", [90000000, -90000000])
def test_the_poles_are_always_in_light_or_in_darkness(latitude):
    seen = {sun.events(latitude, 0, 20500 + day) for day in range(0, 365, 10)}
    assert {sun.ALWAYS_UP, sun.ALWAYS_DOWN} <= seen


def test_the_solar_date_changes_on_the_other_side_of_the_world():
    noon = 20000 * 86400 + 43200
    assert sun.solar_date(0, noon) == 20000
    assert sun.solar_date(179000000, noon + 3600) == 20001
    assert sun.solar_date(-179000000, noon - 3600) == 19999


class Single:
    """A number that rounds to 24 bits after every operation, as the ESP32 does."""

    def __init__(self, value):
        self.value = struct.unpack("f", struct.pack("f", float(value)))[0]

    def __float__(self):
        return self.value

    def __gt__(self, other):
        return self.value > float(other)

    def __lt__(self, other):
        return self.value < float(other)


def _single(operation):
    return (
        lambda a, b: Single(operation(a.value, Single(b).value)),
        lambda a, b: Single(operation(Single(b).value, a.value)),
    )


for _name in ("add", "sub", "mul", "truediv"):
    _forward, _backward = _single(getattr(operator, _name))
    setattr(Single, f"__{_name}__", _forward)
    setattr(Single, f"__r{_name}__", _backward)


class SingleMath:
    """The functions of `math` that the sun needs, in single precision."""

    floor = staticmethod(lambda x: math.floor(x.value))
    # MicroPython multiplies by a rounded constant.
    radians = staticmethod(lambda x: Single(x) * (Single(math.pi) / 180))
    degrees = staticmethod(lambda x: Single(x) * (Single(180) / Single(math.pi)))


def _rounded(function):
    return staticmethod(lambda x: Single(function(float(x))))


for _name in ("sin", "cos", "tan", "sqrt", "acos"):
    setattr(SingleMath, _name, _rounded(getattr(math, _name)))


def test_single_precision_gives_the_same_events(monkeypatch):
    cases = list(_cases(300, 9))
    exact = [sun.events(*case) for case in cases]
    monkeypatch.setattr(sun, "math", SingleMath)
    monkeypatch.setattr(sun, "float", Single, raising=False)
    for case, expected in zip(cases, exact, strict=True):
        for one, other in zip(sun.events(*case), expected, strict=True):
            assert abs(one - other) <= SINGLE_TOLERANCE_S, case


def test_night_and_day_follow_each_other_and_hold_until_they_say():
    draw = random.Random(11)
    for _ in range(300):
        latitude, longitude = draw.randint(-62000000, 62000000), draw.randint(-180000000, 180000000)
        now_s = draw.randint(1577836800, 2840140800)
        is_night, until_s, turns = sun.night_at(latitude, longitude, now_s)
        assert turns
        assert sun.night_at(latitude, longitude, draw.randint(now_s, until_s - 1)) == (is_night, until_s, True)
        assert sun.night_at(latitude, longitude, until_s)[0] != is_night
        altitude = astral.sun.elevation(
            Observer(latitude / 1e6, longitude / 1e6), dt.datetime.fromtimestamp(now_s, dt.UTC), with_refraction=False
        )
        assert is_night == (altitude < sun.ALTITUDE) or abs(altitude - sun.ALTITUDE) < 0.05


@pytest.mark.parametrize(("date", "is_night"), [(dt.date(2026, 6, 21), False), (dt.date(2026, 12, 21), True)])
def test_polar_day_and_night_do_not_turn_at_midnight(date, is_night):
    for hour in range(24):
        now_s = (date - EPOCH).days * 86400 + hour * 3600
        night, until_s, turns = sun.night_at(69649200, 18955300, now_s)
        assert (night, turns) == (is_night, False)
        assert until_s > now_s


def test_a_year_at_the_polar_circle_never_stands_still():
    now_s, nights, end_s = 1798761600, 0, 1798761600 + 366 * 86400
    while now_s < end_s:
        is_night, until_s, _ = sun.night_at(66800000, 20000000, now_s)
        assert until_s > now_s
        nights += is_night
        now_s = until_s
    assert 200 < nights < 800
