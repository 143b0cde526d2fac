"""The readings' table and their public shape.

The key is (at, lamp): natural, so that a report sent twice is stored once, and in order of time, so that writes append.
A reading is what the lamp said at a moment; its state now lives in the lamps domain.
"""

from pydantic import BaseModel
from sqlalchemy import BigInteger, Column, Index, String
from sqlmodel import Field, SQLModel

from backend.db import Millis
from backend.kit.times import UtcOut


class Reading(SQLModel, table=True):
    """One lamp at one moment; a value that the lamp did not send is null."""

    __tablename__ = "reading"
    __table_args__ = (Index("ix_reading_lamp_at", "lamp_id", "at_ms"), {"sqlite_with_rowid": False})

    at_ms: int = Field(sa_column=Column(Millis, primary_key=True, autoincrement=False))
    lamp_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    level: int | None = None
    command_in_action: int | None = None
    rung: str | None = Field(default=None, sa_column=Column(String(32)))
    voltage_v: float | None = None
    current_a: float | None = None
    power_w: float | None = None
    power_factor: float | None = None
    energy_wh: float | None = None
    operating_hours: float | None = None
    temperature_c: float | None = None


class ReadingPublic(BaseModel):
    """A reading as the API shows it."""

    at: UtcOut
    level: int | None
    command_in_action: int | None
    rung: str | None
    voltage_v: float | None
    current_a: float | None
    power_w: float | None
    power_factor: float | None
    energy_wh: float | None
    operating_hours: float | None
    temperature_c: float | None
