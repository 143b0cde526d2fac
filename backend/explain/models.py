"""The shapes of an explanation. There is no table: everything is known elsewhere."""

from typing import Literal

from pydantic import BaseModel

from backend.kit.times import UtcOut

Rung = Literal["override", "schedule", "default"]


class Said(BaseModel):
    """What the lamp last said, word for word; `at` is when it said it. Null: it never did."""

    at: UtcOut | None
    rung: str | None
    level: int | None
    """Its command in action: what its rung asks for."""
    level_now: int | None
    """The level of its light, fades and limits included."""
    words: str | None
    until: UtcOut | None
    """Null: open, or never said."""


class Expected(BaseModel):
    """What the backend's engine, the same as the lamp's, says for this moment."""

    rung: Rung
    level: int | None
    """What the rung asks for; null: the lamp's own default level, which only the lamp knows."""
    level_now: int | None
    """The same with the schedule's fade."""
    words: str
    program: str | None
    rule: int | None
    """Position of the calendar rule that matched, from 1."""
    schedule_id: int | None
    version: int | None
    override_id: int | None
    source: str
    """Who wanted it, in words."""
    since: UtcOut | None
    """Null: more than 36 hours ago."""
    until: UtcOut | None
    """Null: open, or more than 36 hours on."""


class Explanation(BaseModel):
    """Both, and whether they agree; when they do not, what may be the reason, the likeliest first."""

    lamp_id: int
    at: UtcOut
    said: Said
    expected: Expected
    agrees: bool | None
    """Null: the lamp has not said anything yet."""
    differences: list[str]
    reasons: list[str]
