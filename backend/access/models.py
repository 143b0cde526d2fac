"""API tokens. Only a hash is kept; the token itself is shown once, when it is made."""

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, LargeBinary, String
from sqlmodel import Field, SQLModel

import backend.zones.models  # noqa: F401  # the table that `city_id` names: `streetlight token` loads nothing else
from backend.db import Id, Millis
from backend.zones.models import Zone

# The table and not its name: the command line loads nothing but this module, and a name alone would not be found.
_ZONES = Zone.__table__  # type: ignore[attr-defined]


class Role(StrEnum):
    """Each may do what those before it may: see, switch and plan, put lamps into service, administer."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    TECHNICIAN = "technician"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


class Token(SQLModel, table=True):
    """`prefix` finds the row, `digest` (SHA-256 of the whole token) proves it. All times are real ms UTC."""

    __tablename__ = "access_token"

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    name: str = Field(sa_column=Column(String(120), nullable=False))
    role: str = Field(sa_column=Column(String(20), nullable=False))
    prefix: str = Field(sa_column=Column(String(16), unique=True, nullable=False))
    digest: bytes = Field(repr=False, sa_column=Column(LargeBinary(32), nullable=False))
    city_id: int | None = Field(
        default=None, sa_column=Column(Id, ForeignKey(_ZONES.c.id, ondelete="CASCADE", name="fk_access_token_city"))
    )
    """The top-level zone that it is limited to; it ends with that zone."""
    created_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    expires_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    revoked_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
    last_used_at_ms: int | None = Field(default=None, sa_column=Column(Millis))
