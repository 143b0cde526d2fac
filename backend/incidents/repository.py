"""Incidents in the database. The watch's functions take a connection."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlmodel import Session, col

from backend.incidents.correlation import Cause, Finding, Loss, Place, Scope
from backend.incidents.course import Open
from backend.incidents.models import Incident, IncidentMember, IncidentNote, LampLoss
from backend.incidents.shapes import IncidentQuery, MemberQuery
from backend.kit.pages import fetch
from backend.kit.upserts import insert_new, upsert
from backend.lamps.models import Lamp

INCIDENTS: Table = Incident.__table__  # type: ignore[attr-defined]
MEMBERS: Table = IncidentMember.__table__  # type: ignore[attr-defined]
LOSSES: Table = LampLoss.__table__  # type: ignore[attr-defined]
_CHUNK = 500  # SQLite bounds the parameters of a statement


def places(connection: Connection) -> dict[int, Place]:
    """Feeder and cabinet of every lamp in service."""
    lamp = Lamp.__table__  # type: ignore[attr-defined]
    statement = select(lamp.c.id, lamp.c.feeder, lamp.c.cabinet).where(lamp.c.retired_at_ms.is_(None))
    return {row[0]: Place(row[1], row[2]) for row in connection.execute(statement)}


def open_incidents(connection: Connection) -> list[Open]:
    """Oldest first, with their members."""
    members: dict[int, dict[int, bool]] = {}
    joined = select(MEMBERS.c.incident_id, MEMBERS.c.lamp_id, MEMBERS.c.returned_at_ms).join(
        INCIDENTS, INCIDENTS.c.id == MEMBERS.c.incident_id
    )
    for incident_id, lamp_id, returned_at_ms in connection.execute(joined.where(INCIDENTS.c.ended_at_ms.is_(None))):
        members.setdefault(incident_id, {})[lamp_id] = returned_at_ms is not None
    columns = (
        INCIDENTS.c.id,
        INCIDENTS.c.cause,
        INCIDENTS.c.scope,
        INCIDENTS.c.name,
        INCIDENTS.c.from_real_ms,
        INCIDENTS.c.to_real_ms,
    )
    statement = select(*columns).where(INCIDENTS.c.ended_at_ms.is_(None)).order_by(INCIDENTS.c.id)
    return [
        Open(row[0], Cause(row[1]), Scope(row[2]), row[3], row[4], row[5], members.get(row[0], {}))
        for row in connection.execute(statement)
    ]


def add(connection: Connection, finding: Finding, at_ms: int) -> int:
    row = _of(finding) | {"opened_at_ms": at_ms}
    key = connection.execute(INCIDENTS.insert(), row).inserted_primary_key
    assert key is not None
    return int(key[0])


def change(connection: Connection, incident_id: int, finding: Finding) -> None:
    connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident_id).values(**_of(finding)))


def end(connection: Connection, incident_id: int, at_ms: int, merged_into: int | None = None) -> None:
    values = {"ended_at_ms": at_ms, "merged_into": merged_into}
    connection.execute(update(INCIDENTS).where(INCIDENTS.c.id == incident_id).values(**values))


def join(connection: Connection, incident_id: int, lamp_ids: Collection[int], at_ms: int) -> None:
    """Lamps that are lost in it now: new members, and those that had returned."""
    rows = [
        {"incident_id": incident_id, "lamp_id": lamp_id, "joined_at_ms": at_ms, "returned_at_ms": None}
        for lamp_id in sorted(lamp_ids)
    ]
    insert_new(connection, MEMBERS, rows)
    _set_returned(connection, incident_id, lamp_ids, None)


def give_back(connection: Connection, incident_id: int, lamp_ids: Collection[int], at_ms: int) -> None:
    """Members that were heard again."""
    _set_returned(connection, incident_id, lamp_ids, at_ms)


def move_members(connection: Connection, from_id: int, to_id: int) -> None:
    rows = connection.execute(select(MEMBERS).where(MEMBERS.c.incident_id == from_id)).mappings().all()
    insert_new(connection, MEMBERS, [dict(row) | {"incident_id": to_id} for row in rows])


def losses(connection: Connection) -> list[Loss]:
    return [Loss(*row) for row in connection.execute(select(LOSSES).order_by(LOSSES.c.lamp_id))]


def note_losses(connection: Connection, lost: Iterable[Loss]) -> None:
    rows = [{"lamp_id": one.lamp_id, "from_real_ms": one.from_ms, "to_real_ms": one.to_ms} for one in lost]
    upsert(connection, LOSSES, rows)


def forget_losses(connection: Connection, lamp_ids: Sequence[int]) -> None:
    for start in range(0, len(lamp_ids), _CHUNK):
        connection.execute(delete(LOSSES).where(LOSSES.c.lamp_id.in_(lamp_ids[start : start + _CHUNK])))


def page(session: Session, query: IncidentQuery) -> tuple[list[Incident], str | None]:
    """Newest first. One that was merged into another is left out unless all are asked for."""
    statement = select(Incident)
    if query.state == "ended":
        statement = statement.where(col(Incident.ended_at_ms).is_not(None), col(Incident.merged_into).is_(None))
    elif query.state != "all":
        statement = statement.where(col(Incident.ended_at_ms).is_(None))
    if query.state == "acknowledged":
        statement = statement.where(col(Incident.acknowledged_at_ms).is_not(None))
    if query.cause is not None:
        statement = statement.where(col(Incident.cause) == query.cause)
    if query.since is not None:
        statement = statement.where(col(Incident.opened_at_ms) >= query.since)
    if query.until is not None:
        statement = statement.where(col(Incident.opened_at_ms) < query.until)
    member_of = select(col(IncidentMember.incident_id)).join(Lamp, col(Lamp.id) == col(IncidentMember.lamp_id))
    for column, value in (
        (col(Lamp.id), query.lamp_id),
        (col(Lamp.feeder), query.feeder),
        (col(Lamp.cabinet), query.cabinet),
    ):
        if value is not None:
            statement = statement.where(col(Incident.id).in_(member_of.where(column == value)))
    rows, cursor = fetch(session, statement, [col(Incident.opened_at_ms), col(Incident.id)], query, descending=True)
    return [row[0] for row in rows], cursor


def counts(session: Session, incident_ids: Iterable[int | None]) -> Mapping[int, tuple[int, int]]:
    """(members, those that are missing) of each incident."""
    statement = (
        select(MEMBERS.c.incident_id, func.count(), func.count() - func.count(MEMBERS.c.returned_at_ms))
        .where(MEMBERS.c.incident_id.in_(list(incident_ids)))
        .group_by(MEMBERS.c.incident_id)
    )
    return {row[0]: (row[1], row[2]) for row in session.execute(statement)}


def find(session: Session, incident_id: int, for_change: bool) -> Incident | None:
    return session.get(Incident, incident_id, with_for_update=for_change or None)


def members(session: Session, incident_id: int, query: MemberQuery) -> tuple[list[Any], str | None]:
    """Rows of (IncidentMember, Lamp), by lamp."""
    statement = (
        select(IncidentMember, Lamp)
        .join(Lamp, col(Lamp.id) == col(IncidentMember.lamp_id))
        .where(col(IncidentMember.incident_id) == incident_id)
    )
    if query.missing is not None:
        back = col(IncidentMember.returned_at_ms)
        statement = statement.where(back.is_(None) if query.missing else back.is_not(None))
    return fetch(session, statement, [col(IncidentMember.lamp_id)], query)


def add_note(session: Session, note: IncidentNote) -> None:
    session.add(note)
    session.flush()


def notes(session: Session, incident_id: int) -> list[IncidentNote]:
    statement = select(IncidentNote).where(col(IncidentNote.incident_id) == incident_id).order_by(col(IncidentNote.id))
    return list(session.execute(statement).scalars())


def _set_returned(connection: Connection, incident_id: int, lamp_ids: Collection[int], at_ms: int | None) -> None:
    ids = sorted(lamp_ids)
    for start in range(0, len(ids), _CHUNK):
        among = MEMBERS.c.lamp_id.in_(ids[start : start + _CHUNK])
        statement = update(MEMBERS).where(MEMBERS.c.incident_id == incident_id, among)
        connection.execute(statement.values(returned_at_ms=at_ms))


def _of(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "scope": finding.scope,
        "name": finding.name,
        "of_lamps": finding.of,
        "from_real_ms": finding.from_ms,
        "to_real_ms": finding.to_ms,
    }
