"""When the night is summed up: at sunrise, or at local noon where the sun does not rise."""

from contract import localtime, sun

NOON_S = 43200


def next_dawn_ms(now_ms, latitude_e6, longitude_e6, zone):
    """Return the UTC ms of the first sunrise after `now_ms`, at a place (micro-degrees) in a contract TimeZone.

    A date without a sunrise counts with its local noon, so that a polar night has its summaries too.
    """
    now_s = now_ms // 1000
    today = (now_s + localtime.offset_at(zone, now_s)) // localtime.DAY_S
    for days in (today - 1, today, today + 1, today + 2):
        events = sun.events(latitude_e6, longitude_e6, days)
        if events in (sun.ALWAYS_UP, sun.ALWAYS_DOWN):
            dawn_s = localtime.utc_from_local(zone, days, NOON_S)
        else:
            dawn_s = days * localtime.DAY_S + events[0]
        if dawn_s > now_s:
            return dawn_s * 1000
    raise ValueError("no dawn within three days of %d: the clock must lie within 2000..2106" % now_s)
