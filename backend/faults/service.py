"""Faults for people: list, read, acknowledge, clear, history."""

from typing import Any, Literal

from sqlmodel import Session

from backend.errors import BadInput, Conflict, NotFound
from backend.faults import ingest, repository
from backend.faults.models import Fault, FaultPublic, FaultQuery, TransitionPublic
from backend.kit.pages import Page, PageQuery
from backend.lamps import service as lamps
from backend.zones import service as zones
from contract import faults as catalogue


def name_of(code: int) -> str:
    """`lamp failure` -> `lamp_failure`: the fault's word in the API."""
    name: str = catalogue.get(code).name
    return name.replace(" ", "_")


CODES = {name_of(fault.code): fault.code for fault in catalogue.ALL}


def listed(session: Session, query: FaultQuery) -> Page[FaultPublic]:
    """A page of faults, newest first. Raises BadInput for a name that is no fault, NotFound for an unknown zone."""
    code = None
    if query.name is not None:
        code = CODES.get(query.name)
        if code is None:
            raise BadInput.of("name", f"no such fault; choose one of {', '.join(sorted(CODES))}")
    members = None if query.zone_id is None else zones.effective_members(session, query.zone_id)
    rows, cursor = repository.page(session, query, code, members)
    return Page(items=[_public(row) for row in rows], next_cursor=cursor)


def get(session: Session, fault_id: int) -> FaultPublic:
    return _public(_find(session, fault_id, for_change=False))


def acknowledge(session: Session, fault_id: int, note: str, by: str, now_ms: int) -> FaultPublic:
    """A person has seen it. Raises Conflict when somebody else was first."""
    row = _find(session, fault_id, for_change=True)
    fault: Fault = row[0]
    if fault.acknowledged_at_ms is not None:
        raise Conflict(f"{fault.acknowledged_by} has acknowledged this fault already.", "Nothing is left to do.")
    fault.acknowledged_at_ms, fault.acknowledged_by = now_ms, by
    _note(fault, note, by)
    session.add(fault)
    return _public(row)


def clear(session: Session, fault_id: int, note: str, by: str, now_ms: int) -> FaultPublic:
    """A person says that it is over. The lamp raises it again if it is not. Raises Conflict when it is cleared."""
    row = _find(session, fault_id, for_change=True)
    fault: Fault = row[0]
    if fault.cleared_at_ms is not None:
        raise Conflict("This fault is cleared already.", "Nothing is left to do.")
    _note(fault, note, by)
    session.add(fault)
    session.flush()
    at_ms = max(now_ms, fault.raised_at_ms)
    ingest.apply(session.connection(), fault.lamp_id, fault.code, at_ms, False, now_ms, by)
    ingest.count(session.connection(), {fault.lamp_id})
    session.refresh(fault)
    return _public(row)


def history(session: Session, lamp_id: int, query: PageQuery) -> Page[TransitionPublic]:
    """What a lamp reported, newest first. Raises NotFound for an unknown lamp."""
    lamps.get(session, lamp_id)
    rows, cursor = repository.transitions(session, lamp_id, query)
    items = [
        TransitionPublic(
            code=row[0].code,
            name=name_of(row[0].code),
            at=row[0].at_ms,
            raised=row[0].raised,
            received_at=row[0].received_ms,
        )
        for row in rows
    ]
    return Page(items=items, next_cursor=cursor)


def _find(session: Session, fault_id: int, for_change: bool) -> Any:
    row = repository.find(session, fault_id, for_change)
    if row is None:
        raise NotFound(f"There is no fault {fault_id}.")
    return row


def _note(fault: Fault, note: str, by: str) -> None:
    if note:
        fault.note = f"{fault.note}\n{by}: {note}".strip()


def _state(fault: Fault) -> Literal["open", "acknowledged", "cleared"]:
    if fault.cleared_at_ms is not None:
        return "cleared"
    return "open" if fault.acknowledged_at_ms is None else "acknowledged"


def _public(row: Any) -> FaultPublic:
    fault, endpoint, lamp_name = row[0], row[1], row[2]
    kind = catalogue.get(fault.code)
    return FaultPublic(
        id=fault.id,
        lamp_id=fault.lamp_id,
        endpoint=endpoint,
        lamp_name=lamp_name,
        code=fault.code,
        name=name_of(fault.code),
        severity=fault.severity,
        state=_state(fault),
        raised_at=fault.raised_at_ms,
        cleared_at=fault.cleared_at_ms,
        cleared_by=fault.cleared_by,
        acknowledged_at=fault.acknowledged_at_ms,
        acknowledged_by=fault.acknowledged_by,
        note=fault.note,
        meaning=kind.meaning,
        advice=kind.advice,
    )
