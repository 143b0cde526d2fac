"""Hypothesis strategies for schedules: small alphabets, so that things collide."""

import datetime as dt

from hypothesis import strategies as st

from contract import limits
from contract import schedule as s
from contract.localtime import days_in_month
from tests.contract.places import PLACES, time_zone

FIXED_MINUTES = st.sampled_from([0, 1, 30, 119, 120, 150, 180, 330, 719, 720, 721, 1080, 1200, 1320, 1380, 1439])
OFFSETS = st.sampled_from([0, 0, 0, -20, 30, -120, 90, 300, -720, 720])

moments = st.one_of(
    st.builds(s.Moment, st.just(s.FIXED), FIXED_MINUTES),
    st.builds(s.Moment, st.sampled_from([s.SUNSET, s.SUNRISE]), OFFSETS),
)
steps = st.builds(lambda moment, level: s.Step(*moment, level), moments, st.sampled_from([0, 1, 20, 50, 70, 100]))
actives = st.one_of(
    st.none(),
    st.tuples(st.none() | moments, st.none() | moments).filter(lambda pair: pair[0] != pair[1]),
)


@st.composite
def ranges(draw):
    if draw(st.booleans()):
        dates = []
        for _ in range(2):
            month = draw(st.integers(1, 12))
            dates.append(s.Date(None, month, draw(st.integers(1, days_in_month(2000, month)))))
        return tuple(dates)
    first = draw(st.dates(dt.date(2025, 12, 1), dt.date(2028, 3, 10)))
    last = first + dt.timedelta(draw(st.integers(0, 200)))
    return s.Date(first.year, first.month, first.day), s.Date(last.year, last.month, last.day)


def subsets(lowest, highest):
    some = st.lists(st.integers(lowest, highest), unique=True, max_size=highest - lowest).map(sorted).map(tuple)
    return st.just(()) | some


rules = st.builds(
    s.CalendarRule,
    st.booleans(),
    st.lists(ranges(), max_size=2).map(tuple),
    st.just(()) | subsets(1, 31),
    st.just(()) | subsets(1, 12),
    subsets(0, 6),
)


@st.composite
def schedules(draw):
    name = draw(st.sampled_from(sorted(PLACES)))
    fades = draw(st.lists(st.sampled_from([0, 0.25, 1, 30, 900, 3600]), min_size=1, max_size=3))
    programs = []
    for priority in sorted(draw(st.lists(st.integers(-5, 300), max_size=3))):
        programs.append(
            s.Program(
                draw(st.text(max_size=limits.PROGRAM_NAME_BYTES // 4)),
                priority,
                tuple(draw(st.lists(rules, max_size=2))),
                draw(actives),
                tuple(draw(st.lists(steps, min_size=1, max_size=5))),
                draw(st.sampled_from(fades)),
                draw(st.booleans()),
            )
        )
    return s.Schedule(tuple(programs), *PLACES[name], time_zone(name))


# Around a leap day, clock changes, new year and midsummer; the zones' tables cover 2024 to 2029.
moments_ms = st.one_of(
    st.integers(1735689600000, 1861920000000),
    st.builds(
        lambda around, ms: around * 1000 + ms,
        st.sampled_from(
            [1774746000, 1792890000, 1772953200, 1793512800, 1775314800, 1798758000, 1835395200, 1813536000]
        ),
        st.integers(-86400000, 86400000),
    ),
)
