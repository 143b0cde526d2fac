"""What is planned for a feeder. The feeder itself is a name on its lamps; only what is planned needs a row."""

from typing import Any

from sqlalchemy import JSON, Column, String
from sqlmodel import Field, SQLModel

from backend.db import Millis


class FeederPlan(SQLModel, table=True):
    """The hours in which a feeder is planned to be on; a feeder without a row always is."""

    __tablename__ = "feeder_plan"

    feeder: str = Field(sa_column=Column(String(120), primary_key=True))
    hours: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    updated_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    updated_by: str = Field(sa_column=Column(String(120), nullable=False))
