"""Faults in the database. The ingest functions take a connection: they run inside the group's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update
from sqlmodel import Session, col

from backend.faults.episodes import Episode, Key, Transition
from backend.faults.models import Fault, FaultNote, FaultTransition
from backend.faults.shapes import FaultFilter
from backend.kit.pages import PageQuery, Statement, fetch
from backend.lamps.models import Lamp

TABLE: Table = Fault.__table__  # type: ignore[attr-defined]
NOTES: Table = FaultNote.__table__  # type: ignore[attr-defined]
TRANSITIONS: Table = FaultTransition.__table__  # type: ignore[attr-defined]
_CHUNK = 500  # SQLite bounds the parameters of a statement


def add_transition(
    connection: Connection, key: Key, at_ms: int, raised: bool, received_ms: int, said_by: str | None
) -> bool:
    """Store a transition; False when it is stored already."""
    same = (TRANSITIONS.c.at_ms == at_ms) & (TRANSITIONS.c.raised == raised)
    if connection.execute(select(TRANSITIONS.c.lamp_id).where(_is(TRANSITIONS, key), same)).first() is not None:
        return False
    row = {"lamp_id": key.lamp_id, "code": key.code, "at_ms": at_ms, "raised": raised}
    connection.execute(TRANSITIONS.insert(), row | {"received_ms": received_ms, "said_by": said_by})
    return True


def start_of_run(connection: Connection, key: Key, at_ms: int, recent_ms: int) -> int:
    """The begin of the first fault of those that began by `at_ms` and are open or changed at or after `recent_ms`; when
    there is none, of the last one that began by `at_ms`; 0 when none did."""
    begun = _is(TABLE, key) & (TABLE.c.raised_at_ms <= at_ms)
    recent = TABLE.c.cleared_at_ms.is_(None) | (TABLE.c.changed_at_ms >= recent_ms)
    first = connection.execute(select(func.min(TABLE.c.raised_at_ms)).where(begun, recent)).scalar_one()
    if first is not None:
        return int(first)
    return connection.execute(select(func.max(TABLE.c.raised_at_ms)).where(begun)).scalar_one() or 0


def transitions_since(connection: Connection, key: Key, at_ms: int) -> list[Transition]:
    statement = select(TRANSITIONS.c.at_ms, TRANSITIONS.c.raised, TRANSITIONS.c.said_by)
    statement = statement.where(_is(TRANSITIONS, key), TRANSITIONS.c.at_ms >= at_ms)
    return [Transition(*row) for row in connection.execute(statement)]


def replace_since(connection: Connection, key: Key, at_ms: int, episodes: Sequence[Episode], severity: str) -> None:
    """Make the faults that began at or after `at_ms` these; one that is kept keeps what people said about it."""
    columns = (TABLE.c.id, TABLE.c.raised_at_ms, TABLE.c.flapping)
    statement = select(*columns).where(_is(TABLE, key), TABLE.c.raised_at_ms >= at_ms).order_by(TABLE.c.raised_at_ms)
    kept: dict[Episode, tuple[int, bool]] = {}
    # Faults that now are one: the later row goes before the earlier one takes its time, and leaves its notes to it.
    for fault_id, raised_at_ms, flapping in connection.execute(statement).all():
        episode = next(one for one in episodes if one.holds(raised_at_ms))
        if episode in kept:
            connection.execute(update(NOTES).where(NOTES.c.fault_id == fault_id).values(fault_id=kept[episode][0]))
            connection.execute(delete(TABLE).where(TABLE.c.id == fault_id))
        else:
            kept[episode] = (fault_id, flapping)
    for episode, (fault_id, was_flapping) in kept.items():
        values = episode._asdict()
        if episode.flapping and not was_flapping:
            # That it flaps is news to the person who has seen the first one, and no longer the incident's doing.
            values |= {"acknowledged_at_ms": None, "acknowledged_by": None, "incident_id": None}
        connection.execute(update(TABLE).where(TABLE.c.id == fault_id).values(**values))
    for episode in episodes:
        if episode not in kept:
            row = {"lamp_id": key.lamp_id, "code": key.code, "severity": severity}
            connection.execute(TABLE.insert(), row | episode._asdict())


def calm(connection: Connection, changed_by_ms: int) -> list[tuple[Key, int]]:
    """Flapping faults that are open, not active, and have not changed since then: (key, time of the last change)."""
    statement = select(TABLE.c.lamp_id, TABLE.c.code, TABLE.c.changed_at_ms).where(
        TABLE.c.cleared_at_ms.is_(None),
        TABLE.c.flapping,
        ~TABLE.c.active,
        TABLE.c.changed_at_ms <= changed_by_ms,
    )
    return [(Key(row[0], row[1]), row[2]) for row in connection.execute(statement)]


def count_open(connection: Connection, lamp_ids: list[int]) -> dict[int, int]:
    """Open faults of these lamps; a lamp without any is 0."""
    statement = (
        select(TABLE.c.lamp_id, func.count())
        .where(TABLE.c.lamp_id.in_(lamp_ids), TABLE.c.cleared_at_ms.is_(None))
        .group_by(TABLE.c.lamp_id)
    )
    return dict.fromkeys(lamp_ids, 0) | {row[0]: row[1] for row in connection.execute(statement)}


def active_lamps(connection: Connection, code: int) -> set[int]:
    """Lamps that have this fault at this moment."""
    statement = select(TABLE.c.lamp_id).where(TABLE.c.code == code, TABLE.c.active, TABLE.c.cleared_at_ms.is_(None))
    return set(connection.execute(statement).scalars())


def active_codes(connection: Connection, lamp_id: int, before_ms: int) -> list[int]:
    """Codes of the faults that this lamp has, as far as they were raised before then."""
    statement = select(TABLE.c.code).where(
        TABLE.c.lamp_id == lamp_id, TABLE.c.active, TABLE.c.cleared_at_ms.is_(None), TABLE.c.raised_at_ms < before_ms
    )
    return list(connection.execute(statement).scalars())


def set_incident(connection: Connection, code: int, lamp_ids: Sequence[int], incident_id: int | None) -> None:
    """Make the active faults of this code at these lamps part of an incident, or of none."""
    for start in range(0, len(lamp_ids), _CHUNK):
        connection.execute(
            update(TABLE)
            .where(TABLE.c.lamp_id.in_(lamp_ids[start : start + _CHUNK]), TABLE.c.code == code, TABLE.c.active)
            .where(TABLE.c.cleared_at_ms.is_(None))
            .values(incident_id=incident_id)
        )


def matching(query: FaultFilter, code: int | None, lamp_ids: Statement | None) -> list[ColumnElement[bool]]:
    """The filters as conditions over `Fault` joined with `Lamp`."""
    found: list[ColumnElement[bool]] = []
    if query.state == "cleared":
        found.append(col(Fault.cleared_at_ms).is_not(None))
    elif query.state != "all":
        found.append(col(Fault.cleared_at_ms).is_(None))
    if query.state == "acknowledged":
        found.append(col(Fault.acknowledged_at_ms).is_not(None))
    if lamp_ids is not None:
        found.append(col(Fault.lamp_id).in_(lamp_ids))
    if query.since is not None:
        found.append(col(Fault.raised_at_ms) >= query.since)
    if query.until is not None:
        found.append(col(Fault.raised_at_ms) < query.until)
    if query.incidents == "collapse":
        found.append(col(Fault.incident_id).is_(None))
    for column, value in (
        (col(Fault.lamp_id), query.lamp_id),
        (col(Fault.code), code),
        (col(Fault.severity), query.severity),
        (col(Fault.assigned_to), query.assigned_to),
        (col(Fault.flapping), query.flapping),
        (col(Lamp.feeder), query.feeder),
        (col(Lamp.cabinet), query.cabinet),
    ):
        if value is not None:
            found.append(column == value)
    return found


def page(session: Session, conditions: Sequence[ColumnElement[bool]], query: PageQuery) -> tuple[list[Any], str | None]:
    """Rows of (Fault, Lamp), newest first."""
    keys = [col(Fault.raised_at_ms), col(Fault.id)]
    return fetch(session, _with_lamp().where(*conditions), keys, query, descending=True)


def tally(session: Session, conditions: Sequence[ColumnElement[bool]]) -> list[tuple[int, int, str, int]]:
    """(lamp, code, severity, number of faults)."""
    columns = (col(Fault.lamp_id), col(Fault.code), col(Fault.severity))
    statement = select(*columns, func.count()).join(Lamp, col(Lamp.id) == col(Fault.lamp_id))
    return [tuple(row) for row in session.execute(statement.where(*conditions).group_by(*columns))]


def find(session: Session, fault_id: int, for_change: bool) -> Any:
    """(Fault, Lamp); the fault is locked when it is for a change."""
    statement = _with_lamp().where(col(Fault.id) == fault_id)
    return session.execute(statement.with_for_update(of=Fault) if for_change else statement).first()


def add_note(session: Session, note: FaultNote) -> None:
    session.add(note)
    session.flush()


def notes(session: Session, fault_ids: Iterable[int]) -> dict[int, list[FaultNote]]:
    """The notes of these faults, oldest first."""
    ids, found = list(fault_ids), dict[int, list[FaultNote]]()
    for start in range(0, len(ids), _CHUNK):
        among = col(FaultNote.fault_id).in_(ids[start : start + _CHUNK])
        for note in session.execute(select(FaultNote).where(among).order_by(col(FaultNote.id))).scalars():
            found.setdefault(note.fault_id, []).append(note)
    return found


def transitions(session: Session, lamp_id: int, query: PageQuery) -> tuple[list[Any], str | None]:
    statement = select(FaultTransition).where(col(FaultTransition.lamp_id) == lamp_id)
    keys = [col(FaultTransition.at_ms), col(FaultTransition.code), col(FaultTransition.raised)]
    return fetch(session, statement, keys, query, descending=True)


def _is(table: Table, key: Key) -> ColumnElement[bool]:
    return (table.c.lamp_id == key.lamp_id) & (table.c.code == key.code)


def _with_lamp() -> Statement:
    return select(Fault, Lamp).join(Lamp, col(Lamp.id) == col(Fault.lamp_id))
