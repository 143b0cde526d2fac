"""One row for each change that somebody made. The database refuses to change or delete one (migration 0002)."""

from sqlalchemy import Column, Index, String
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis


class AuditEntry(SQLModel, table=True):
    """The token's name and role are copied: they must stay true when the token is gone."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_object", "object", "id"), Index("ix_audit_entry_at", "at_ms"))

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    token_id: int | None = Field(default=None, sa_column=Column(Millis))
    """None for what was done on the command line."""
    actor: str = Field(sa_column=Column(String(120), nullable=False))
    role: str = Field(sa_column=Column(String(20), nullable=False))
    method: str = Field(sa_column=Column(String(10), nullable=False))
    path: str = Field(sa_column=Column(String(300), nullable=False))
    object: str = Field(sa_column=Column(String(120), nullable=False))
    """`lamp:12`, or empty."""
    detail: str = Field(sa_column=Column(String(300), nullable=False))
    """What changed, in words; never a secret."""
