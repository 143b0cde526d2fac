"""The shapes of lamps in requests and answers: degrees outside, micro-degrees inside."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backend.device_server.models import Registration
from backend.kit.fields import (
    Input,
    Latitude,
    Longitude,
    Name,
    Notes,
    RowId,
    Text,
    TimeZoneName,
    degrees,
    micro_degrees,
)
from backend.kit.pages import PageQuery
from backend.kit.times import UtcOut
from backend.lamps.liveness import Status, status
from backend.lamps.lives import Life, life_of
from backend.lamps.models import Lamp, LampState
from backend.lamps.repository import LampRow

Endpoint = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:;~+\-]*$")]
"""The LwM2M endpoint name, for example urn:dev:mac:0024befffe804ff1 (RFC 9039)."""
Label = Annotated[Text, StringConstraints(max_length=120)]
Power = Annotated[float, Field(gt=0, le=100_000)]
ControlType = Annotated[int, Field(ge=0, le=13)]


class LampPatch(Input):
    """What may change; a field that is left out stays."""

    name: Name | None = None
    asset_id: Label | None = Field(None, description="The city's number for it; stays when the controller is swapped.")
    serial: Label | None = Field(None, description="The maker's number of the controller.")
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: TimeZoneName | None = Field(None, description="IANA name, for example Asia/Ho_Chi_Minh.")
    street: Label | None = None
    feeder: Label | None = None
    cabinet: Label | None = None
    nominal_power_w: Power | None = Field(None, description="Power at level 100; null when it is not known.")
    control_type: ControlType | None = Field(None, description="Registry 3416/35: 10 is 0-10 V, 11 PWM, 7 DALI LED.")
    notes: Notes | None = None

    @model_validator(mode="after")
    def _nulls(self) -> Self:
        for name in self.model_fields_set:
            if getattr(self, name) is None and name not in {"nominal_power_w", "control_type"}:
                raise ValueError(f"{name} cannot be null; leave it out to keep it")
        return self

    def columns(self) -> dict[str, Any]:
        """The given fields as columns of `Lamp`."""
        given = self.model_dump(exclude_unset=True, include=set(LampPatch.model_fields))
        for name in ("latitude", "longitude"):
            if name in given:
                given[f"{name}_e6"] = micro_degrees(given.pop(name))
        return given


class LampCreate(LampPatch):
    """A new lamp. Its place and time zone are needed: sunset and local time come from them."""

    endpoint: Endpoint
    latitude: Latitude
    longitude: Longitude
    time_zone: TimeZoneName = Field(description="IANA name, for example Asia/Ho_Chi_Minh.")

    def columns(self) -> dict[str, Any]:
        return {"name": self.endpoint} | super().columns() | {"endpoint": self.endpoint}


class LampQuery(PageQuery):
    zone_id: RowId | None = Field(None, description="Lamps of this zone and of the zones within it.")
    endpoint: Text | None = None
    street: Text | None = None
    feeder: Text | None = None
    cabinet: Text | None = None
    q: Text | None = Field(None, description="Part of the name, endpoint, asset id or street, in any case.")
    life: Life | None = Field(None, description="retired: as retired=true.")
    status: Status | None = None
    has_fault: bool | None = None
    retired: bool = Field(False, description="true: the retired lamps instead of those in service.")
    sort: Text = Field("id", description="id, name or endpoint; with - in front descending.")


class LampStatePublic(BaseModel):
    """What the lamp last said; null: never said. Times are lighting time."""

    model_config = ConfigDict(from_attributes=True)

    reported_at: UtcOut | None = Field(validation_alias="reported_at_ms")
    level: int | None
    command: int | None
    command_in_action: int | None
    override_active: bool | None
    rung: str | None
    explanation: str | None
    until: UtcOut | None = Field(validation_alias="until_ms")
    safety_floor: int | None = Field(description="Least level by night; only provisioning sets it. 0: none.")
    digest_reported: str | None
    fault_count: int
    voltage_v: float | None
    current_a: float | None
    power_w: float | None
    power_factor: float | None
    energy_wh: float | None
    temperature_c: float | None
    operating_hours: float | None
    switch_count: int | None
    boot_count: int | None
    reset_cause: str | None
    clock_error_ms: int | None
    reports_waiting: int | None
    reports_dropped: int | None


_TURNED = {name for name in Lamp.model_fields if name.endswith(("_e6", "_at_ms"))}


class LampPublic(BaseModel):
    """A lamp, how far its controller has come, whether it is there, and its last known state.

    The endpoint of a lamp that is only made may be `made:` and a number, until its controller is known.
    """

    id: int
    endpoint: str
    name: str
    asset_id: str
    serial: str
    latitude: float
    longitude: float
    time_zone: str
    street: str
    feeder: str
    cabinet: str
    nominal_power_w: float | None
    control_type: int | None
    notes: str
    created_at: UtcOut
    updated_at: UtcOut
    life: Life
    provisioned_at: UtcOut | None = Field(description="The controller got its identity.")
    enrolled_at: UtcOut | None = Field(description="Its keys came into force; null when they are revoked.")
    commissioned_at: UtcOut | None = Field(description="It registered first with these keys.")
    retired_at: UtcOut | None
    status: Status
    last_heard_at: UtcOut | None
    lifetime_s: int | None
    state: LampStatePublic | None

    @classmethod
    def of(cls, row: LampRow, now_real_ms: int) -> Self:
        """`now_real_ms` decides the status."""
        lamp, heard = row.lamp, row.registration
        known = _liveness(heard, now_real_ms)
        return cls(
            **lamp.model_dump(exclude=_TURNED),
            created_at=lamp.created_at_ms,
            updated_at=lamp.updated_at_ms,
            life=life_of(lamp),
            provisioned_at=lamp.provisioned_at_ms,
            enrolled_at=lamp.enrolled_at_ms,
            commissioned_at=lamp.commissioned_at_ms,
            retired_at=lamp.retired_at_ms,
            latitude=degrees(lamp.latitude_e6),
            longitude=degrees(lamp.longitude_e6),
            state=None if row.state is None else _state(row.state),
            **known,
        )


def _liveness(heard: Registration | None, now_real_ms: int) -> dict[str, Any]:
    if heard is None:
        return {"status": Status.NEVER, "last_heard_at": None, "lifetime_s": None}
    return {
        "status": status(heard.last_heard_real_ms, heard.lifetime_s, heard.active, now_real_ms),
        "last_heard_at": heard.last_heard_real_ms,
        "lifetime_s": heard.lifetime_s,
    }


def _state(state: LampState) -> LampStatePublic:
    return LampStatePublic.model_validate(state)
