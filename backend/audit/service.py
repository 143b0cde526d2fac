"""Writing the trail, in the transaction of the change itself.

`record_request` runs before every commit of a request that writes, so that no endpoint can forget it; a service adds
what only it knows with `note`.
"""

from typing import Any

from fastapi import Request
from sqlmodel import Session

from backend.access.service import Actor
from backend.audit import repository
from backend.audit.models import AuditEntry
from backend.kit.pages import PageQuery

_NOTE = "audit_note"
COMMAND_LINE = "command line"


def note(session: Session, kind: str, key: object, detail: str = "") -> None:
    """Say what this transaction changes, `note(session, "lamp", 12, "name, feeder")`; the first note counts."""
    session.info.setdefault(_NOTE, (f"{kind}:{key}"[:120], detail[:300]))


def record_request(session: Session, request: Request) -> None:
    """Append the entry of this request; called at the edge, before the commit."""
    actor: Actor = request.state.actor
    target, detail = session.info.pop(_NOTE, ("", ""))
    repository.append(
        session,
        AuditEntry(
            at_ms=request.app.state.clock.real_ms(),
            token_id=actor.token_id,
            actor=actor.name,
            role=actor.role,
            method=request.method,
            path=request.url.path[:300],
            object=target,
            detail=detail,
        ),
    )


def record_command(session: Session, now_ms: int, command: str, target: str, detail: str = "") -> None:
    """Append the entry of a command of the command line, where the operating system knows who it was."""
    repository.append(
        session,
        AuditEntry(
            at_ms=now_ms,
            actor=COMMAND_LINE,
            role="admin",
            method="CLI",
            path=command[:300],
            object=target[:120],
            detail=detail[:300],
        ),
    )


def list_entries(
    session: Session, query: PageQuery, actor: str | None, target: str | None, since_ms: int | None
) -> tuple[list[Any], str | None]:
    """One page, newest first, and the cursor of the next."""
    return repository.list_entries(session, query, actor, target, since_ms)
