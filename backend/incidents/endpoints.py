"""Incidents over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from backend.access.guard import Operator
from backend.audit import service as audit
from backend.db import Reading, Writing
from backend.faults.shapes import Answer, NoteInput
from backend.incidents import service
from backend.incidents.shapes import (
    IncidentDetail,
    IncidentPublic,
    IncidentQuery,
    MemberPublic,
    MemberQuery,
)
from backend.kit.fields import PathId
from backend.kit.pages import Page

router = APIRouter(prefix="/incidents", tags=["incidents"])


@router.get("")
def list_incidents(session: Reading, query: Annotated[IncidentQuery, Query()]) -> Page[IncidentPublic]:
    """Incidents, newest first; those that are open unless `state` asks for others."""
    return service.listed(session, query)


@router.get("/{incident_id}")
def get_incident(session: Reading, incident_id: PathId) -> IncidentDetail:
    """One incident, with its notes and its first 1000 members."""
    return service.get(session, incident_id)


@router.get("/{incident_id}/members")
def list_members(session: Reading, incident_id: PathId, query: Annotated[MemberQuery, Query()]) -> Page[MemberPublic]:
    """The lamps that were lost in it, by page; `missing` asks for those that are still lost."""
    return service.members(session, incident_id, query)


@router.post("/{incident_id}/acknowledge")
def acknowledge_incident(
    session: Writing, request: Request, actor: Operator, incident_id: PathId, answer: Answer
) -> IncidentDetail:
    """Say that you have seen it; it stays open until (nearly) all of its lamps are heard again."""
    audit.note(session, "incident", incident_id, "acknowledged")
    return service.acknowledge(session, incident_id, answer.note, actor.name, request.app.state.clock.now_ms())


@router.post("/{incident_id}/notes", status_code=201)
def add_incident_note(
    session: Writing, request: Request, actor: Operator, incident_id: PathId, body: NoteInput
) -> IncidentDetail:
    """Add a note, with your name and the time; notes are never changed."""
    audit.note(session, "incident", incident_id, "note")
    return service.add_note(session, incident_id, body.text, actor.name, request.app.state.clock.now_ms())
