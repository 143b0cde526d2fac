"""Tables of faults. Their shapes over HTTP are in `shapes`.

A *transition* is what was reported: (lamp, code, at, raised), stored once however often it is sent. A *fault* is the
episode between a raise and its clear, or a flapping run of them (`episodes`), with what people said about it. Open
means not cleared; acknowledged means that a person has seen it; neither closes the other.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Text
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis


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
        Index("ix_fault_active", "code", "active"),
    )

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    lamp_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    code: int
    severity: str = Field(sa_column=Column(String(10), nullable=False))
    raised_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    cleared_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    cleared_by: str | None = Field(default=None, sa_column=Column(String(120)))
    """The person who closed it by hand; null: the lamp did."""
    active: bool
    """The last word was a raise; false in a flapping fault that is open because it is not calm yet."""
    changed_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    """When it was last raised or cleared."""
    times_raised: int
    """More than one only in a flapping fault."""
    flapping: bool
    acknowledged_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    acknowledged_by: str | None = Field(default=None, sa_column=Column(String(120)))
    assigned_to: str | None = Field(default=None, sa_column=Column(String(120), index=True))
    assigned_by: str | None = Field(default=None, sa_column=Column(String(120)))
    due_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    incident_id: int | None = Field(default=None, sa_column=Column(BigInteger, index=True))
    """The incident that it is a part of (backend.incidents)."""


class FaultNote(SQLModel, table=True):
    """What a person said about a fault, when. Notes are added, never changed."""

    __tablename__ = "fault_note"

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    fault_id: int = Field(sa_column=Column(BigInteger, ForeignKey("fault.id"), nullable=False, index=True))
    at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    author: str = Field(sa_column=Column(String(120), nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
