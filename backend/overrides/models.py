"""Tables and shapes of overrides.

An *override* is what an operator asked for; a *command* is its fate at one lamp, with the time of each step:

    accepted -> sent -> received -> executed          the good way; each step is durable before the next
    accepted -> expired                               the lamp stayed away until the end
    sent     -> accepted                              no answer in time, or 5.xx: it waits for the next check-in
    sent     -> refused                               the lamp said no; `detail` has its words
    executed                                          `detail` has the lamp's words when its safety floor holds it
    any but executed/expired/refused -> superseded    a newer override of the same lamp took its place
    received, executed -> accepted                    another controller hangs there and holds nothing
    accepted -> cancelled; received, executed -> cancelling -> cancelled
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, model_validator
from pydantic import Field as Bounds
from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Text
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis
from backend.kit.fields import Input, RowId
from backend.kit.fields import Name as Line
from backend.kit.pages import PageQuery
from backend.kit.times import UtcIn, UtcOut
from contract import levels, limits

LONGEST_S: int = limits.OVERRIDE_MAX_S


class CommandState(StrEnum):
    ACCEPTED = "accepted"
    SENT = "sent"
    RECEIVED = "received"
    EXECUTED = "executed"
    EXPIRED = "expired"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


WAITING = (CommandState.ACCEPTED, CommandState.SENT, CommandState.CANCELLING)
"""States in which the lamp still has to hear something from us."""
HELD = (CommandState.RECEIVED, CommandState.EXECUTED)
"""States in which the lamp holds the override."""


def held_words(explanation: object) -> str:
    """What `detail` says of an override that a lamp executes: its own words when its safety floor holds it, else ""."""
    return explanation if isinstance(explanation, str) and levels.HELD in explanation else ""


class Override(SQLModel, table=True):
    """What was asked for."""

    __tablename__ = "override"

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    lamp_id: int | None = Field(default=None, sa_column=Column(BigInteger, ForeignKey("lamp.id"), index=True))
    zone_id: int | None = Field(default=None, sa_column=Column(BigInteger, index=True))
    """The zone as it was then: its members are frozen in the commands."""
    level: int
    fade_ms: int
    start_ms: int = Field(sa_column=Column(Millis, nullable=False))
    end_ms: int = Field(sa_column=Column(Millis, nullable=False, index=True))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    created_by: str = Field(sa_column=Column(String(120), nullable=False))
    created_ms: int = Field(sa_column=Column(Millis, nullable=False))
    cancelled_ms: int | None = Field(default=None, sa_column=Column(Millis))
    cancelled_by: str | None = Field(default=None, sa_column=Column(String(120)))


class OverrideCommand(SQLModel, table=True):
    """What became of an override at one lamp."""

    __tablename__ = "override_command"
    __table_args__ = (
        Index("ix_override_command_lamp_state", "lamp_id", "state"),
        Index("ix_override_command_override", "override_id", "lamp_id", unique=True),
    )

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    override_id: int = Field(sa_column=Column(BigInteger, ForeignKey("override.id"), nullable=False))
    lamp_id: int = Field(sa_column=Column(BigInteger, ForeignKey("lamp.id"), nullable=False))
    state: str = Field(sa_column=Column(String(12), nullable=False))
    accepted_ms: int = Field(sa_column=Column(Millis, nullable=False))
    sent_ms: int | None = Field(default=None, sa_column=Column(Millis))
    received_ms: int | None = Field(default=None, sa_column=Column(Millis))
    executed_ms: int | None = Field(default=None, sa_column=Column(Millis))
    ended_ms: int | None = Field(default=None, sa_column=Column(Millis))
    detail: str = Field(default="", sa_column=Column(Text, nullable=False))


class OverrideCreate(Input):
    """One of `lamp_id` and `zone_id`; `end` or `duration_s` (neither: two hours); `start` left out means now."""

    lamp_id: RowId | None = None
    zone_id: RowId | None = None
    level: Annotated[int, Bounds(ge=0, le=100)]
    fade_s: Annotated[float, Bounds(ge=0, le=3600)] = 0.0
    start: UtcIn | None = None
    end: UtcIn | None = None
    duration_s: Annotated[int, Bounds(ge=1, le=LONGEST_S)] | None = None
    reason: Line

    @model_validator(mode="after")
    def _one_target_one_end(self) -> Self:
        if (self.lamp_id is None) == (self.zone_id is None):
            raise ValueError("name either lamp_id or zone_id")
        if self.end is not None and self.duration_s is not None:
            raise ValueError("give end or duration_s, not both")
        return self


class OverridePublic(BaseModel):
    """An override with the number of its lamps in each state."""

    id: int
    lamp_id: int | None
    zone_id: int | None
    level: int
    fade_s: float
    start: UtcOut
    end: UtcOut
    reason: str
    created_by: str
    created_at: UtcOut
    cancelled_at: UtcOut | None
    cancelled_by: str | None
    outcomes: dict[CommandState, int]


class CommandPublic(BaseModel):
    """The fate of an override at one lamp."""

    lamp_id: int
    endpoint: str
    state: CommandState
    accepted_at: UtcOut
    sent_at: UtcOut | None
    received_at: UtcOut | None
    executed_at: UtcOut | None
    ended_at: UtcOut | None
    detail: str
    """Why it was refused; of an executed one, the lamp's words when its safety floor holds the light up."""


class OverrideQuery(PageQuery):
    """Filters of the list; newest first."""

    lamp_id: RowId | None = None
    zone_id: RowId | None = None
    active: bool | None = None
    """True: neither cancelled nor past its end."""


class OutcomeQuery(PageQuery):
    """Filter of an override's outcomes; by lamp."""

    state: CommandState | None = None
