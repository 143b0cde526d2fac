"""Feeders over HTTP. A feeder's name is any text, so that it travels in the query and the body, never in the path."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from backend.access.guard import Operator
from backend.db import Reading, Writing
from backend.feeders import service
from backend.feeders.shapes import FeederName, FeederPublic, FeederQuery, SupplyInput
from backend.kit.pages import Page

router = APIRouter(prefix="/feeders", tags=["feeders"])


@router.get("")
def list_feeders(session: Reading, request: Request, query: Annotated[FeederQuery, Query()]) -> Page[FeederPublic]:
    """Feeders by name, with the states of their lamps and their planned hours; `feeder` finds one."""
    clock = request.app.state.clock
    return service.listed(session, query, clock.now_ms(), clock.real_ms())


@router.put("/supply")
def plan_supply(session: Writing, request: Request, actor: Operator, body: SupplyInput) -> FeederPublic:
    """Say when a feeder is on, in local time or by the sun. A lamp's silence outside these hours is no fault; from the
    return on it has its lifetime to be heard again. Replaces what was planned; the watch follows within a minute."""
    clock = request.app.state.clock
    return service.plan(session, body, actor.name, clock.now_ms(), clock.real_ms())


@router.delete("/supply", status_code=204)
def unplan_supply(session: Writing, actor: Operator, query: Annotated[FeederName, Query()]) -> Response:
    """The feeder has no planned hours any more: it is always on."""
    service.unplan(session, query.feeder)
    return Response(status_code=204)
