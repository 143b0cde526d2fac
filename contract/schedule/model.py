"""What a schedule is made of. Everything is a plain, immutable tuple; `contract.schedule.check` says what is valid."""

from collections import namedtuple

# Kinds of a step or of an end of an active period.
FIXED = 0
SUNSET = 1
SUNRISE = 2

# programs: tuple of Program in order of priority; latitude_e6, longitude_e6: micro-degrees, north and east positive;
# time_zone: contract.localtime.TimeZone.
Schedule = namedtuple("Schedule", ("programs", "latitude_e6", "longitude_e6", "time_zone"))

# calendars: tuple of CalendarRule, any of which may match; () means every night;
# active: None (always) or (start, end), each a Moment or None (open); steps: tuple of Step;
# fade_s: seconds, to the millisecond; off_when_inactive: off, instead of the next program, outside the active period.
Program = namedtuple("Program", ("name", "priority", "calendars", "active", "steps", "fade_s", "off_when_inactive"))

# night: noon to noon, else midnight to midnight; ranges: tuple of (first Date, last Date), () means every date;
# days 1..31, months 1..12, weekdays 0..6 (0 is Sunday): ascending tuples, () means every one.
CalendarRule = namedtuple("CalendarRule", ("night", "ranges", "days", "months", "weekdays"))

# year: None means every year.
Date = namedtuple("Date", ("year", "month", "day"))

# minute: of the local day 0..1439 for FIXED, else minutes after the event (negative: before); level: 0..100.
Step = namedtuple("Step", ("kind", "minute", "level"))
Moment = namedtuple("Moment", ("kind", "minute"))

# level: 0..100 at this moment, None when no program applies; program, calendar, step: positions in the schedule, None
# when there is none; since_ms, until_ms: UTC, 0 when it lies more than 36 hours away; words: one sentence, local time.
Explanation = namedtuple("Explanation", ("level", "program", "calendar", "step", "since_ms", "until_ms", "words"))


class ScheduleError(ValueError):
    """A schedule is refused. `path` names the place (an LwM2M path, or programs/0/steps/2), `reason` what is wrong."""

    def __init__(self, path, reason):
        super().__init__("%s: %s" % (path, reason))
        self.path = path
        self.reason = reason
