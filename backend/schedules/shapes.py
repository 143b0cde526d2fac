"""The JSON of schedules: TALQ's shape, checked field by field, then as a whole by the engine."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, StringConstraints, model_validator
from pydantic import Field as Bounds

from backend.kit.fields import Input, Latitude, Longitude, Name, Notes, RowId, TimeZoneName
from backend.kit.pages import PageQuery
from backend.kit.times import UtcOut
from backend.schedules.models import Status
from contract import limits

MomentText = Annotated[str, StringConstraints(min_length=1, max_length=8)]
DateText = Annotated[str, StringConstraints(min_length=1, max_length=10)]
ProgramName = Annotated[str, StringConstraints(min_length=1, max_length=limits.PROGRAM_NAME_BYTES)]


class SwitchPoint(Input):
    """From `at` on the light is at `level`."""

    at: MomentText = Bounds(description="hh:mm local time, S or R (sunset, sunrise), or with minutes: S+30, R-20")
    level: Annotated[int, Bounds(ge=0, le=100)]


class ActivePeriod(Input):
    """The part of the night or day in which the program rules."""

    start: MomentText
    end: MomentText


class ControlProgram(Input):
    """A named list of switch points."""

    name: ProgramName
    active_period: ActivePeriod | None = None
    fade_s: Annotated[int, Bounds(ge=0, le=limits.FADE_MAX_S)] = 0
    off_when_inactive: bool = False
    switch_points: Annotated[list[SwitchPoint], Bounds(min_length=1, max_length=limits.STEPS)]


class DateRange(Input):
    """yyyy-mm-dd, or --mm-dd for every year; `end` left out is the start."""

    start: DateText
    end: DateText | None = None


class CalendarRule(Input):
    """On which dates which program; the first rule that matches decides."""

    program: ProgramName
    type: Literal["night", "day"] = "night"
    ranges: Annotated[list[DateRange], Bounds(max_length=limits.DATE_RANGES)] = []
    date_rule: Annotated[str, StringConstraints(max_length=100)] = "* * *"


class ScheduleContent(Input):
    """Calendar and programs."""

    programs: Annotated[list[ControlProgram], Bounds(min_length=1, max_length=limits.PROGRAMS)]
    calendar: Annotated[list[CalendarRule], Bounds(min_length=1, max_length=limits.CALENDAR_RULES)]

    @model_validator(mode="after")
    def _names_meet(self) -> Self:
        names = [program.name for program in self.programs]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two programs are called {', '.join(sorted(twice))}: names must differ")
        for position, rule in enumerate(self.calendar):
            if rule.program not in names:
                raise ValueError(f"calendar.{position}.program: there is no program {rule.program!r}")
        return self


class ScheduleInput(ScheduleContent):
    """A new schedule, or all of an old one."""

    name: Name
    description: Notes = ""


class SchedulePublic(BaseModel):
    """A schedule with the number of its lamps by status."""

    id: int
    name: str
    description: str
    version: int
    programs: list[ControlProgram]
    calendar: list[CalendarRule]
    created_at: UtcOut
    updated_at: UtcOut
    lamps: dict[Status, int]


class AssignmentInput(Input):
    """Lamps and zones that get this schedule; one that has another changes over."""

    lamp_ids: Annotated[list[RowId], Bounds(max_length=10_000)] = []
    zone_ids: Annotated[list[RowId], Bounds(max_length=1000)] = []


class AssignmentPublic(BaseModel):
    """Who has the schedule by assignment, and how many lamps that makes."""

    lamp_ids: list[int]
    zone_ids: list[int]
    lamps: int


class LampSchedulePublic(BaseModel):
    """What a lamp should hold and does hold. `verified` only when the lamp answered with the same digest."""

    lamp_id: int
    endpoint: str
    schedule_id: int | None
    version: int | None
    status: Status
    digest_desired: str
    digest_reported: str | None
    sent_at: UtcOut | None
    verified_at: UtcOut | None
    detail: str


class LampScheduleQuery(PageQuery):
    """Filter of a schedule's lamps."""

    status: Status | None = None


class PreviewQuery(Input):
    """A night (local noon to noon) that begins on `date`, at a lamp's place or at any other."""

    date: date
    lamp_id: RowId | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: TimeZoneName | None = None

    @model_validator(mode="after")
    def _a_place(self) -> Self:
        place = (self.latitude, self.longitude, self.time_zone)
        if self.lamp_id is None and None in place:
            raise ValueError("name a lamp_id, or latitude, longitude and time_zone")
        if self.lamp_id is not None and place != (None, None, None):
            raise ValueError("name a lamp_id or a place, not both")
        return self


class PreviewInput(ScheduleContent):
    """A schedule that is not stored, to be looked at."""


class Segment(BaseModel):
    """A stretch of the night with the level reached at the end of its fade. Null: the default level."""

    start: UtcOut
    end: UtcOut
    level: int | None
    program: str | None
    words: str


class Preview(BaseModel):
    """A night as the lamps will play it, by the same engine."""

    start: UtcOut
    end: UtcOut
    sunset: UtcOut | None
    sunrise: UtcOut | None
    segments: list[Segment]
