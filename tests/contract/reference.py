"""A second, slow schedule engine, written from docs/architecture.md alone, to hold the first one against.

It uses datetime and zoneinfo, knows no halves and no caches, and finds the light by trying every moment at which
anything could change. Only the sun's moments come from the contract (they are held against astral elsewhere).
"""

import datetime as dt
from zoneinfo import ZoneInfo

from contract import schedule as s
from contract import sun

EPOCH = dt.date(1970, 1, 1)
DAY = dt.timedelta(1)


class Reference:
    def __init__(self, schedule):
        self.schedule = schedule
        self.zone = ZoneInfo(schedule.time_zone.name)

    def utc(self, date, minute):
        """UTC seconds of a local time; fold=0 takes the first of two, and moves what does not exist by the gap."""
        naive = dt.datetime(date.year, date.month, date.day) + dt.timedelta(minutes=minute)
        return int(naive.replace(tzinfo=self.zone).timestamp())

    def sun(self, date, which):
        """UTC seconds of sunrise (0) or sunset (1) around the solar noon that is next to a date's local noon."""
        noon = self.utc(date, 720)
        longitude = self.schedule.longitude_e6
        days = min(
            range(noon // 86400 - 2, noon // 86400 + 3),
            key=lambda d: abs(d * 86400 + 43200 - longitude * 240 / 1e6 - noon),
        )
        events = sun.events(self.schedule.latitude_e6, longitude, days)
        return events if isinstance(events, str) else events[which] + days * 86400

    def moment(self, night, date, moment):
        if moment.kind == s.SUNSET:
            event = self.sun(date, 1)
        elif moment.kind == s.SUNRISE:
            event = self.sun(date + DAY if night else date, 0)
        else:
            return self.utc(date + DAY if night and moment.minute < 720 else date, moment.minute)
        return event if isinstance(event, str) else event + moment.minute * 60

    def period(self, night, date):
        return (
            (self.utc(date, 720), self.utc(date + DAY, 720)) if night else (self.utc(date, 0), self.utc(date + DAY, 0))
        )

    def matches(self, rule, date):
        def inside(first, last):
            if first.year:
                return dt.date(*first) <= date <= dt.date(*last)
            a, b, x = (first.month, first.day), (last.month, last.day), (date.month, date.day)
            return a <= x <= b if a <= b else not b < x < a

        return (
            (not rule.ranges or any(inside(*pair) for pair in rule.ranges))
            and (not rule.days or date.day in rule.days)
            and (not rule.months or date.month in rule.months)
            and (not rule.weekdays or date.isoweekday() % 7 in rule.weekdays)
        )

    def applies(self, program, now):
        local = dt.datetime.fromtimestamp(now, self.zone).date()
        rules = program.calendars or [s.CalendarRule(True, (), (), (), ())]
        for position, rule in enumerate(rules):
            for date in (local - DAY, local, local + DAY):
                start, end = self.period(rule.night, date)
                if start <= now < end and self.matches(rule, date):
                    return (position if program.calendars else None), rule.night, date
        return None

    def is_active(self, active, night, date, now):
        if active is None:
            return True
        first, last = active
        start, end = self.period(night, date)
        begins, ends = (None if one is None else self.moment(night, date, one) for one in active)
        # "S~" and "~R" are dark windows, "R~" and "~S" light ones: the sun that stays decides for ever or never.
        for value, dark in ((begins, first and first.kind == s.SUNSET), (ends, last and last.kind == s.SUNRISE)):
            if isinstance(value, str) and (value == sun.ALWAYS_DOWN) != bool(dark):
                return False
        begins = start if begins is None or isinstance(begins, str) else begins
        ends = end if ends is None or isinstance(ends, str) else ends
        if first and last and self.nominal(night, first, last):
            return now < ends or now >= begins
        return begins <= now < ends

    @staticmethod
    def nominal(night, first, last):
        """Whether the start is meant to lie after the end within the period."""

        def is_evening(one):
            return one.minute >= 720 if one.kind == s.FIXED else one.kind == s.SUNSET

        if is_evening(first) != is_evening(last):
            return is_evening(last) if night else is_evening(first)
        return first.kind == last.kind and first.minute > last.minute

    def target(self, now):
        """(program, calendar, step, level) in force, all None when no program applies."""
        for position, program in enumerate(self.schedule.programs):
            found = self.applies(program, now)
            if found is None:
                continue
            calendar, night, date = found
            if self.is_active(program.active, night, date, now):
                start, end = self.period(night, date)
                moments = [(self.moment(night, date, step), index) for index, step in enumerate(program.steps)]
                moments = [(at, index) for at, index in moments if not isinstance(at, str) and start <= at < end]
                past = [(at, index) for at, index in moments if at <= now]
                if moments:
                    index = max(past or moments)[1]
                    return position, calendar, index, program.steps[index].level
            elif program.off_when_inactive:
                return position, calendar, None, 0
        return None, None, None, None

    def candidates(self, first, last):
        """Every UTC second between two at which anything could change."""
        moments = set()
        date = dt.datetime.fromtimestamp(first, self.zone).date() - 2 * DAY
        while date <= dt.datetime.fromtimestamp(last, self.zone).date() + 2 * DAY:
            moments |= {self.utc(date, 0), self.utc(date, 720)}
            for program in self.schedule.programs:
                for night in (True, False):
                    for one in (*program.steps, *(program.active or ())):
                        if one is not None:
                            moments.add(self.moment(night, date, one))
            date += DAY
        return sorted(at for at in moments if not isinstance(at, str) and first <= at <= last)

    def changes(self, first, last):
        """[(second, target)] of every change of program, step or level in a span, the state at its start first."""
        found = []
        for at in [first, *self.candidates(first, last)]:
            target = self.target(at)
            if not found or (target[0], *target[2:]) != (found[-1][1][0], *found[-1][1][2:]):
                found.append((at, target))
        return found

    def permille(self, now_ms):
        """The light, by playing the last day and a half from settled light."""
        changes = self.changes(now_ms // 1000 - 36 * 3600, now_ms // 1000)
        begin_ms, fade_ms, start, target = changes[0][0] * 1000, 0, changes[0][1][3], changes[0][1][3]
        start = target = None if target is None else float(target * 10)

        def light(at_ms):
            if target is None or at_ms - begin_ms >= fade_ms:
                return target
            return start + (target - start) * (at_ms - begin_ms) / fade_ms

        for at, (program, _, _, level) in changes[1:]:
            before = light(at * 1000)
            begin_ms = at * 1000
            target = None if level is None else float(level * 10)
            start = target if before is None else before
            fade_ms = 0 if program is None else self.schedule.programs[program].fade_s * 1000
        return light(now_ms)
