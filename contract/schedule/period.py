"""One calendar period, a night or a day, with its sun: when its moments are and when a program is active in it."""

from contract import localtime, sun
from contract.schedule.calendar import boundary
from contract.schedule.model import FIXED, SUNRISE, SUNSET

_NOON_MIN = 720


class Period:
    """The night (noon to noon) or day (midnight to midnight) of a local date; start_s to before end_s, UTC."""

    def __init__(self, schedule, night, date):
        self.schedule = schedule
        self.night = night
        self.date = date
        self.start_s = boundary(schedule.time_zone, 2 * date + night)
        self.end_s = boundary(schedule.time_zone, 2 * date + night + 2)
        offset_s = localtime.offset_at(schedule.time_zone, self.start_s)
        # Without a clock change in the period local times are a subtraction away.
        self._offset_s = offset_s if offset_s == localtime.offset_at(schedule.time_zone, self.end_s) else None
        self._sun = [None, None, None]

    def moment(self, kind, minute):
        """Return the UTC second of a step or an end of an active period.

        Returns sun.ALWAYS_UP or sun.ALWAYS_DOWN when the event does not happen.
        """
        if kind == FIXED:
            days = self.date + 1 if self.night and minute < _NOON_MIN else self.date
            if self._offset_s is None:
                return localtime.utc_from_local(self.schedule.time_zone, days, minute * 60)
            return days * localtime.DAY_S + minute * 60 - self._offset_s
        if self._sun[kind] is None:
            self._sun[kind] = self._event(kind)
        event = self._sun[kind]
        return event if isinstance(event, str) else event + minute * 60

    def windows(self, active):
        """Return the parts of the period, as (start_s, end_s), in which a program with this active period is active."""
        if active is None:
            return [(self.start_s, self.end_s)]
        first, last = active
        start_s = self.start_s if first is None else self.moment(first.kind, first.minute)
        end_s = self.end_s if last is None else self.moment(last.kind, last.minute)
        # From sunset, or until sunrise, is darkness: a sun that is never up makes it last, one that is always up ends
        # it. From sunrise, or until sunset, is daylight: the other way round.
        if isinstance(start_s, str):
            if (start_s == sun.ALWAYS_DOWN) != (first.kind == SUNSET):
                return []
            start_s = self.start_s
        if isinstance(end_s, str):
            if (end_s == sun.ALWAYS_DOWN) != (last.kind == SUNRISE):
                return []
            end_s = self.end_s
        if self._runs_round(first, last):
            return [(self.start_s, end_s), (start_s, self.end_s)] if end_s < start_s else [(self.start_s, self.end_s)]
        return [(start_s, end_s)]

    def _event(self, kind):
        # The sunset of a night follows its noon, the sunrise precedes the noon after; a day has its noon inside.
        date = self.date + 1 if self.night and kind == SUNRISE else self.date
        schedule = self.schedule
        noon_s = boundary(schedule.time_zone, 2 * date + 1)
        # Where the clock is far from the sun (the date line) the solar date is not the local one.
        days = sun.solar_date(schedule.longitude_e6, noon_s)
        events = sun.events(schedule.latitude_e6, schedule.longitude_e6, days)
        return events if isinstance(events, str) else events[kind == SUNSET] + days * localtime.DAY_S

    def _runs_round(self, first, last):
        """Say whether an active period starts later in this period than it ends: it is then its two outer parts.

        Decided by what is meant, not by today's sun: sunset to 22:00 is empty on a night whose sunset is later.
        """
        if first is None or last is None:
            return False
        early, late = self._is_late(first), self._is_late(last)
        if early != late:
            return early
        return first.kind == last.kind and first.minute > last.minute

    def _is_late(self, moment):
        evening = moment.minute >= _NOON_MIN if moment.kind == FIXED else moment.kind == SUNSET
        return evening != self.night
