"""Zones in the database; the tree is walked by recursive queries, which both databases have."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import CTE, delete, func, insert, select
from sqlmodel import Session, col

from backend.kit import pages
from backend.kit.searching import contains_text
from backend.lamps.models import Lamp
from backend.zones.models import Zone, ZoneMember

_CHUNK = 500  # SQLite bounds the parameters of a statement


def add(session: Session, zone: Zone) -> Zone:
    session.add(zone)
    session.flush()
    return zone


def remove(session: Session, zone: Zone) -> None:
    session.delete(zone)
    session.flush()


def find(session: Session, zone_id: int) -> Zone | None:
    return session.get(Zone, zone_id)


def find_by_name(session: Session, name: str) -> Zone | None:
    return session.execute(select(Zone).where(col(Zone.name) == name)).scalars().first()


def lock_tree(session: Session) -> None:
    """Let one transaction at a time change who is whose parent, or two could close a cycle together."""
    session.execute(select(col(Zone.id)).order_by(col(Zone.id)).with_for_update()).all()


def list_zones(
    session: Session, query: pages.PageQuery, parent_id: int | None, lamp_id: int | None, text: str | None
) -> tuple[list[Any], str | None]:
    """By name, each with the number of its own members."""
    statement: pages.Statement = select(Zone, _member_count())
    if parent_id is not None:
        statement = statement.where(col(Zone.parent_id) == parent_id)
    if lamp_id is not None:
        statement = statement.where(
            col(Zone.id).in_(select(col(ZoneMember.zone_id)).where(col(ZoneMember.lamp_id) == lamp_id))
        )
    if text:
        statement = statement.where(contains_text((col(Zone.name), col(Zone.description)), text))
    return pages.fetch(session, statement, (col(Zone.name), col(Zone.id)), query)


def member_count(session: Session, zone_id: int) -> int:
    query = select(func.count()).select_from(ZoneMember).where(col(ZoneMember.zone_id) == zone_id)
    return int(session.execute(query).scalar_one())


def has_children(session: Session, zone_id: int) -> bool:
    return session.execute(select(col(Zone.id)).where(col(Zone.parent_id) == zone_id).limit(1)).first() is not None


def within(zone_id: int, name: str = "within") -> CTE:
    """This zone and all zones within it: one column, `id`. Two in one statement need two names."""
    tree = select(col(Zone.id).label("id")).where(col(Zone.id) == zone_id).cte(name, recursive=True)
    return tree.union(select(col(Zone.id)).join(tree, col(Zone.parent_id) == tree.c.id))


def all_members(zone_id: int) -> pages.Statement:
    """Ids of the lamps of this zone and of the zones within it, retired ones too."""
    tree = within(zone_id, "reached")
    return select(col(ZoneMember.lamp_id)).where(col(ZoneMember.zone_id).in_(select(tree.c.id)))


def effective_members(zone_id: int) -> pages.Statement:
    """Ids of the lamps in service of this zone and of the zones within it, each once."""
    tree = within(zone_id)
    return (
        select(col(ZoneMember.lamp_id))
        .join(Lamp, col(Lamp.id) == col(ZoneMember.lamp_id))
        .where(col(ZoneMember.zone_id).in_(select(tree.c.id)), col(Lamp.retired_at_ms).is_(None))
        .distinct()
    )


def zones_of(session: Session, lamp_id: int) -> Sequence[int]:
    """Every zone that holds this lamp, by itself or through a zone within."""
    own: pages.Statement = select(col(Zone.id).label("id"), col(Zone.parent_id).label("parent_id")).where(
        col(Zone.id).in_(select(col(ZoneMember.zone_id)).where(col(ZoneMember.lamp_id) == lamp_id))
    )
    tree = own.cte("around", recursive=True)
    tree = tree.union(select(col(Zone.id), col(Zone.parent_id)).join(tree, col(Zone.id) == tree.c.parent_id))
    return list(session.execute(select(tree.c.id).distinct().order_by(tree.c.id)).scalars())


def is_within(session: Session, inner_id: int, outer_id: int) -> bool:
    tree = within(outer_id)
    return session.execute(select(tree.c.id).where(tree.c.id == inner_id)).first() is not None


def list_members(
    session: Session, zone_id: int, query: pages.PageQuery, effective: bool
) -> tuple[list[int], str | None]:
    """Ids of lamps, in order."""
    among = effective_members(zone_id) if effective else _own_lamps(zone_id)
    rows, cursor = pages.fetch(session, select(col(Lamp.id)).where(col(Lamp.id).in_(among)), (col(Lamp.id),), query)
    return [row[0] for row in rows], cursor


def member_ids(session: Session, zone_id: int) -> set[int]:
    return set(session.execute(_own_lamps(zone_id)).scalars())


def add_members(session: Session, zone_id: int, lamp_ids: Iterable[int]) -> None:
    rows = [{"zone_id": zone_id, "lamp_id": lamp_id} for lamp_id in lamp_ids]
    if rows:
        session.execute(insert(ZoneMember), rows)


def remove_members(session: Session, zone_id: int, lamp_ids: Iterable[int]) -> None:
    ids = list(lamp_ids)
    for start in range(0, len(ids), _CHUNK):
        chunk = col(ZoneMember.lamp_id).in_(ids[start : start + _CHUNK])
        session.execute(delete(ZoneMember).where(col(ZoneMember.zone_id) == zone_id, chunk))


def _own_lamps(zone_id: int) -> pages.Statement:
    return select(col(ZoneMember.lamp_id)).where(col(ZoneMember.zone_id) == zone_id)


def _member_count() -> Any:
    return select(func.count()).where(col(ZoneMember.zone_id) == col(Zone.id)).correlate(Zone).scalar_subquery()


def parents(session: Session) -> dict[int, int | None]:
    """Every zone with the zone that it is part of."""
    return {row[0]: row[1] for row in session.execute(select(col(Zone.id), col(Zone.parent_id)))}


def memberships(session: Session, lamp_ids: Sequence[int]) -> dict[int, list[int]]:
    """For each of these lamps the zones that hold it by itself, in order."""
    found: dict[int, list[int]] = {}
    for start in range(0, len(lamp_ids), _CHUNK):
        among = col(ZoneMember.lamp_id).in_(lamp_ids[start : start + _CHUNK])
        statement = select(col(ZoneMember.lamp_id), col(ZoneMember.zone_id)).where(among)
        for lamp_id, zone_id in session.execute(statement.order_by(col(ZoneMember.zone_id))):
            found.setdefault(lamp_id, []).append(zone_id)
    return found
