"""Faults for people: list, count, acknowledge, clear, assign, take notes, history."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection
from sqlmodel import Session

from backend.errors import BadInput, Conflict, NotFound
from backend.faults import ingest, repository
from backend.faults.models import Fault, FaultNote
from backend.faults.shapes import (
    FaultCounts,
    FaultFilter,
    FaultPublic,
    FaultQuery,
    NotePublic,
    TransitionPublic,
    ZoneCount,
)
from backend.kit.pages import Page, PageQuery
from backend.lamps import service as lamps
from backend.zones import service as zones
from contract import faults as catalogue

LOST: int = catalogue.COMMUNICATION_LOST.code


def name_of(code: int) -> str:
    """`lamp failure` -> `lamp_failure`: the fault's word in the API."""
    name: str = catalogue.get(code).name
    return name.replace(" ", "_")


CODES = {name_of(fault.code): fault.code for fault in catalogue.ALL}


def listed(session: Session, query: FaultQuery) -> Page[FaultPublic]:
    """A page of faults, newest first. Raises BadInput for a name that is no fault, NotFound for an unknown zone."""
    return page(session, query, query)


def page(session: Session, filters: FaultFilter, where: PageQuery) -> Page[FaultPublic]:
    """The same, with the filters apart from the page."""
    rows, cursor = repository.page(session, check_filter(session, filters), where)
    return Page(items=_publics(session, rows), next_cursor=cursor)


def check_filter(session: Session, filters: FaultFilter) -> list[ColumnElement[bool]]:
    """The filters as conditions. Raises BadInput or NotFound, so that nothing is begun with a wrong one."""
    code = None
    if filters.name is not None:
        code = CODES.get(filters.name)
        if code is None:
            raise BadInput.of("name", f"no such fault; choose one of {', '.join(sorted(CODES))}")
    if filters.since is not None and filters.until is not None and filters.since >= filters.until:
        raise BadInput.of("until", "the range is empty: until lies at or before since")
    members = None if filters.zone_id is None else zones.effective_members(session, filters.zone_id)
    return repository.matching(filters, code, members)


def counts(session: Session, filters: FaultFilter) -> FaultCounts:
    """How many faults there are, by severity, by name and by zone."""
    by_lamp: dict[int, int] = {}
    by_name: dict[str, int] = {}
    by_severity: dict[str, int] = {}
    for lamp_id, code, severity, number in repository.tally(session, check_filter(session, filters)):
        by_lamp[lamp_id] = by_lamp.get(lamp_id, 0) + number
        by_name[name_of(code)] = by_name.get(name_of(code), 0) + number
        by_severity[severity] = by_severity.get(severity, 0) + number
    return FaultCounts(
        total=sum(by_lamp.values()),
        by_severity=by_severity,
        by_name=dict(sorted(by_name.items())),
        by_zone=_by_zone(session, by_lamp),
    )


def _by_zone(session: Session, by_lamp: dict[int, int]) -> list[ZoneCount]:
    parents = zones.parents(session)
    found: dict[int, int] = {}
    for lamp_id, own in zones.memberships(session, sorted(by_lamp)).items():
        around: set[int] = set()
        for zone_id in own:
            zone: int | None = zone_id
            while zone is not None and zone not in around:
                around.add(zone)
                zone = parents.get(zone)
        for zone_id in around:
            found[zone_id] = found.get(zone_id, 0) + by_lamp[lamp_id]
    return [
        ZoneCount(zone_id=zone_id, zone=zones.get(session, zone_id).name, faults=found[zone_id])
        for zone_id in sorted(found)
    ]


def get(session: Session, fault_id: int) -> FaultPublic:
    return _public(session, _find(session, fault_id, for_change=False))


def acknowledge(session: Session, fault_id: int, note: str, by: str, now_ms: int) -> FaultPublic:
    """A person has seen it. Raises Conflict when somebody else was first."""
    row = _find(session, fault_id, for_change=True)
    fault: Fault = row[0]
    if fault.acknowledged_at_ms is not None:
        raise Conflict(f"{fault.acknowledged_by} has acknowledged this fault already.", "Nothing is left to do.")
    fault.acknowledged_at_ms, fault.acknowledged_by = now_ms, by
    session.add(fault)
    _note(session, fault, note, by, now_ms)
    return _public(session, row)


def clear(session: Session, fault_id: int, note: str, by: str, now_ms: int) -> FaultPublic:
    """A person says that it is over. The lamp raises it again if it is not. Raises Conflict when it is cleared."""
    row = _find(session, fault_id, for_change=True)
    fault: Fault = row[0]
    if fault.cleared_at_ms is not None:
        raise Conflict("This fault is cleared already.", "Nothing is left to do.")
    _note(session, fault, note, by, now_ms)
    session.flush()
    # After the last transition that is known, which a lamp's clock may have put into the future.
    at_ms = max(now_ms, fault.changed_at_ms + (not fault.active))
    ingest.apply(session.connection(), fault.lamp_id, fault.code, at_ms, False, now_ms, by)
    ingest.count(session.connection(), {fault.lamp_id})
    session.refresh(fault)
    return _public(session, row)


def assign(session: Session, fault_id: int, to: str | None, due_ms: int | None, by: str, now_ms: int) -> FaultPublic:
    """Give it to a person, until a time; None takes it away. Raises Conflict for a fault that is over, BadInput for a
    time that has passed."""
    row = _find(session, fault_id, for_change=True)
    fault: Fault = row[0]
    if fault.cleared_at_ms is not None:
        raise Conflict("This fault is cleared: there is nothing left to do about it.", "Nothing is left to do.")
    if due_ms is not None and due_ms <= now_ms:
        raise BadInput.of("due_at", "this time has passed already")
    fault.assigned_to, fault.due_at_ms = to, due_ms
    fault.assigned_by = None if to is None else by
    session.add(fault)
    session.flush()
    return _public(session, row)


def add_note(session: Session, fault_id: int, text: str, by: str, now_ms: int) -> FaultPublic:
    """Remember something about it, also after it is over."""
    row = _find(session, fault_id, for_change=True)
    _note(session, row[0], text, by, now_ms)
    return _public(session, row)


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


def lost_lamps(connection: Connection) -> set[int]:
    """Lamps that count as lost at this moment."""
    return repository.active_lamps(connection, LOST)


def set_incident(connection: Connection, lamp_ids: Sequence[int], incident_id: int | None) -> None:
    """Make the losses of these lamps part of an incident, or of none."""
    repository.set_incident(connection, LOST, lamp_ids, incident_id)


def _find(session: Session, fault_id: int, for_change: bool) -> Any:
    row = repository.find(session, fault_id, for_change)
    if row is None:
        raise NotFound(f"There is no fault {fault_id}.")
    return row


def _note(session: Session, fault: Fault, text: str, by: str, now_ms: int) -> None:
    if text:
        assert fault.id is not None
        repository.add_note(session, FaultNote(fault_id=fault.id, at_ms=now_ms, author=by, text=text))


def _state(fault: Fault) -> Literal["open", "acknowledged", "cleared"]:
    if fault.cleared_at_ms is not None:
        return "cleared"
    return "open" if fault.acknowledged_at_ms is None else "acknowledged"


def _public(session: Session, row: Any) -> FaultPublic:
    return _publics(session, [row])[0]


def _publics(session: Session, rows: Sequence[Any]) -> list[FaultPublic]:
    notes = repository.notes(session, [row[0].id for row in rows])
    found = []
    for row in rows:
        fault, lamp = row[0], row[1]
        kind = catalogue.get(fault.code)
        found.append(
            FaultPublic(
                id=fault.id,
                lamp_id=fault.lamp_id,
                endpoint=lamp.endpoint,
                lamp_name=lamp.name,
                feeder=lamp.feeder,
                cabinet=lamp.cabinet,
                code=fault.code,
                name=name_of(fault.code),
                severity=fault.severity,
                state=_state(fault),
                raised_at=fault.raised_at_ms,
                cleared_at=fault.cleared_at_ms,
                cleared_by=fault.cleared_by,
                active=fault.active,
                changed_at=fault.changed_at_ms,
                flapping=fault.flapping,
                times_raised=fault.times_raised,
                acknowledged_at=fault.acknowledged_at_ms,
                acknowledged_by=fault.acknowledged_by,
                assigned_to=fault.assigned_to,
                assigned_by=fault.assigned_by,
                due_at=fault.due_at_ms,
                incident_id=fault.incident_id,
                notes=[NotePublic.model_validate(note) for note in notes.get(fault.id, [])],
                meaning=kind.meaning,
                advice=kind.advice,
            )
        )
    return found
