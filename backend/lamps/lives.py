"""How far a controller has come: from the maker's list to its first word, and to its end.

Each step has its time in the lamp's row; the last one that has one counts. `made` has no column: a lamp is made when it
is created. Keys that are revoked take `enrolled` and `commissioned` back, another controller `provisioned` too.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlmodel import col

from backend.lamps.models import Lamp


class Life(StrEnum):
    MADE = "made"
    PROVISIONED = "provisioned"
    ENROLLED = "enrolled"
    COMMISSIONED = "commissioned"
    RETIRED = "retired"


_COLUMNS: tuple[tuple[Life, Any], ...] = (
    (Life.RETIRED, col(Lamp.retired_at_ms)),
    (Life.COMMISSIONED, col(Lamp.commissioned_at_ms)),
    (Life.ENROLLED, col(Lamp.enrolled_at_ms)),
    (Life.PROVISIONED, col(Lamp.provisioned_at_ms)),
)


def life_of(lamp: Lamp) -> Life:
    """The life of a lamp, from its times."""
    for life, column in _COLUMNS:
        if getattr(lamp, column.key) is not None:
            return life
    return Life.MADE


def has_life(wanted: Life) -> ColumnElement[bool]:
    """The same rule for the database."""
    conditions: list[ColumnElement[bool]] = []
    for life, column in _COLUMNS:
        if life is wanted:
            return and_(column.is_not(None), *conditions)
        conditions.append(column.is_(None))
    return and_(*conditions)
