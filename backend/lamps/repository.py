"""Lamps in the database, joined with their last state and their registration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func, select, update
from sqlmodel import Session, col

from backend.device_server.models import Registration
from backend.kit import pages
from backend.kit.searching import contains_text
from backend.lamps.liveness import Status, has_status
from backend.lamps.lives import Life, has_life
from backend.lamps.models import Lamp, LampState

_STATES: Table = LampState.__table__  # type: ignore[attr-defined]
SORTS = {"id": (col(Lamp.id),), "name": (col(Lamp.name), col(Lamp.id)), "endpoint": (col(Lamp.endpoint),)}


@dataclass(frozen=True)
class LampRow:
    """A lamp and what is known about it; `state` and `registration` are None until it speaks."""

    lamp: Lamp
    state: LampState | None
    registration: Registration | None


@dataclass(frozen=True)
class LampFilter:
    """Conditions that must all hold; None: any. `among` and `reached` select lamp ids."""

    endpoint: str | None = None
    street: str | None = None
    feeder: str | None = None
    cabinet: str | None = None
    text: str | None = None
    life: Life | None = None
    status: Status | None = None
    has_fault: bool | None = None
    retired: bool = False
    among: pages.Statement | None = None
    reached: pages.Statement | None = None


def add(session: Session, lamp: Lamp) -> Lamp:
    session.add(lamp)
    session.flush()
    return lamp


def find(session: Session, lamp_id: int) -> Lamp | None:
    return session.get(Lamp, lamp_id)


def find_for_update(session: Session, lamp_id: int) -> Lamp | None:
    return session.get(Lamp, lamp_id, with_for_update=True)


def find_by_endpoint(session: Session, endpoint: str) -> Lamp | None:
    return session.execute(select(Lamp).where(col(Lamp.endpoint) == endpoint).with_for_update()).scalars().first()


def find_in_service(session: Session, column: Any, value: str) -> Sequence[Lamp]:
    """Lamps in service with this value, by id, for update."""
    query = select(Lamp).where(column == value, col(Lamp.retired_at_ms).is_(None))
    return session.execute(query.order_by(col(Lamp.id)).with_for_update()).scalars().all()


def count_by_life(session: Session, reached: pages.Statement | None) -> dict[Life, int]:
    """How many lamps there are in each life."""
    counts = {}
    for life in Life:
        query = select(func.count()).select_from(Lamp).where(has_life(life))
        if reached is not None:
            query = query.where(col(Lamp.id).in_(reached))
        counts[life] = int(session.execute(query).scalar_one())
    return counts


def forget_state(session: Session, lamp_id: int) -> None:
    """What the controller before said of itself; the number of open faults is the lamp's and stays."""
    kept = ("lamp_id", "fault_count")
    empty = {column.name: None for column in _STATES.columns if column.name not in kept}
    session.execute(update(_STATES).where(_STATES.c.lamp_id == lamp_id).values(empty))


def find_row(session: Session, lamp_id: int) -> LampRow | None:
    found = session.execute(_joined().where(col(Lamp.id) == lamp_id)).first()
    return None if found is None else LampRow(found[0], found[1], found[2])


def list_rows(
    session: Session,
    wanted: LampFilter,
    query: pages.PageQuery,
    keys: Sequence[Any],
    descending: bool,
    now_real_ms: int,
) -> tuple[list[LampRow], str | None]:
    statement = _filtered(_joined(), wanted, now_real_ms)
    rows, cursor = pages.fetch(session, statement, keys, query, descending=descending)
    return [LampRow(row[0], row[1], row[2]) for row in rows], cursor


def unretired(session: Session, lamp_ids: Iterable[int]) -> set[int]:
    """Which of these lamps exist and are in service."""
    ids = list(lamp_ids)
    found: set[int] = set()
    for start in range(0, len(ids), 500):  # SQLite bounds the parameters of a statement
        chunk = select(col(Lamp.id)).where(
            col(Lamp.id).in_(ids[start : start + 500]), col(Lamp.retired_at_ms).is_(None)
        )
        found |= {lamp_id for lamp_id in session.execute(chunk).scalars() if lamp_id is not None}
    return found


def _joined() -> pages.Statement:
    return (
        select(Lamp, LampState, Registration)
        .outerjoin(LampState, col(LampState.lamp_id) == col(Lamp.id))
        .outerjoin(Registration, col(Registration.lamp_id) == col(Lamp.id))
    )


def _filtered(statement: pages.Statement, wanted: LampFilter, now_real_ms: int) -> pages.Statement:
    for column, value in (
        (col(Lamp.endpoint), wanted.endpoint),
        (col(Lamp.street), wanted.street),
        (col(Lamp.feeder), wanted.feeder),
        (col(Lamp.cabinet), wanted.cabinet),
    ):
        if value is not None:
            statement = statement.where(column == value)
    retired = col(Lamp.retired_at_ms)
    if wanted.life is None:
        statement = statement.where(retired.is_not(None) if wanted.retired else retired.is_(None))
    else:
        statement = statement.where(has_life(wanted.life))
    if wanted.text:
        columns = (col(Lamp.name), col(Lamp.endpoint), col(Lamp.asset_id), col(Lamp.street))
        statement = statement.where(contains_text(columns, wanted.text))
    if wanted.status is not None:
        r = Registration
        rule = has_status(wanted.status, col(r.last_heard_real_ms), col(r.lifetime_s), col(r.active), now_real_ms)  # type: ignore[arg-type]
        statement = statement.where(rule)
    if wanted.has_fault is not None:
        faults = func.coalesce(col(LampState.fault_count), 0)
        statement = statement.where(faults > 0 if wanted.has_fault else faults == 0)
    for selected in (wanted.among, wanted.reached):
        if selected is not None:
            statement = statement.where(col(Lamp.id).in_(selected))
    return statement
