"""Tables and shapes of faults.

A *transition* is what was reported: (lamp, code, at, raised), stored once however often it is sent. A *fault* is the
episode between a raise and its clear, with what people said about it. Open means not cleared; acknowledged means that
a person has seen it; neither closes the other.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Text
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis
from backend.kit.fields import Input, RowId
from backend.kit.pages import PageQuery
from backend.kit.times import UtcOut

Severity = Literal["info", "minor", "major", "critical"]
State = Literal["open", "acknowledged", "cleared", "all"]


class FaultTransition(SQLModel, table=True):
    """What was said, word for word: the evidence behind a fault."""

    __tablename__ = "fault_transition"

    lamp_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    code: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at_ms: int = Field(sa_column=Column(Millis, primary_key=True, autoincrement=False))
    raised: bool = Field(sa_column=Column(Boolean, primary_key=True))
    received_ms: int = Field(sa_column=Column(Millis, nullable=False))
    said_by: str | None = Field(default=None, sa_column=Column(String(120)))
    """The person who closed the fault by hand; null: the lamp, or its silence."""


class Fault(SQLModel, table=True):
    """One episode of one fault at one lamp."""

    __tablename__ = "fault"
    __table_args__ = (
        Index("ix_fault_lamp_code", "lamp_id", "code", "raised_at_ms", unique=True),
        Index("ix_fault_open", "cleared_at_ms"),
    )

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    lamp_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    code: int
    severity: str = Field(sa_column=Column(String(10), nullable=False))
    raised_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    cleared_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    cleared_by: str | None = Field(default=None, sa_column=Column(String(120)))
    """The person who closed it by hand; null: the lamp did."""
    acknowledged_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    acknowledged_by: str | None = Field(default=None, sa_column=Column(String(120)))
    note: str = Field(default="", sa_column=Column(Text, nullable=False))


class FaultPublic(BaseModel):
    """A fault as the API shows it, with what it means and what to do."""

    id: int
    lamp_id: int
    endpoint: str
    lamp_name: str
    code: int
    name: str
    severity: Severity
    state: Literal["open", "acknowledged", "cleared"]
    raised_at: UtcOut
    cleared_at: UtcOut | None
    cleared_by: str | None
    acknowledged_at: UtcOut | None
    acknowledged_by: str | None
    note: str
    meaning: str
    advice: str


class TransitionPublic(BaseModel):
    """One transition of the history."""

    code: int
    name: str
    at: UtcOut
    raised: bool
    received_at: UtcOut


class FaultQuery(PageQuery):
    """Filters of the list of faults; newest first."""

    state: State = "open"
    lamp_id: RowId | None = None
    zone_id: RowId | None = None
    name: Annotated[str, StringConstraints(max_length=60)] | None = None
    severity: Severity | None = None


class Answer(Input):
    """What a person says when acknowledging or clearing a fault."""

    note: Annotated[str, StringConstraints(max_length=2000)] = ""
