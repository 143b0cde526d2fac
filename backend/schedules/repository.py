"""Schedules, assignments and desired rows in the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, func, or_, select, update
from sqlmodel import Session, col

from backend.kit.pages import PageQuery, fetch
from backend.kit.upserts import upsert
from backend.lamps.models import Lamp, LampState
from backend.schedules.models import Assignment, DesiredSchedule, Schedule, Status

DESIRED: Table = DesiredSchedule.__table__  # type: ignore[attr-defined]
_CHUNK = 500  # SQLite bounds the parameters of a statement


def add(session: Session, schedule: Schedule) -> Schedule:
    session.add(schedule)
    session.flush()
    return schedule


def find(session: Session, schedule_id: int, for_change: bool = False) -> Schedule | None:
    statement = select(Schedule).where(col(Schedule.id) == schedule_id)
    if for_change:
        statement = statement.with_for_update()
    return session.execute(statement).scalar_one_or_none()


def find_by_name(session: Session, name: str) -> Schedule | None:
    return session.execute(select(Schedule).where(col(Schedule.name) == name)).scalar_one_or_none()


def page(session: Session, query: PageQuery) -> tuple[list[Any], str | None]:
    return fetch(session, select(Schedule), (col(Schedule.name), col(Schedule.id)), query)


def remove(session: Session, schedule: Schedule) -> None:
    session.execute(delete(Assignment).where(col(Assignment.schedule_id) == schedule.id))
    session.delete(schedule)
    session.flush()


def documents(session: Session, schedule_ids: Iterable[int]) -> dict[int, Schedule]:
    statement = select(Schedule).where(col(Schedule.id).in_(list(schedule_ids)))
    return {schedule.id: schedule for schedule in session.execute(statement).scalars() if schedule.id is not None}


def assignments(session: Session) -> tuple[dict[int, int], dict[int, int]]:
    """(schedule by lamp, schedule by zone)."""
    statement = select(col(Assignment.lamp_id), col(Assignment.zone_id), col(Assignment.schedule_id))
    by_lamp, by_zone = {}, {}
    for lamp_id, zone_id, schedule_id in session.execute(statement):
        if lamp_id is not None:
            by_lamp[lamp_id] = schedule_id
        else:
            by_zone[zone_id] = schedule_id
    return by_lamp, by_zone


def assigned_to(session: Session, schedule_id: int) -> tuple[list[int], list[int]]:
    """(lamps, zones) that have this schedule by assignment."""
    by_lamp, by_zone = assignments(session)
    return (
        sorted(lamp for lamp, schedule in by_lamp.items() if schedule == schedule_id),
        sorted(zone for zone, schedule in by_zone.items() if schedule == schedule_id),
    )


def assign(session: Session, schedule_id: int, lamp_ids: Sequence[int], zone_ids: Sequence[int]) -> None:
    """Give the schedule to these; what they had before is replaced."""
    unassign(session, lamp_ids, zone_ids)
    rows = [{"schedule_id": schedule_id, "lamp_id": lamp_id, "zone_id": None} for lamp_id in lamp_ids]
    rows += [{"schedule_id": schedule_id, "lamp_id": None, "zone_id": zone_id} for zone_id in zone_ids]
    if rows:
        session.execute(Assignment.__table__.insert(), rows)  # type: ignore[attr-defined]


def unassign(
    session: Session, lamp_ids: Sequence[int], zone_ids: Sequence[int], schedule_id: int | None = None
) -> None:
    for column, ids in ((col(Assignment.lamp_id), lamp_ids), (col(Assignment.zone_id), zone_ids)):
        for start in range(0, len(ids), _CHUNK):
            statement = delete(Assignment).where(column.in_(ids[start : start + _CHUNK]))
            if schedule_id is not None:
                statement = statement.where(col(Assignment.schedule_id) == schedule_id)
            session.execute(statement)


def places(session: Session, lamp_ids: Sequence[int]) -> dict[int, tuple[int, int, str]]:
    """(latitude_e6, longitude_e6, time zone) of the lamps that are in service."""
    found: dict[int, tuple[int, int, str]] = {}
    for start in range(0, len(lamp_ids), _CHUNK):
        statement = select(col(Lamp.id), col(Lamp.latitude_e6), col(Lamp.longitude_e6), col(Lamp.time_zone)).where(
            col(Lamp.id).in_(lamp_ids[start : start + _CHUNK]), col(Lamp.retired_at_ms).is_(None)
        )
        found |= {row[0]: (row[1], row[2], row[3]) for row in session.execute(statement)}
    return found


def desired(session: Session, lamp_ids: Sequence[int]) -> dict[int, DesiredSchedule]:
    found: dict[int, DesiredSchedule] = {}
    for start in range(0, len(lamp_ids), _CHUNK):
        among = col(DesiredSchedule.lamp_id).in_(lamp_ids[start : start + _CHUNK])
        for row in session.execute(select(DesiredSchedule).where(among)).scalars():
            found[row.lamp_id] = row
    return found


def lamps_desiring(session: Session, schedule_ids: Sequence[int]) -> list[int]:
    """Lamps whose desired row names one of these schedules."""
    statement = select(col(DesiredSchedule.lamp_id)).where(col(DesiredSchedule.schedule_id).in_(schedule_ids))
    return list(session.execute(statement).scalars())


def write_desired(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    session.flush()
    upsert(session.connection(), DESIRED, rows)
    session.expire_all()


def set_status(connection: Connection, lamp_id: int, digest: str, **values: Any) -> bool:
    """Note how far a lamp is, if its desired digest still is this one; False when it has changed meanwhile."""
    statement = update(DESIRED).where(DESIRED.c.lamp_id == lamp_id, DESIRED.c.digest == digest).values(**values)
    return connection.execute(statement).rowcount > 0


def hold_no_more(session: Session, lamp_ids: Sequence[int]) -> None:
    """These lamps have other controllers: what is desired is to be sent again."""
    pending = {"status": Status.PENDING, "detail": "", "sent_ms": None, "verified_ms": None}
    session.execute(update(DESIRED).where(DESIRED.c.lamp_id.in_(lamp_ids)).values(pending))


def desired_digests(connection: Connection, lamp_ids: Sequence[int]) -> dict[int, tuple[str, str, int | None]]:
    """(digest, status, verified_ms) of the lamps that should hold something particular."""
    found: dict[int, tuple[str, str, int | None]] = {}
    for start in range(0, len(lamp_ids), _CHUNK):
        among = DESIRED.c.lamp_id.in_(lamp_ids[start : start + _CHUNK])
        statement = select(DESIRED.c.lamp_id, DESIRED.c.digest, DESIRED.c.status, DESIRED.c.verified_ms).where(among)
        found |= {row[0]: (row[1], row[2], row[3]) for row in connection.execute(statement)}
    return found


def pending_lamps(session: Session) -> list[int]:
    statement = select(col(DesiredSchedule.lamp_id)).where(col(DesiredSchedule.status) == Status.PENDING)
    return list(session.execute(statement).scalars())


def unsettled_lamps(session: Session, lamp_ids: Sequence[int]) -> list[int]:
    """Of lamps that registered anew, those that have to be asked: one that refused before, and one that never reports a
    digest."""
    found: list[int] = []
    for start in range(0, len(lamp_ids), _CHUNK):
        statement = (
            select(col(DesiredSchedule.lamp_id))
            .outerjoin(LampState, col(LampState.lamp_id) == col(DesiredSchedule.lamp_id))
            .where(
                col(DesiredSchedule.lamp_id).in_(lamp_ids[start : start + _CHUNK]),
                or_(
                    col(DesiredSchedule.status) == Status.REFUSED,
                    (col(DesiredSchedule.status) == Status.VERIFIED) & col(LampState.digest_reported).is_(None),
                ),
            )
        )
        found += session.execute(statement).scalars()
    return found


def counts(session: Session, schedule_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Lamps of each schedule by status."""
    statement = (
        select(DESIRED.c.schedule_id, DESIRED.c.status, func.count())
        .where(DESIRED.c.schedule_id.in_(schedule_ids))
        .group_by(DESIRED.c.schedule_id, DESIRED.c.status)
    )
    found: dict[int, dict[str, int]] = {}
    for schedule_id, status, count in session.execute(statement):
        found.setdefault(schedule_id, {})[status] = count
    return found


def lamp_rows(
    session: Session, query: PageQuery, schedule_id: int | None, lamp_id: int | None, status: Status | None
) -> tuple[list[Any], str | None]:
    """Rows of (DesiredSchedule, endpoint, reported digest), by lamp."""
    statement = (
        select(DesiredSchedule, col(Lamp.endpoint), col(LampState.digest_reported))
        .join(Lamp, col(Lamp.id) == col(DesiredSchedule.lamp_id))
        .outerjoin(LampState, col(LampState.lamp_id) == col(DesiredSchedule.lamp_id))
    )
    if schedule_id is not None:
        statement = statement.where(col(DesiredSchedule.schedule_id) == schedule_id)
    if lamp_id is not None:
        statement = statement.where(col(DesiredSchedule.lamp_id) == lamp_id)
    if status is not None:
        statement = statement.where(col(DesiredSchedule.status) == status)
    return fetch(session, statement, [col(DesiredSchedule.lamp_id)], query)
