"""Zones: sets of lamps that may hold other zones. A lamp may be in many."""

from typing import Optional

from sqlalchemy import Column, ForeignKey, Index, String, Text
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis


class Zone(SQLModel, table=True):
    """`parent_id`: the zone that this one is part of; there are no cycles."""

    __tablename__ = "zone"
    __table_args__ = (Index("ix_zone_parent", "parent_id"),)

    id: Optional[int] = Field(default=None, sa_column=Column(Id, primary_key=True))
    name: str = Field(sa_column=Column(String(120), unique=True, nullable=False))
    description: str = Field(default="", sa_column=Column(Text, nullable=False))
    parent_id: Optional[int] = Field(default=None, sa_column=Column(Id, ForeignKey("zone.id")))
    created_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    updated_at_ms: int = Field(sa_column=Column(Millis, nullable=False))


class ZoneMember(SQLModel, table=True):
    """A lamp that is a member by itself, not through a zone within."""

    __tablename__ = "zone_member"
    __table_args__ = (Index("ix_zone_member_lamp", "lamp_id"),)

    zone_id: int = Field(
        sa_column=Column(Id, ForeignKey("zone.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    )
    lamp_id: int = Field(sa_column=Column(Id, ForeignKey("lamp.id"), primary_key=True, autoincrement=False))
