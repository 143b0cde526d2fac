"""The shapes of feeders in requests and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints
from pydantic import Field as Described

from backend.kit.fields import Input, Name, Text
from backend.kit.pages import PageQuery
from backend.kit.times import UtcOut
from contract import limits

Moment = Annotated[str, StringConstraints(min_length=1, max_length=8)]


class SupplyHours(Input):
    """On these dates the feeder is on from `start` to `end`."""

    start: Moment = Described(description="hh:mm local time, or sunset and sunrise: S, R, S-15, R+15.")
    end: Moment
    type: Literal["night", "day"] = Described(
        "night", description="night: the date's noon to the next noon; day: its midnight to midnight."
    )
    date_rule: Annotated[str, StringConstraints(max_length=100)] = Described(
        "* * *", description="Day of the month, month, weekday: * * 1-5 is Monday to Friday."
    )


class SupplyInput(Input):
    """When a feeder is on; everything else is planned switch-off."""

    feeder: Name
    hours: Annotated[list[SupplyHours], Described(min_length=1, max_length=limits.PROGRAMS)]


class FeederName(BaseModel):
    feeder: Name


class FeederQuery(PageQuery):
    """Filters of the list; by name."""

    feeder: Text | None = None
    cabinet: Text | None = None
    planned: bool | None = Described(None, description="true: only feeders with planned hours; false: only others.")


class SupplyPublic(BaseModel):
    """Planned hours, and what they say for this moment."""

    hours: list[SupplyHours]
    on: bool
    since: UtcOut | None
    """When this began; null when it is more than 36 hours ago."""
    until: UtcOut | None
    updated_at: UtcOut
    updated_by: str


class FeederPublic(BaseModel):
    """A feeder with the states of its lamps in service."""

    feeder: str
    cabinets: list[str]
    lamps: int
    online: int
    offline: int
    never: int
    faults: int
    """Open faults of its lamps."""
    supply: SupplyPublic | None
    """null: always on."""
