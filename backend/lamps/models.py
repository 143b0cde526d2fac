"""Tables of the lamps: what a person enters (`Lamp`) and what the lamp last said (`LampState`).

The inventory's times are true UTC, those of reports lighting time (`backend.clock`).
"""

from typing import Optional

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, SmallInteger, String, Text, text
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis


class Lamp(SQLModel, table=True):
    """One controller with its light: one LwM2M endpoint. Never deleted: `retired_at_ms` keeps its history."""

    __tablename__ = "lamp"
    __table_args__ = (
        Index("ix_lamp_feeder", "feeder"),
        Index("ix_lamp_street", "street"),
        Index("ix_lamp_asset", "asset_id"),
    )

    id: Optional[int] = Field(default=None, sa_column=Column(Id, primary_key=True))
    endpoint: str = Field(sa_column=Column(String(190), unique=True, nullable=False))
    name: str = Field(sa_column=Column(String(120), nullable=False))
    asset_id: str = Field(default="", sa_column=Column(String(120), nullable=False))
    """The city's own number for the luminaire or pole: it stays when the controller is swapped."""
    serial: str = Field(default="", sa_column=Column(String(120), nullable=False, server_default=text("''")))
    """The maker's number of the controller."""
    latitude_e6: int = Field(sa_column=Column(Integer, nullable=False))
    longitude_e6: int = Field(sa_column=Column(Integer, nullable=False))
    time_zone: str = Field(sa_column=Column(String(64), nullable=False))
    """IANA name: schedules are local time."""
    street: str = Field(default="", sa_column=Column(String(120), nullable=False))
    feeder: str = Field(default="", sa_column=Column(String(120), nullable=False))
    cabinet: str = Field(default="", sa_column=Column(String(120), nullable=False))
    nominal_power_w: Optional[float] = Field(default=None, sa_column=Column(Float))
    control_type: Optional[int] = Field(default=None, sa_column=Column(SmallInteger))
    """As in resource 3416/0/35 of the registry: 10 is 0-10 V, 11 is PWM, 7 is DALI LED."""
    notes: str = Field(default="", sa_column=Column(Text, nullable=False))
    created_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    updated_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    provisioned_at_ms: Optional[int] = Field(default=None, sa_column=Column(Millis))
    """When the tool wrote this controller's identity to its chip."""
    enrolled_at_ms: Optional[int] = Field(default=None, sa_column=Column(Millis))
    """When its keys came into force; NULL again when they are revoked."""
    commissioned_at_ms: Optional[int] = Field(default=None, sa_column=Column(Millis))
    """When this controller registered first with its keys."""
    retired_at_ms: Optional[int] = Field(default=None, sa_column=Column(Millis))


class LampState(SQLModel, table=True):
    """The newest value of each measurement, written by the ingestor in the transaction of the report.

    A column is NULL until the lamp reports it. `times` holds the time of each column's value, so that an old report
    that waited in the lamp's queue overwrites nothing newer.
    """

    __tablename__ = "lamp_state"

    lamp_id: int = Field(sa_column=Column(Id, ForeignKey("lamp.id"), primary_key=True, autoincrement=False))
    reported_at_ms: Optional[int] = Field(default=None, sa_column=Column(Millis))
    """When the last report arrived, lighting time."""
    level: Optional[int] = Field(default=None, sa_column=Column(SmallInteger))
    """Dimming level measured on the lamp, 0..100 (3416/0/3)."""
    command: Optional[int] = Field(default=None, sa_column=Column(SmallInteger))
    command_in_action: Optional[int] = Field(default=None, sa_column=Column(SmallInteger))
    override_active: Optional[bool] = Field(default=None)
    rung: Optional[str] = Field(default=None, sa_column=Column(String(32)))
    """override, schedule, default or failsafe."""
    explanation: Optional[str] = Field(default=None, sa_column=Column(String(255)))
    until_ms: Optional[int] = Field(default=None, sa_column=Column(Millis))
    safety_floor: Optional[int] = Field(default=None, sa_column=Column(SmallInteger))
    """The level below which the lamp never is by night, from its provisioning (42769/0/18): 0 is none."""
    digest_reported: Optional[str] = Field(default=None, sa_column=Column(String(64)))
    """Digest of the schedule that the lamp holds."""
    fault_count: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    """Open faults; kept by the faults domain through `lamps.service.set_fault_counts`."""
    voltage_v: Optional[float] = Field(default=None, sa_column=Column(Float))
    current_a: Optional[float] = Field(default=None, sa_column=Column(Float))
    power_w: Optional[float] = Field(default=None, sa_column=Column(Float))
    power_factor: Optional[float] = Field(default=None, sa_column=Column(Float))
    energy_wh: Optional[float] = Field(default=None, sa_column=Column(Float))
    temperature_c: Optional[float] = Field(default=None, sa_column=Column(Float))
    operating_hours: Optional[float] = Field(default=None, sa_column=Column(Float))
    switch_count: Optional[int] = Field(default=None, sa_column=Column(Millis))
    boot_count: Optional[int] = Field(default=None, sa_column=Column(Millis))
    reset_cause: Optional[str] = Field(default=None, sa_column=Column(String(32)))
    clock_error_ms: Optional[int] = Field(default=None, sa_column=Column(Millis))
    reports_waiting: Optional[int] = Field(default=None, sa_column=Column(Millis))
    reports_dropped: Optional[int] = Field(default=None, sa_column=Column(Millis))
    times: Optional[dict[str, int]] = Field(default=None, sa_column=Column(JSON))
    """Column name to ms UTC of its value."""
