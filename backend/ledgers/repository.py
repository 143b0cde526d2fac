"""The sealing key and the stations in the database."""

from typing import Any

from sqlalchemy import Table, select
from sqlmodel import Session, col

from backend.kit import pages
from backend.kit.upserts import insert_new
from backend.ledgers.models import SealingKey, Station, TakenEntry

_KEYS: Table = SealingKey.__table__  # type: ignore[attr-defined]


def find_key(session: Session) -> SealingKey | None:
    return session.get(SealingKey, 1)


def add_key(session: Session, private: bytes, public: bytes, now_ms: int) -> SealingKey:
    """Store this key unless there is one; the one that is in force."""
    row = {"id": 1, "private": private, "public": public, "created_at_ms": now_ms}
    insert_new(session.connection(), _KEYS, [row])
    key: SealingKey = session.execute(select(SealingKey)).scalars().one()
    return key


def add_station(session: Session, station: Station) -> Station:
    session.add(station)
    session.flush()
    return station


def find_station(session: Session, public_key: bytes, *, for_update: bool = False) -> Station | None:
    query = select(Station).where(col(Station.public_key) == public_key)
    return session.execute(query.with_for_update() if for_update else query).scalars().first()


def get_station(session: Session, station_id: int) -> Station | None:
    return session.get(Station, station_id, with_for_update=True)


def list_stations(session: Session, query: pages.PageQuery) -> tuple[list[Any], str | None]:
    return pages.fetch(session, select(Station), (col(Station.id),), query)


def was_taken(session: Session, digest: bytes) -> bool:
    return session.get(TakenEntry, digest) is not None


def add_taken(session: Session, digest: bytes, lamp_id: int, now_ms: int) -> None:
    session.add(TakenEntry(digest=digest, lamp_id=lamp_id, taken_at_ms=now_ms))
    session.flush()
