"""Faults in the database. The ingest functions take a connection: they run inside the group's transaction."""

from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlmodel import Session, col

from backend.faults.models import Fault, FaultQuery, FaultTransition
from backend.kit.pages import Statement, fetch
from backend.lamps.models import Lamp

TABLE: Table = Fault.__table__  # type: ignore[attr-defined]
TRANSITIONS: Table = FaultTransition.__table__  # type: ignore[attr-defined]


def add_transition(connection: Connection, lamp_id: int, code: int, at_ms: int, raised: bool, received_ms: int) -> bool:
    """Store a transition; False when it is stored already."""
    key = (
        (TRANSITIONS.c.lamp_id == lamp_id)
        & (TRANSITIONS.c.code == code)
        & (TRANSITIONS.c.at_ms == at_ms)
        & (TRANSITIONS.c.raised == raised)
    )
    if connection.execute(select(TRANSITIONS.c.lamp_id).where(key)).first() is not None:
        return False
    row = {"lamp_id": lamp_id, "code": code, "at_ms": at_ms, "raised": raised, "received_ms": received_ms}
    connection.execute(TRANSITIONS.insert(), row)
    return True


def find_clear_after(connection: Connection, lamp_id: int, code: int, at_ms: int) -> int | None:
    """When the first known clear at or after `at_ms` happened, if any."""
    statement = select(func.min(TRANSITIONS.c.at_ms)).where(
        TRANSITIONS.c.lamp_id == lamp_id,
        TRANSITIONS.c.code == code,
        TRANSITIONS.c.raised.is_(False),
        TRANSITIONS.c.at_ms >= at_ms,
    )
    found: int | None = connection.execute(statement).scalar_one_or_none()
    return found


def holds(connection: Connection, lamp_id: int, code: int, at_ms: int) -> bool:
    """True when a fault of this code is already known to be in force at a moment."""
    statement = select(TABLE.c.id).where(
        TABLE.c.lamp_id == lamp_id,
        TABLE.c.code == code,
        TABLE.c.raised_at_ms <= at_ms,
        TABLE.c.cleared_at_ms.is_(None) | (TABLE.c.cleared_at_ms > at_ms),
    )
    return connection.execute(statement.limit(1)).first() is not None


def add(
    connection: Connection, lamp_id: int, code: int, severity: str, raised_at_ms: int, cleared_at_ms: int | None
) -> None:
    row = {
        "lamp_id": lamp_id,
        "code": code,
        "severity": severity,
        "raised_at_ms": raised_at_ms,
        "cleared_at_ms": cleared_at_ms,
        "note": "",
    }
    connection.execute(TABLE.insert(), row)


def move_start(connection: Connection, lamp_id: int, code: int, at_ms: int) -> bool:
    """An earlier raise of a fault that is open already (its later raise came first): the fault began then."""
    statement = (
        update(TABLE)
        .where(TABLE.c.lamp_id == lamp_id, TABLE.c.code == code, TABLE.c.cleared_at_ms.is_(None))
        .where(TABLE.c.raised_at_ms > at_ms)
        .values(raised_at_ms=at_ms)
    )
    return connection.execute(statement).rowcount > 0


def clear(connection: Connection, lamp_id: int, code: int, at_ms: int) -> None:
    """Close what is open and began at or before `at_ms`."""
    connection.execute(
        update(TABLE)
        .where(TABLE.c.lamp_id == lamp_id, TABLE.c.code == code, TABLE.c.cleared_at_ms.is_(None))
        .where(TABLE.c.raised_at_ms <= at_ms)
        .values(cleared_at_ms=at_ms)
    )


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


def find(session: Session, fault_id: int) -> Any:
    """(Fault, endpoint, lamp name), locked for change."""
    return session.execute(_with_lamp().where(col(Fault.id) == fault_id).with_for_update(of=Fault)).first()


def transitions(session: Session, lamp_id: int, query: Any) -> tuple[list[Any], str | None]:
    statement = select(FaultTransition).where(col(FaultTransition.lamp_id) == lamp_id)
    keys = [col(FaultTransition.at_ms), col(FaultTransition.code), col(FaultTransition.raised)]
    return fetch(session, statement, keys, query, descending=True)


def forget_transitions_before(connection: Connection, at_ms: int) -> int:
    """Housekeeping: drop evidence older than `at_ms`; the faults themselves stay."""
    return connection.execute(delete(TRANSITIONS).where(TRANSITIONS.c.at_ms < at_ms)).rowcount


def _with_lamp() -> Statement:
    return select(Fault, col(Lamp.endpoint), col(Lamp.name)).join(Lamp, col(Lamp.id) == col(Fault.lamp_id))
