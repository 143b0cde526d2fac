"""Sunrise and sunset to about a second, with floats of 24 bits.

Days and mean angles are integers (micro-degrees), so that the ESP32's single precision only ever meets reduced angles
and fractions of one day. Source of the formulas: Meeus, Astronomical Algorithms, chapters 25 and 28, in the low-order
form that NOAA's solar calculator uses.
"""

import math

# Altitude of the sun's centre at sunrise and sunset in degrees: refraction 34' and half its disc 16'.
ALTITUDE = -0.833

ALWAYS_UP = "always up"
ALWAYS_DOWN = "always down"

# Days from 1970-01-01 to 2000-01-01.
_DAYS_TO_2000 = 10957
# At the poles every direction is the same and an hour angle means nothing; this is 11 km away from them.
_HIGHEST_LATITUDE = 89900000
_CENTURY_DAYS = 36525
_PASSES = 3


def events(latitude_e6, longitude_e6, days):
    """Return (sunrise_s, sunset_s) around the solar noon of a date, or ALWAYS_UP or ALWAYS_DOWN.

    latitude_e6, longitude_e6: micro-degrees, north and east positive; days: the date in mean solar time of the place,
    as days since 1970-01-01. The seconds count from midnight UTC of that date: far from Greenwich they are negative or
    beyond 86400. A date on which only one of the two happens counts as the side the sun spends it on.
    """
    latitude = math.radians(float(max(-_HIGHEST_LATITUDE, min(_HIGHEST_LATITUDE, latitude_e6))) / 1000000)
    # 240 seconds a degree; an integer, since 180 degrees in float32 would cost a tenth of a second.
    mean_noon_s = 43200 - longitude_e6 * 240 // 1000000
    mean = _mean_angles(days - _DAYS_TO_2000)
    found = []
    for side in (-1, 1):
        moment_s = float(mean_noon_s)
        for _ in range(_PASSES):
            sine, equation_s = _declination_and_equation(mean, moment_s / 86400)
            cosine = _cosine_of_hour_angle(latitude, sine)
            if cosine > 1:
                return ALWAYS_DOWN
            if cosine < -1:
                return ALWAYS_UP
            moment_s = mean_noon_s - equation_s + side * math.degrees(math.acos(cosine)) * 240
        found.append(math.floor(moment_s + 0.5))
    return found[0], found[1]


def solar_date(longitude_e6, utc_s):
    """Return the date in mean solar time (days since 1970-01-01) at a UTC second: `events` of a local noon wants it."""
    return (utc_s + longitude_e6 * 240 // 1000000) // 86400


def night_at(latitude_e6, longitude_e6, utc_s):
    """Return (is_night, until_s, turns) at a UTC second: whether the sun is down, until when that holds at least, and
    whether it then turns (a sunrise or a sunset; False: ask again at that moment, nothing need change)."""
    days = solar_date(longitude_e6, utc_s)
    found = events(latitude_e6, longitude_e6, days)
    midnight_s = (days + 1) * 86400 - longitude_e6 * 240 // 1000000
    if found == ALWAYS_DOWN:
        return True, midnight_s, False
    if found == ALWAYS_UP:
        # A date that has a sunrise begins in the dark.
        following = events(latitude_e6, longitude_e6, days + 1)
        return False, midnight_s, following != ALWAYS_UP
    sunrise_s, sunset_s = found[0] + days * 86400, found[1] + days * 86400
    if utc_s < sunrise_s:
        return True, sunrise_s, True
    if utc_s < sunset_s:
        return False, sunset_s, True
    following = events(latitude_e6, longitude_e6, days + 1)
    if following == ALWAYS_UP:
        return True, midnight_s, True
    if following == ALWAYS_DOWN:
        return True, midnight_s, False
    # Where nights are minutes long the equation of time moves the next sunrise before this: ask again soon.
    return True, max(utc_s + 60, following[0] + (days + 1) * 86400), True


def _mean_angles(days):
    """Return integers in micro-degrees, reduced to one turn, at midnight UTC, and the centuries since J2000.0."""
    # J2000.0 is noon, so midnight is half a day earlier: count half days to stay in integers.
    half_days = 2 * days - 1
    longitude = (280466460 + half_days * 36000769830 // (2 * _CENTURY_DAYS)) % 360000000
    anomaly = (357529110 + half_days * 35999050290 // (2 * _CENTURY_DAYS)) % 360000000
    node = (125040000 - half_days * 1934136000 // (2 * _CENTURY_DAYS)) % 360000000
    return longitude, anomaly, node, float(half_days) / (2 * _CENTURY_DAYS)


def _declination_and_equation(mean, day):
    """Return the sine of the sun's declination and the equation of time in seconds, `day` days after midnight UTC."""
    longitude_e6, anomaly_e6, node_e6, century = mean
    longitude = math.radians(float(longitude_e6) / 1000000 + day * 0.98564736 + century * century * 0.0003032)
    anomaly = math.radians(float(anomaly_e6) / 1000000 + day * 0.98560028 - century * century * 0.0001537)
    node = math.radians(float(node_e6) / 1000000)
    eccentricity = 0.016708634 - century * 0.000042037
    centre = (
        math.sin(anomaly) * (1.914602 - century * 0.004817)
        + math.sin(2 * anomaly) * (0.019993 - century * 0.000101)
        + math.sin(3 * anomaly) * 0.000289
    )
    apparent = longitude + math.radians(centre - 0.00569 - math.sin(node) * 0.00478)
    obliquity = math.radians(23.4392911 - century * 0.0130042 + math.cos(node) * 0.00256)
    y = math.tan(obliquity / 2)
    y = y * y
    equation = (
        y * math.sin(2 * longitude)
        - 2 * eccentricity * math.sin(anomaly)
        + 4 * eccentricity * y * math.sin(anomaly) * math.cos(2 * longitude)
        - y * y * math.sin(4 * longitude) / 2
        - 1.25 * eccentricity * eccentricity * math.sin(2 * anomaly)
    )
    return math.sin(obliquity) * math.sin(apparent), math.degrees(equation) * 240


def _cosine_of_hour_angle(latitude, sine_of_declination):
    """Return the cosine of the hour angle at `ALTITUDE`; beyond 1 the sun stays below, beyond -1 above."""
    cosine_of_declination = math.sqrt(1 - sine_of_declination * sine_of_declination)
    altitude = math.sin(math.radians(ALTITUDE))
    return (altitude - math.sin(latitude) * sine_of_declination) / (math.cos(latitude) * cosine_of_declination)
