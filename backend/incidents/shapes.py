"""The shapes of incidents in requests and answers."""

from typing import Literal

from pydantic import BaseModel
from pydantic import Field as Described

from backend.faults.shapes import NotePublic
from backend.incidents.correlation import Cause, Scope
from backend.kit.fields import RowId, Text
from backend.kit.pages import PageQuery
from backend.kit.times import UtcIn, UtcOut


class IncidentPublic(BaseModel):
    """An incident, its likely cause and what to do."""

    id: int
    cause: Cause
    scope: Scope
    name: str
    state: Literal["open", "acknowledged", "ended"]
    opened_at: UtcOut
    ended_at: UtcOut | None
    lost_after: UtcOut
    """The members were lost between this and the next, true time."""
    lost_before: UtcOut
    members: int
    missing: int
    """Members that were not heard again yet."""
    of_lamps: int
    merged_into: int | None
    acknowledged_at: UtcOut | None
    acknowledged_by: str | None
    meaning: str
    advice: str


class MemberPublic(BaseModel):
    """A lamp that was lost in the incident."""

    lamp_id: int
    endpoint: str
    lamp_name: str
    feeder: str
    cabinet: str
    joined_at: UtcOut
    returned_at: UtcOut | None


class IncidentDetail(IncidentPublic):
    """The same with its notes and its first members, by lamp; GET /incidents/{id}/members has them all."""

    notes: list[NotePublic]
    lamps: list[MemberPublic]


class IncidentQuery(PageQuery):
    """Filters of the list; newest first."""

    state: Literal["open", "acknowledged", "ended", "all"] = "open"
    cause: Cause | None = None
    lamp_id: RowId | None = None
    feeder: Text | None = Described(None, description="Incidents with a member on this feeder.")
    cabinet: Text | None = Described(None, description="Incidents with a member of this cabinet.")
    since: UtcIn | None = Described(None, description="Opened at this time or later.")
    until: UtcIn | None = Described(None, description="Opened before this time.")


class MemberQuery(PageQuery):
    """Filter of an incident's members; by lamp."""

    missing: bool | None = None
