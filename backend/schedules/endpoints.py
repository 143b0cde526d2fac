"""Schedules over HTTP: write, assign, preview, see how far each lamp is."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from backend.access.guard import Operator
from backend.db import Reading, Writing
from backend.kit.fields import PathId
from backend.kit.pages import Page, PageQuery
from backend.schedules import preview, service
from backend.schedules.shapes import (
    AssignmentInput,
    AssignmentPublic,
    LampSchedulePublic,
    LampScheduleQuery,
    Preview,
    PreviewInput,
    PreviewQuery,
    ScheduleInput,
    SchedulePublic,
)

router = APIRouter(tags=["schedules"])


@router.post("/schedules", status_code=201)
def create(session: Writing, request: Request, actor: Operator, body: ScheduleInput) -> SchedulePublic:
    """Store a schedule; nothing is sent before it is assigned."""
    return service.create(session, body, request.app.state.clock.now_ms())


@router.get("/schedules")
def list_schedules(session: Reading, query: Annotated[PageQuery, Query()]) -> Page[SchedulePublic]:
    """Schedules by name, with the number of their lamps by status."""
    return service.listed(session, query)


@router.post("/schedules/preview")
def preview_unsaved(
    session: Reading, request: Request, query: Annotated[PreviewQuery, Query()], body: PreviewInput
) -> Preview:
    """A night of a schedule that is not stored."""
    document = body.model_dump(mode="json")
    place = preview.place_of(session, query)
    return preview.night(document, place, query.date, request.app.state.clock.now_ms())


@router.get("/schedules/{schedule_id}")
def get(session: Reading, schedule_id: PathId) -> SchedulePublic:
    """One schedule."""
    return service.public(session, schedule_id)


@router.put("/schedules/{schedule_id}")
def replace(
    session: Writing, request: Request, actor: Operator, schedule_id: PathId, body: ScheduleInput
) -> SchedulePublic:
    """Change all of it; every lamp that has it gets the new version and must verify it."""
    return service.replace(session, schedule_id, body, request.app.state.clock.now_ms())


@router.delete("/schedules/{schedule_id}", status_code=204)
def delete(session: Writing, request: Request, actor: Operator, schedule_id: PathId) -> Response:
    """Remove it; its lamps fall back to another assignment, or to their default level."""
    service.delete(session, schedule_id, request.app.state.clock.now_ms())
    return Response(status_code=204)


@router.get("/schedules/{schedule_id}/assignments")
def assigned(session: Reading, schedule_id: PathId) -> AssignmentPublic:
    """Lamps and zones that have it."""
    return service.assigned(session, schedule_id)


@router.post("/schedules/{schedule_id}/assignments")
def assign(
    session: Writing, request: Request, actor: Operator, schedule_id: PathId, body: AssignmentInput
) -> AssignmentPublic:
    """Give it to lamps and zones; a lamp's own assignment goes before that of its innermost zone."""
    return service.assign(session, schedule_id, body, request.app.state.clock.now_ms())


@router.delete("/schedules/{schedule_id}/assignments")
def unassign(
    session: Writing, request: Request, actor: Operator, schedule_id: PathId, body: AssignmentInput
) -> AssignmentPublic:
    """Take it from lamps and zones."""
    return service.unassign(session, schedule_id, body, request.app.state.clock.now_ms())


@router.get("/schedules/{schedule_id}/lamps")
def lamps_of(
    session: Reading, schedule_id: PathId, query: Annotated[LampScheduleQuery, Query()]
) -> Page[LampSchedulePublic]:
    """How far each of its lamps is."""
    return service.lamps_of(session, schedule_id, query)


@router.get("/schedules/{schedule_id}/preview")
def preview_stored(
    session: Reading, request: Request, schedule_id: PathId, query: Annotated[PreviewQuery, Query()]
) -> Preview:
    """A night as the lamps will play it, at a lamp's place or any other."""
    document = service.get(session, schedule_id).document
    place = preview.place_of(session, query)
    return preview.night(document, place, query.date, request.app.state.clock.now_ms())


@router.get("/lamps/{lamp_id}/schedule")
def of_lamp(session: Reading, lamp_id: PathId) -> LampSchedulePublic:
    """What a lamp should hold, and what it does."""
    return service.of_lamp(session, lamp_id)
