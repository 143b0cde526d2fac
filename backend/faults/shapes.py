"""The shapes of faults in requests and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic import Field as Described

from backend.kit.fields import Input, Name, RowId, Text
from backend.kit.pages import PageQuery
from backend.kit.times import UtcIn, UtcOut

Severity = Literal["info", "minor", "major", "critical"]
State = Literal["open", "acknowledged", "cleared", "all"]
NoteText = Annotated[str, StringConstraints(max_length=2000)]


class NotePublic(BaseModel):
    """What a person said, when (lighting time)."""

    model_config = ConfigDict(from_attributes=True)

    at: UtcOut = Described(validation_alias="at_ms")
    author: str
    text: str


class FaultPublic(BaseModel):
    """A fault as the API shows it, with what it means and what to do."""

    id: int
    lamp_id: int
    endpoint: str
    lamp_name: str
    feeder: str
    cabinet: str
    code: int
    name: str
    severity: Severity
    state: Literal["open", "acknowledged", "cleared"]
    raised_at: UtcOut
    cleared_at: UtcOut | None
    cleared_by: str | None
    active: bool
    changed_at: UtcOut
    flapping: bool
    times_raised: int
    acknowledged_at: UtcOut | None
    acknowledged_by: str | None
    assigned_to: str | None
    assigned_by: str | None
    due_at: UtcOut | None
    incident_id: int | None
    notes: list[NotePublic]
    meaning: str
    advice: str


class TransitionPublic(BaseModel):
    """One transition of the history."""

    code: int
    name: str
    at: UtcOut
    raised: bool
    received_at: UtcOut


class FaultFilter(BaseModel):
    """Which faults: every filter that is given must hold. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    state: State = "open"
    lamp_id: RowId | None = None
    zone_id: RowId | None = Described(None, description="Lamps of this zone and of the zones within it.")
    feeder: Text | None = None
    cabinet: Text | None = None
    name: Text | None = Described(None, description="The fault's word, for example lamp_failure.")
    severity: Severity | None = None
    assigned_to: Text | None = None
    flapping: bool | None = None
    since: UtcIn | None = Described(None, description="Raised at this time or later.")
    until: UtcIn | None = Described(None, description="Raised before this time.")
    incidents: Literal["show", "collapse"] = Described(
        "show", description="collapse: leave out the faults that are part of an incident."
    )


class FaultQuery(FaultFilter, PageQuery):
    """Filters of the list of faults; newest first."""


class ExportFilter(FaultFilter):
    """Filters of the export: everything unless `state` asks for less."""

    state: State = "all"


class ZoneCount(BaseModel):
    """Faults of a zone's lamps, those of the zones within it included."""

    zone_id: int
    zone: str
    faults: int


class FaultCounts(BaseModel):
    """How many faults the filters hold; a severity, name or zone without any is left out."""

    total: int
    by_severity: dict[Severity, int]
    by_name: dict[str, int]
    by_zone: list[ZoneCount]


class Answer(Input):
    """What a person says when acknowledging or clearing a fault."""

    note: NoteText = ""


class NoteInput(Input):
    """Something to remember about a fault."""

    text: Annotated[NoteText, StringConstraints(min_length=1)]


class AssignmentInput(Input):
    """Who sees to it, until when."""

    assigned_to: Name
    due_at: UtcIn | None = None
