"""Readings in the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlmodel import Session, col

from backend.kit.pages import PageQuery, fetch
from backend.kit.upserts import insert_new
from backend.telemetry.models import Reading

TABLE: Table = Reading.__table__  # type: ignore[attr-defined]


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert readings; one that is stored already stays as it is."""
    insert_new(connection, TABLE, rows)


def page(session: Session, lamp_id: int, start_ms: int, end_ms: int, query: PageQuery) -> tuple[list[Any], str | None]:
    """Readings of a lamp in [start, end), in order of time."""
    statement = select(Reading).where(
        col(Reading.lamp_id) == lamp_id, col(Reading.at_ms) >= start_ms, col(Reading.at_ms) < end_ms
    )
    return fetch(session, statement, [col(Reading.at_ms)], query)


def find_latest(session: Session, lamp_id: int) -> Reading | None:
    """The newest reading that has something measured; of a lamp that measures nothing, the newest."""
    newest = select(Reading).where(col(Reading.lamp_id) == lamp_id).order_by(col(Reading.at_ms).desc()).limit(1)
    measured = newest.where(col(Reading.power_w).is_not(None) | col(Reading.voltage_v).is_not(None))
    found = session.execute(measured).scalar_one_or_none()
    return session.execute(newest).scalar_one_or_none() if found is None else found
