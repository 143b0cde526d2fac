"""Faults over HTTP: list and read, acknowledge, clear, and a lamp's history."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from backend.access.guard import Operator
from backend.audit import service as audit
from backend.db import Reading, Writing
from backend.faults import service
from backend.faults.models import Answer, FaultPublic, FaultQuery, TransitionPublic
from backend.kit.fields import PathId
from backend.kit.pages import Page, PageQuery

router = APIRouter(tags=["faults"])


@router.get("/faults")
def list_faults(session: Reading, query: Annotated[FaultQuery, Query()]) -> Page[FaultPublic]:
    """Faults, newest first; those that are open unless `state` asks for others."""
    return service.listed(session, query)


@router.get("/faults/{fault_id}")
def get_fault(session: Reading, fault_id: PathId) -> FaultPublic:
    """One fault."""
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


@router.get("/lamps/{lamp_id}/faults/history")
def history(session: Reading, lamp_id: PathId, query: Annotated[PageQuery, Query()]) -> Page[TransitionPublic]:
    """Every transition that a lamp reported, newest first."""
    return service.history(session, lamp_id, query)
