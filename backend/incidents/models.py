"""Tables of incidents. Their shapes over HTTP are in `shapes`.

Times for people are lighting time, like those of faults; `*_real_ms` are true time, in which silence is measured.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Text
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis


class Incident(SQLModel, table=True):
    """Lamps that were lost together."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_ended", "ended_at_ms"),)

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    cause: str = Field(sa_column=Column(String(10), nullable=False))
    scope: str = Field(sa_column=Column(String(10), nullable=False))
    name: str = Field(sa_column=Column(String(120), nullable=False))
    """Of the feeder or cabinet; empty for all."""
    of_lamps: int
    """How many lamps the scope had that could be lost."""
    opened_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    ended_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    from_real_ms: int = Field(sa_column=Column(Millis, nullable=False))
    to_real_ms: int = Field(sa_column=Column(Millis, nullable=False))
    """The members were lost between these two."""
    merged_into: int | None = Field(default=None, sa_column=Column(BigInteger))
    acknowledged_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    acknowledged_by: str | None = Field(default=None, sa_column=Column(String(120)))


class IncidentMember(SQLModel, table=True):
    """A lamp that was lost in an incident."""

    __tablename__ = "incident_member"

    incident_id: int = Field(sa_column=Column(BigInteger, ForeignKey("incident.id"), primary_key=True))
    lamp_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False, index=True))
    joined_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    returned_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    """When it was heard again; null: not yet."""


class IncidentNote(SQLModel, table=True):
    """What a person said about an incident, when. Notes are added, never changed."""

    __tablename__ = "incident_note"

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    incident_id: int = Field(sa_column=Column(BigInteger, ForeignKey("incident.id"), nullable=False, index=True))
    at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    author: str = Field(sa_column=Column(String(120), nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))


class LampLoss(SQLModel, table=True):
    """Between which moments of real time a lamp was lost that is lost now; kept, because a restart forgets it."""

    __tablename__ = "lamp_loss"

    lamp_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    from_real_ms: int = Field(sa_column=Column(Millis, nullable=False))
    to_real_ms: int = Field(sa_column=Column(Millis, nullable=False))
