"""Faults over HTTP: list, count and export, acknowledge, clear, assign, take notes, and a lamp's history."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from backend.access.guard import Operator
from backend.audit import service as audit
from backend.db import Reading, Writing
from backend.faults import export, service
from backend.faults.shapes import (
    Answer,
    AssignmentInput,
    ExportFilter,
    FaultCounts,
    FaultFilter,
    FaultPublic,
    FaultQuery,
    NoteInput,
    TransitionPublic,
)
from backend.kit.fields import PathId
from backend.kit.pages import Page, PageQuery

router = APIRouter(tags=["faults"])


@router.get("/faults")
def list_faults(session: Reading, query: Annotated[FaultQuery, Query()]) -> Page[FaultPublic]:
    """Faults, newest first; those that are open unless `state` asks for others."""
    return service.listed(session, query)


@router.get("/faults/counts")
def count_faults(session: Reading, query: Annotated[FaultFilter, Query()]) -> FaultCounts:
    """How many faults the filters hold, by severity, by name and by zone; a lamp of several zones counts in each."""
    return service.counts(session, query)


@router.get("/faults/export.csv", response_class=StreamingResponse)
def export_faults(request: Request, session: Reading, query: Annotated[ExportFilter, Query()]) -> StreamingResponse:
    """The history as comma-separated values in UTF-8 (RFC 4180), newest first: every fault, open and past, unless the
    filters ask for less. Times are UTC. Text that a spreadsheet would run as a formula begins with an apostrophe."""
    service.check_filter(session, query)
    return StreamingResponse(
        export.stream(request.app.state.database, query),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="faults.csv"'},
    )


@router.get("/faults/{fault_id}")
def get_fault(session: Reading, fault_id: PathId) -> FaultPublic:
    """One fault, with its notes."""
    return service.get(session, fault_id)


@router.post("/faults/{fault_id}/acknowledge")
def acknowledge(session: Writing, request: Request, actor: Operator, fault_id: PathId, answer: Answer) -> FaultPublic:
    """Say that you have seen it; it stays open until the lamp, or a person, clears it."""
    audit.note(session, "fault", fault_id, "acknowledged")
    return service.acknowledge(session, fault_id, answer.note, actor.name, request.app.state.clock.now_ms())


@router.post("/faults/{fault_id}/clear")
def clear(session: Writing, request: Request, actor: Operator, fault_id: PathId, answer: Answer) -> FaultPublic:
    """Close it by hand; the lamp raises it again if it is not over."""
    audit.note(session, "fault", fault_id, "cleared")
    return service.clear(session, fault_id, answer.note, actor.name, request.app.state.clock.now_ms())


@router.post("/faults/{fault_id}/notes", status_code=201)
def add_note(session: Writing, request: Request, actor: Operator, fault_id: PathId, body: NoteInput) -> FaultPublic:
    """Add a note, with your name and the time; notes are never changed."""
    audit.note(session, "fault", fault_id, "note")
    return service.add_note(session, fault_id, body.text, actor.name, request.app.state.clock.now_ms())


@router.put("/faults/{fault_id}/assignment")
def assign(session: Writing, request: Request, actor: Operator, fault_id: PathId, body: AssignmentInput) -> FaultPublic:
    """Say who sees to it and until when; what was said before is replaced."""
    audit.note(session, "fault", fault_id, f"assigned to {body.assigned_to}")
    now_ms = request.app.state.clock.now_ms()
    return service.assign(session, fault_id, body.assigned_to, body.due_at, actor.name, now_ms)


@router.delete("/faults/{fault_id}/assignment")
def unassign(session: Writing, request: Request, actor: Operator, fault_id: PathId) -> FaultPublic:
    """Nobody in particular sees to it any more."""
    audit.note(session, "fault", fault_id, "assigned to nobody")
    return service.assign(session, fault_id, None, None, actor.name, request.app.state.clock.now_ms())


@router.get("/lamps/{lamp_id}/faults/history")
def history(session: Reading, lamp_id: PathId, query: Annotated[PageQuery, Query()]) -> Page[TransitionPublic]:
    """Every transition that a lamp reported, newest first."""
    return service.history(session, lamp_id, query)
