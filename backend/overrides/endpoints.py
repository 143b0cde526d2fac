"""Overrides over HTTP: ask, list, read, outcomes by lamp, cancel."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Request

from backend.access.guard import Operator
from backend.audit import service as audit
from backend.db import Reading, Writing
from backend.kit.fields import PathId
from backend.kit.pages import Page
from backend.overrides import service
from backend.overrides.models import (
    CommandPublic,
    OutcomeQuery,
    OverrideCreate,
    OverridePublic,
    OverrideQuery,
)

router = APIRouter(prefix="/overrides", tags=["overrides"])


@router.post("", status_code=201)
def create(
    session: Writing, request: Request, background: BackgroundTasks, actor: Operator, body: OverrideCreate
) -> OverridePublic:
    """Override a lamp or a zone. Accepted is durable: an absent lamp gets it when it returns, unless it has ended."""
    override, lamp_ids = service.create(session, body, actor.name, request.app.state.clock.now_ms())
    audit.note(session, "override", override.id, f"level {override.level} for {len(lamp_ids)} lamps: {override.reason}")
    # After the answer, and so after the commit: the worker reads it in a transaction of its own.
    background.add_task(request.app.state.overrides.wake, lamp_ids)
    return override


@router.get("")
def list_overrides(
    session: Reading, request: Request, query: Annotated[OverrideQuery, Query()]
) -> Page[OverridePublic]:
    """Overrides, newest first."""
    return service.listed(session, query, request.app.state.clock.now_ms())


@router.get("/{override_id}")
def get(session: Reading, override_id: PathId) -> OverridePublic:
    """One override, with the number of its lamps in each state."""
    return service.get(session, override_id)


@router.get("/{override_id}/outcomes")
def outcomes(session: Reading, override_id: PathId, query: Annotated[OutcomeQuery, Query()]) -> Page[CommandPublic]:
    """What became of it at each lamp, with the time of each step."""
    return service.outcomes(session, override_id, query)


@router.delete("/{override_id}")
def cancel(
    session: Writing, request: Request, background: BackgroundTasks, actor: Operator, override_id: PathId
) -> OverridePublic:
    """End it before its time."""
    override, lamp_ids = service.cancel(session, override_id, actor.name, request.app.state.clock.now_ms())
    audit.note(session, "override", override_id, "cancelled")
    background.add_task(request.app.state.overrides.wake, lamp_ids)
    return override
