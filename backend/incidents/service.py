"""Incidents for people: list, read, acknowledge, take notes."""

from typing import Any, Literal

from sqlmodel import Session

from backend.errors import Conflict, NotFound
from backend.faults.shapes import NotePublic
from backend.incidents import repository
from backend.incidents.correlation import Cause, Scope
from backend.incidents.models import Incident, IncidentNote
from backend.incidents.shapes import (
    IncidentDetail,
    IncidentPublic,
    IncidentQuery,
    MemberPublic,
    MemberQuery,
)
from backend.kit.pages import LARGEST_LIMIT, Page

_MEANINGS = {
    (Cause.SUPPLY, Scope.FEEDER): "{members} of {of} lamps of feeder {name} were lost together.",
    (Cause.SUPPLY, Scope.CABINET): "{members} of {of} lamps of cabinet {name} were lost together.",
    (Cause.SUPPLY, Scope.ALL): "{members} of {of} lamps were lost together, by whole feeders and cabinets.",
    (Cause.NETWORK, Scope.CABINET): "{members} of {of} lamps of cabinet {name} were lost together, across its feeders.",
    (Cause.NETWORK, Scope.ALL): "{members} of {of} lamps were lost together, across feeders and cabinets.",
    (Cause.BACKEND, Scope.ALL): "Nearly all lamps fell silent together; {members} are missed so far.",
}
_ADVICE = {
    (Cause.SUPPLY, Scope.FEEDER): "Check the feeder's fuse and contactor; if only a part is lost, a phase or the cable "
    "after the last lamp that is heard. A switch-off that is planned belongs into the feeder's hours.",
    (Cause.SUPPLY, Scope.CABINET): "Check the cabinet's main switch, and the grid before it.",
    (Cause.SUPPLY, Scope.ALL): "Ask the grid's operator; the cabinets have lost their supply together.",
    (Cause.NETWORK, Scope.CABINET): "Check the access points and gateways around the cabinet: no feeder explains it.",
    (Cause.NETWORK, Scope.ALL): "Check the network between the street and the backend: no feeder explains it.",
    (Cause.BACKEND, Scope.ALL): "Check the backend's own network, firewall and UDP port first, then whether the whole "
    "town has lost its supply. No lamp's fault is raised; the lamps light by themselves.",
}


def listed(session: Session, query: IncidentQuery) -> Page[IncidentPublic]:
    """A page of incidents, newest first."""
    found, cursor = repository.page(session, query)
    counts = repository.counts(session, [incident.id for incident in found])
    items = [IncidentPublic(**_fields(incident, counts.get(incident.id or 0, (0, 0)))) for incident in found]
    return Page(items=items, next_cursor=cursor)


def get(session: Session, incident_id: int) -> IncidentDetail:
    incident = _find(session, incident_id)
    counts = repository.counts(session, [incident_id]).get(incident_id, (0, 0))
    return IncidentDetail(
        **_fields(incident, counts),
        notes=[NotePublic.model_validate(note) for note in repository.notes(session, incident_id)],
        lamps=members(session, incident_id, MemberQuery(cursor=None, limit=LARGEST_LIMIT)).items,
    )


def members(session: Session, incident_id: int, query: MemberQuery) -> Page[MemberPublic]:
    """A page of the lamps that were lost in it."""
    _find(session, incident_id)
    rows, cursor = repository.members(session, incident_id, query)
    items = [
        MemberPublic(
            lamp_id=row[0].lamp_id,
            endpoint=row[1].endpoint,
            lamp_name=row[1].name,
            feeder=row[1].feeder,
            cabinet=row[1].cabinet,
            joined_at=row[0].joined_at_ms,
            returned_at=row[0].returned_at_ms,
        )
        for row in rows
    ]
    return Page(items=items, next_cursor=cursor)


def acknowledge(session: Session, incident_id: int, note: str, by: str, now_ms: int) -> IncidentDetail:
    """A person has seen it. Raises Conflict when somebody else was first."""
    incident = _find(session, incident_id, for_change=True)
    if incident.acknowledged_at_ms is not None:
        raise Conflict(f"{incident.acknowledged_by} has acknowledged this incident already.", "Nothing is left to do.")
    incident.acknowledged_at_ms, incident.acknowledged_by = now_ms, by
    session.add(incident)
    session.flush()
    if note:
        add_note(session, incident_id, note, by, now_ms)
    return get(session, incident_id)


def add_note(session: Session, incident_id: int, text: str, by: str, now_ms: int) -> IncidentDetail:
    """Remember something about it, also after it is over."""
    _find(session, incident_id)
    repository.add_note(session, IncidentNote(incident_id=incident_id, at_ms=now_ms, author=by, text=text))
    return get(session, incident_id)


def _find(session: Session, incident_id: int, for_change: bool = False) -> Incident:
    incident = repository.find(session, incident_id, for_change)
    if incident is None:
        raise NotFound(f"There is no incident {incident_id}.")
    return incident


def _state(incident: Incident) -> Literal["open", "acknowledged", "ended"]:
    if incident.ended_at_ms is not None:
        return "ended"
    return "open" if incident.acknowledged_at_ms is None else "acknowledged"


def _fields(incident: Incident, counts: tuple[int, int]) -> dict[str, Any]:
    kind = (Cause(incident.cause), Scope(incident.scope))
    number, missing = counts
    return {
        "id": incident.id,
        "cause": incident.cause,
        "scope": incident.scope,
        "name": incident.name,
        "state": _state(incident),
        "opened_at": incident.opened_at_ms,
        "ended_at": incident.ended_at_ms,
        "lost_after": incident.from_real_ms,
        "lost_before": incident.to_real_ms,
        "members": number,
        "missing": missing,
        "of_lamps": incident.of_lamps,
        "merged_into": incident.merged_into,
        "acknowledged_at": incident.acknowledged_at_ms,
        "acknowledged_by": incident.acknowledged_by,
        "meaning": _MEANINGS[kind].format(members=number, of=max(number, incident.of_lamps), name=incident.name),
        "advice": _ADVICE[kind],
    }
