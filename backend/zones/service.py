"""What can be done with zones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from backend.audit.service import note
from backend.errors import BadInput, Conflict, FieldError, NotFound
from backend.kit.changes import note_changed
from backend.kit.pages import PageQuery, Statement
from backend.lamps.service import PLACE_OR_ZONES
from backend.zones import repository
from backend.zones.models import Zone

CheckLamps = Callable[[Session, Sequence[int], str], None]
"""Raises `BadInput` for ids that are no lamps in service: `lamps.service.check_in_service` (it imports this module)."""


def create(session: Session, now_real_ms: int, values: Mapping[str, Any]) -> Zone:
    """Raises `Conflict` when the name is taken, `BadInput` when the parent does not exist."""
    _check_name(session, values["name"], None)
    if values.get("parent_id") is not None:
        _check_parent(session, values["parent_id"])
    zone = repository.add(session, Zone(**values, created_at_ms=now_real_ms, updated_at_ms=now_real_ms))
    note(session, "zone", zone.id, f"created {zone.name}")
    return zone


def get(session: Session, zone_id: int) -> Zone:
    zone = repository.find(session, zone_id)
    if zone is None:
        raise NotFound(f"There is no zone {zone_id}.")
    return zone


def find_city(session: Session, name: str) -> int:
    """The id of the top-level zone of this name: a city. Raises `BadInput`."""
    zone = repository.find_by_name(session, name)
    if zone is None or zone.id is None:
        raise BadInput.of("city", f"there is no zone {name!r}; a city is a zone without a parent: make it first")
    if zone.parent_id is not None:
        raise BadInput.of("city", f"zone {name!r} lies within zone {zone.parent_id}: a city has no parent")
    return zone.id


def list_zones(
    session: Session, query: PageQuery, parent_id: int | None, lamp_id: int | None, text: str | None
) -> tuple[list[Any], str | None]:
    return repository.list_zones(session, query, parent_id, lamp_id, text)


def member_count(session: Session, zone_id: int) -> int:
    """Lamps that are members by themselves."""
    return repository.member_count(session, zone_id)


def update(session: Session, zone_id: int, now_real_ms: int, changes: Mapping[str, Any]) -> Zone:
    """Set these columns. Raises `BadInput` when the new parent is the zone itself or lies within it."""
    repository.lock_tree(session)
    zone = get(session, zone_id)
    if "name" in changes:
        _check_name(session, changes["name"], zone_id)
    if changes.get("parent_id") is not None:
        _check_parent(session, changes["parent_id"])
        if repository.is_within(session, changes["parent_id"], zone_id):
            raise BadInput.of("parent_id", f"zone {changes['parent_id']} lies within zone {zone_id}: choose another")
    moved = "parent_id" in changes and changes["parent_id"] != zone.parent_id
    for name, value in changes.items():
        setattr(zone, name, value)
    zone.updated_at_ms = now_real_ms
    session.flush()
    if moved:
        note_changed(session, PLACE_OR_ZONES, lamp_ids(session, zone_id))
    note(session, "zone", zone_id, ", ".join(changes) or "nothing changed")
    return zone


def delete(session: Session, zone_id: int) -> None:
    """Remove the zone; its lamps stay. Raises `Conflict` while it holds other zones."""
    repository.lock_tree(session)
    zone = get(session, zone_id)
    if repository.has_children(session, zone_id):
        raise Conflict(f"Zone {zone_id} holds other zones.", "Move or delete the zones within it first.")
    note_changed(session, PLACE_OR_ZONES, repository.member_ids(session, zone_id))
    repository.remove(session, zone)
    note(session, "zone", zone_id, f"deleted {zone.name}")


def list_members(session: Session, zone_id: int, query: PageQuery, effective: bool) -> tuple[list[int], str | None]:
    """Lamp ids; `effective` adds the lamps of the zones within and leaves out retired ones."""
    get(session, zone_id)
    return repository.list_members(session, zone_id, query, effective)


def replace_members(session: Session, zone_id: int, lamp_ids: Sequence[int], check: CheckLamps) -> int:
    """Make exactly these lamps the members; returns how many there are."""
    wanted, present = set(lamp_ids), _present(session, zone_id)
    check(session, [lamp_id for lamp_id in lamp_ids if lamp_id not in present], "lamp_ids")
    repository.remove_members(session, zone_id, present - wanted)
    repository.add_members(session, zone_id, sorted(wanted - present))
    note_changed(session, PLACE_OR_ZONES, wanted ^ present)
    note(session, "zone", zone_id, f"members replaced: {len(wanted)}")
    return len(wanted)


def add_members(session: Session, zone_id: int, lamp_ids: Sequence[int], check: CheckLamps) -> int:
    """Add lamps; those that are members already stay."""
    present = _present(session, zone_id)
    new = sorted(set(lamp_ids) - present)
    check(session, lamp_ids, "lamp_ids")
    repository.add_members(session, zone_id, new)
    note_changed(session, PLACE_OR_ZONES, new)
    note(session, "zone", zone_id, f"members added: {len(new)}")
    return len(present) + len(new)


def remove_members(session: Session, zone_id: int, lamp_ids: Sequence[int]) -> int:
    """Remove lamps; those that are no members are passed over, so that a repeat is harmless."""
    present = _present(session, zone_id)
    gone = present & set(lamp_ids)
    repository.remove_members(session, zone_id, gone)
    note_changed(session, PLACE_OR_ZONES, gone)
    note(session, "zone", zone_id, f"members removed: {len(gone)}")
    return len(present) - len(gone)


def effective_members(session: Session, zone_id: int) -> Statement:
    """A query of the ids of the lamps in service in this zone and the zones within it. Raises `NotFound`."""
    get(session, zone_id)
    return repository.effective_members(zone_id)


def all_members(zone_id: int) -> Statement:
    """A query of the ids of all lamps, retired ones too, in this zone and the zones within it."""
    return repository.all_members(zone_id)


def join(session: Session, zone_id: int, lamp_id: int) -> None:
    """Make a lamp that is new a member by itself."""
    repository.add_members(session, zone_id, [lamp_id])
    note_changed(session, PLACE_OR_ZONES, [lamp_id])


def lamp_ids(session: Session, zone_id: int) -> list[int]:
    """The same, run and sorted."""
    return sorted(session.execute(effective_members(session, zone_id)).scalars())


def zones_of(session: Session, lamp_id: int) -> Sequence[int]:
    """Ids of every zone that holds this lamp, by itself or through a zone within."""
    return repository.zones_of(session, lamp_id)


def parents(session: Session) -> dict[int, int | None]:
    """Every zone with the zone that it is part of."""
    return repository.parents(session)


def memberships(session: Session, lamp_ids: Sequence[int]) -> dict[int, list[int]]:
    """For each of these lamps the zones that hold it by itself, in order; a lamp without a zone is left out."""
    return repository.memberships(session, lamp_ids)


def _present(session: Session, zone_id: int) -> set[int]:
    get(session, zone_id)
    return repository.member_ids(session, zone_id)


def _check_name(session: Session, name: str, own_id: int | None) -> None:
    other = repository.find_by_name(session, name)
    if other is not None and other.id != own_id:
        raise Conflict(
            f"Zone {other.id} has this name already.",
            "Choose another name.",
            [FieldError(field="name", reason=f"is the name of zone {other.id}")],
        )


def _check_parent(session: Session, parent_id: int) -> None:
    if repository.find(session, parent_id) is None:
        raise BadInput.of("parent_id", f"there is no zone {parent_id}")
