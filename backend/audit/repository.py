"""The trail in the database: append and list, nothing else."""

from typing import Any

from sqlmodel import Session, col, select

from backend.audit.models import AuditEntry
from backend.kit import pages


def append(session: Session, entry: AuditEntry) -> None:
    session.add(entry)


def list_entries(
    session: Session, query: pages.PageQuery, actor: str | None, target: str | None, since_ms: int | None
) -> tuple[list[Any], str | None]:
    """Newest first."""
    statement = select(AuditEntry)
    if actor is not None:
        statement = statement.where(AuditEntry.actor == actor)
    if target is not None:
        statement = statement.where(AuditEntry.object == target)
    if since_ms is not None:
        statement = statement.where(col(AuditEntry.at_ms) >= since_ms)
    return pages.fetch(session, statement, (col(AuditEntry.id),), query, descending=True)
