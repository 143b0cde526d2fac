"""Tables of schedules.

A *schedule* is what an operator wrote (TALQ's shape, see `shapes`). An *assignment* gives it to a lamp or to a zone.
The *desired* row of a lamp is what follows for it: the digest of the schedule compiled for its place, and how far it
got there.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, ForeignKey, String, Text
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis


class Status(StrEnum):
    """How far a lamp's schedule is: waiting to be sent, answered with the same digest, or refused by the lamp."""

    PENDING = "pending"
    VERIFIED = "verified"
    REFUSED = "refused"


class Schedule(SQLModel, table=True):
    """A named calendar with its programs."""

    __tablename__ = "schedule"

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    name: str = Field(sa_column=Column(String(120), unique=True, nullable=False))
    description: str = Field(default="", sa_column=Column(Text, nullable=False))
    version: int = 1
    """Counts the changes of its content; a lamp's row says which one it holds."""
    document: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_ms: int = Field(sa_column=Column(Millis, nullable=False))
    updated_ms: int = Field(sa_column=Column(Millis, nullable=False))


class Assignment(SQLModel, table=True):
    """A schedule for a lamp, or for a zone and the zones within it. A lamp or zone has at most one."""

    __tablename__ = "schedule_assignment"
    __table_args__ = (CheckConstraint("(lamp_id IS NULL) <> (zone_id IS NULL)", name="ck_assignment_one_target"),)

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    schedule_id: int = Field(sa_column=Column(BigInteger, ForeignKey("schedule.id"), nullable=False, index=True))
    lamp_id: int | None = Field(default=None, sa_column=Column(BigInteger, ForeignKey("lamp.id"), unique=True))
    zone_id: int | None = Field(
        default=None, sa_column=Column(BigInteger, ForeignKey("zone.id", ondelete="CASCADE"), unique=True)
    )


class DesiredSchedule(SQLModel, table=True):
    """What a lamp should hold. It stays when the lamp loses its assignment: then it must hold no schedule."""

    __tablename__ = "desired_schedule"

    lamp_id: int = Field(sa_column=Column(BigInteger, ForeignKey("lamp.id"), primary_key=True, autoincrement=False))
    schedule_id: int | None = Field(default=None, sa_column=Column(BigInteger, index=True))
    version: int | None = None
    digest: str = Field(sa_column=Column(String(16), nullable=False))
    status: str = Field(sa_column=Column(String(10), nullable=False, index=True))
    detail: str = Field(default="", sa_column=Column(Text, nullable=False))
    """The lamp's own words when it refused, or why it is not verified yet."""
    sent_ms: int | None = Field(default=None, sa_column=Column(Millis))
    verified_ms: int | None = Field(default=None, sa_column=Column(Millis))
