"""Feeders in the database: names on lamps, and plans."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table, case, delete, func, select
from sqlmodel import Session, col

from backend.device_server.models import Registration
from backend.feeders.models import FeederPlan
from backend.feeders.shapes import FeederQuery
from backend.kit.pages import Statement, fetch
from backend.kit.upserts import upsert
from backend.lamps.liveness import Status, has_status
from backend.lamps.models import Lamp, LampState

PLANS: Table = FeederPlan.__table__  # type: ignore[attr-defined]
_HALF_TURN_E6 = 180_000_000


class Place(NamedTuple):
    """Where the lamps of a feeder are, in the middle; and their time zone."""

    latitude_e6: int
    longitude_e6: int
    time_zone: str


def page(session: Session, query: FeederQuery) -> tuple[list[str], str | None]:
    """Names of feeders that have lamps in service or a plan, in order."""
    used: Statement = select(col(Lamp.feeder).label("feeder")).where(_in_service())
    if query.cabinet is not None:
        used = used.where(col(Lamp.cabinet) == query.cabinet)
        names = used.distinct().subquery()
    else:
        names = used.union(select(col(FeederPlan.feeder).label("feeder"))).subquery()
    statement = select(names.c.feeder)
    if query.feeder is not None:
        statement = statement.where(names.c.feeder == query.feeder)
    if query.planned is not None:
        is_planned = names.c.feeder.in_(select(col(FeederPlan.feeder)))
        statement = statement.where(is_planned if query.planned else ~is_planned)
    rows, cursor = fetch(session, statement, [names.c.feeder], query)
    return [row[0] for row in rows], cursor


def tallies(session: Session, feeders: Sequence[str], now_real_ms: int) -> dict[str, Any]:
    """For each of these feeders (lamps, online, offline, never, open faults)."""
    heard = (col(Registration.last_heard_real_ms), col(Registration.lifetime_s), col(Registration.active))
    states = [
        func.sum(case((has_status(status, *heard, now_real_ms), 1), else_=0))  # type: ignore[arg-type]
        for status in (Status.ONLINE, Status.OFFLINE, Status.NEVER)
    ]
    statement = (
        select(col(Lamp.feeder), func.count(), *states, func.sum(func.coalesce(col(LampState.fault_count), 0)))
        .outerjoin(Registration, col(Registration.lamp_id) == col(Lamp.id))
        .outerjoin(LampState, col(LampState.lamp_id) == col(Lamp.id))
        .where(_in_service(), col(Lamp.feeder).in_(feeders))
        .group_by(col(Lamp.feeder))
    )
    return {row[0]: tuple(row[1:]) for row in session.execute(statement)}


def cabinets(session: Session, feeders: Sequence[str]) -> dict[str, list[str]]:
    """The cabinets that the lamps of these feeders name, in order."""
    statement = select(col(Lamp.feeder), col(Lamp.cabinet)).where(
        _in_service(), col(Lamp.feeder).in_(feeders), col(Lamp.cabinet) != ""
    )
    found: dict[str, list[str]] = {}
    for feeder, cabinet in session.execute(statement.distinct().order_by(col(Lamp.cabinet))):
        found.setdefault(feeder, []).append(cabinet)
    return found


def plans(session: Session, feeders: Sequence[str] | None = None) -> dict[str, FeederPlan]:
    """The plans of these feeders, or all."""
    statement = select(FeederPlan)
    if feeders is not None:
        statement = statement.where(col(FeederPlan.feeder).in_(feeders))
    return {plan.feeder: plan for plan in session.execute(statement).scalars()}


def places(session: Session, feeders: Sequence[str]) -> dict[str, Place]:
    """Where these feeders are; one without a lamp in service is left out."""
    latitude, longitude = col(Lamp.latitude_e6), col(Lamp.longitude_e6)
    statement = (
        select(
            col(Lamp.feeder),
            func.avg(latitude),
            func.avg(longitude),
            func.min(longitude),
            func.max(longitude),
            func.min(col(Lamp.time_zone)),
        )
        .where(_in_service(), col(Lamp.feeder).in_(feeders))
        .group_by(col(Lamp.feeder))
    )
    found = {}
    for feeder, north, east, west_end, east_end, zone in session.execute(statement):
        # On both sides of the date line a mean would lie on the other side of the earth.
        middle = east if east_end - west_end < _HALF_TURN_E6 else east_end
        found[feeder] = Place(round(north), round(middle), zone)
    return found


def put(session: Session, plan: FeederPlan) -> None:
    upsert(session.connection(), PLANS, [plan.model_dump()])
    session.expire_all()


def remove(session: Session, feeder: str) -> None:
    session.execute(delete(FeederPlan).where(col(FeederPlan.feeder) == feeder))


def _in_service() -> Any:
    return col(Lamp.retired_at_ms).is_(None) & (col(Lamp.feeder) != "")
