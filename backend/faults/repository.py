"""Faults in the database. The ingest functions take a connection: they run inside the group's transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, update
from sqlmodel import Session, col

from backend.faults.episodes import Episode, Key, Transition
from backend.faults.models import Fault, FaultQuery, FaultTransition
from backend.kit.pages import Statement, fetch
from backend.lamps.models import Lamp

TABLE: Table = Fault.__table__  # type: ignore[attr-defined]
TRANSITIONS: Table = FaultTransition.__table__  # type: ignore[attr-defined]


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


def start_of_episode(connection: Connection, key: Key, at_ms: int) -> int:
    """When the last fault that began at or before `at_ms` began; 0 when none did."""
    statement = select(func.max(TABLE.c.raised_at_ms)).where(_is(TABLE, key), TABLE.c.raised_at_ms <= at_ms)
    return connection.execute(statement).scalar_one() or 0


def transitions_since(connection: Connection, key: Key, at_ms: int) -> list[Transition]:
    statement = select(TRANSITIONS.c.at_ms, TRANSITIONS.c.raised, TRANSITIONS.c.said_by)
    statement = statement.where(_is(TRANSITIONS, key), TRANSITIONS.c.at_ms >= at_ms)
    return [Transition(*row) for row in connection.execute(statement)]


def replace_since(connection: Connection, key: Key, at_ms: int, episodes: Sequence[Episode], severity: str) -> None:
    """Make the faults that began at or after `at_ms` these; one that is kept keeps what people said about it."""
    statement = select(TABLE.c.id, TABLE.c.raised_at_ms).where(_is(TABLE, key), TABLE.c.raised_at_ms >= at_ms)
    known = [(row[0], row[1]) for row in connection.execute(statement.order_by(TABLE.c.id))]
    # Two faults that a raise in between has joined: the later row goes before the earlier one takes its time.
    kept: dict[int, Episode] = {}
    for fault_id, raised_at_ms in known:
        episode = next(one for one in episodes if one.holds(raised_at_ms))
        if episode in kept.values():
            connection.execute(delete(TABLE).where(TABLE.c.id == fault_id))
        else:
            kept[fault_id] = episode
    for fault_id, episode in kept.items():
        connection.execute(update(TABLE).where(TABLE.c.id == fault_id).values(**episode._asdict()))
    for episode in episodes:
        if episode not in kept.values():
            row = {"lamp_id": key.lamp_id, "code": key.code, "severity": severity, "note": ""}
            connection.execute(TABLE.insert(), row | episode._asdict())


def count_open(connection: Connection, lamp_ids: list[int]) -> dict[int, int]:
    """Open faults of these lamps; a lamp without any is 0."""
    statement = (
        select(TABLE.c.lamp_id, func.count())
        .where(TABLE.c.lamp_id.in_(lamp_ids), TABLE.c.cleared_at_ms.is_(None))
        .group_by(TABLE.c.lamp_id)
    )
    return dict.fromkeys(lamp_ids, 0) | {row[0]: row[1] for row in connection.execute(statement)}


def open_lamps(connection: Connection, code: int) -> set[int]:
    """Lamps with an open fault of this code."""
    statement = select(TABLE.c.lamp_id).where(TABLE.c.code == code, TABLE.c.cleared_at_ms.is_(None))
    return set(connection.execute(statement).scalars())


def page(
    session: Session, query: FaultQuery, code: int | None, lamp_ids: Statement | None
) -> tuple[list[Any], str | None]:
    """Rows of (Fault, endpoint, lamp name), newest first."""
    statement = _with_lamp()
    if query.state == "cleared":
        statement = statement.where(col(Fault.cleared_at_ms).is_not(None))
    elif query.state != "all":
        statement = statement.where(col(Fault.cleared_at_ms).is_(None))
    if query.state == "acknowledged":
        statement = statement.where(col(Fault.acknowledged_at_ms).is_not(None))
    if query.lamp_id is not None:
        statement = statement.where(col(Fault.lamp_id) == query.lamp_id)
    if lamp_ids is not None:
        statement = statement.where(col(Fault.lamp_id).in_(lamp_ids))
    if code is not None:
        statement = statement.where(col(Fault.code) == code)
    if query.severity is not None:
        statement = statement.where(col(Fault.severity) == query.severity)
    return fetch(session, statement, [col(Fault.raised_at_ms), col(Fault.id)], query, descending=True)


def find(session: Session, fault_id: int, for_change: bool) -> Any:
    """(Fault, endpoint, lamp name); locked when it is for a change."""
    statement = _with_lamp().where(col(Fault.id) == fault_id)
    return session.execute(statement.with_for_update(of=Fault) if for_change else statement).first()


def transitions(session: Session, lamp_id: int, query: Any) -> tuple[list[Any], str | None]:
    statement = select(FaultTransition).where(col(FaultTransition.lamp_id) == lamp_id)
    keys = [col(FaultTransition.at_ms), col(FaultTransition.code), col(FaultTransition.raised)]
    return fetch(session, statement, keys, query, descending=True)


def forget_transitions_before(connection: Connection, at_ms: int) -> int:
    """Housekeeping: drop evidence older than `at_ms`; the faults themselves stay."""
    return connection.execute(delete(TRANSITIONS).where(TRANSITIONS.c.at_ms < at_ms)).rowcount


def _is(table: Table, key: Key) -> ColumnElement[bool]:
    return (table.c.lamp_id == key.lamp_id) & (table.c.code == key.code)


def _with_lamp() -> Statement:
    return select(Fault, col(Lamp.endpoint), col(Lamp.name)).join(Lamp, col(Lamp.id) == col(Fault.lamp_id))
