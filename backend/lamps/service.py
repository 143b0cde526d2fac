"""What can be done with lamps: create, find, list, change, retire."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col

from backend.audit.service import note
from backend.errors import BadInput, Conflict, FieldError, NotFound
from backend.kit.changes import note_changed
from backend.kit.pages import PageQuery, Statement
from backend.kit.sorting import parse_sort
from backend.lamps import repository
from backend.lamps.ingest import REPORTED, set_fault_counts
from backend.lamps.lives import Life
from backend.lamps.models import Lamp
from backend.lamps.repository import LampFilter, LampRow

__all__ = ["REPORTED", "LampFilter", "LampRow", "set_fault_counts"]

CONTROLLER = "lamp controller"
"""Kind of change: another controller hangs there, or one that lost everything; it holds nothing of what was sent."""
PLACE_OR_ZONES = "lamp place or zones"
"""Kind of change (`backend.kit.changes`): a lamp's schedule may mean something else now, or be another one."""

Revoke = Callable[[Session, int], object]
"""Takes the keys of a lamp away: `Credentials.revoke` of the device server."""


def create(session: Session, now_real_ms: int, values: Mapping[str, Any]) -> Lamp:
    """A new lamp with these columns. Raises `Conflict` when the endpoint is taken, by a retired lamp too."""
    existing = repository.find_by_endpoint(session, values["endpoint"])
    if existing is not None:
        kind = "in service" if existing.retired_at_ms is None else "retired"
        raise Conflict(
            f"The endpoint {existing.endpoint} belongs to lamp {existing.id} ({kind}).",
            "Change that lamp, or enrol the endpoint again to bring a retired lamp back into service.",
            [FieldError(field="endpoint", reason=f"belongs to lamp {existing.id}")],
        )
    lamp = repository.add(session, Lamp(**values, created_at_ms=now_real_ms, updated_at_ms=now_real_ms))
    note(session, "lamp", lamp.id, f"created {lamp.endpoint}")
    return lamp


def get(session: Session, lamp_id: int, *, for_update: bool = False) -> Lamp:
    """The lamp, retired or not. Raises `NotFound`."""
    lamp = (repository.find_for_update if for_update else repository.find)(session, lamp_id)
    if lamp is None:
        raise NotFound(f"There is no lamp {lamp_id}.")
    return lamp


def find_by_endpoint(session: Session, endpoint: str) -> Lamp | None:
    return repository.find_by_endpoint(session, endpoint)


def find_by_asset(session: Session, asset_id: str) -> Sequence[Lamp]:
    """The lamps in service with this asset id: more than one is a mistake of the inventory."""
    return repository.find_in_service(session, col(Lamp.asset_id), asset_id)


def find_by_serial(session: Session, serial: str) -> Sequence[Lamp]:
    """The lamps in service with this controller."""
    return repository.find_in_service(session, col(Lamp.serial), serial)


def count_by_life(session: Session, reached: Statement | None) -> dict[Life, int]:
    """How many lamps there are in each life; `reached` selects lamp ids."""
    return repository.count_by_life(session, reached)


def put_controller(session: Session, lamp: Lamp, endpoint: str) -> None:
    """Another controller takes this lamp's place (or the same one, empty again): the lamp keeps its id, name, place,
    zones, schedules and history; what the controller before said of itself is forgotten."""
    assert lamp.id is not None
    if endpoint != lamp.endpoint:
        lamp.serial = ""
    lamp.endpoint = endpoint
    lamp.provisioned_at_ms = lamp.enrolled_at_ms = lamp.commissioned_at_ms = None
    session.flush()
    repository.forget_state(session, lamp.id)
    note_changed(session, CONTROLLER, [lamp.id])


def free_endpoint(session: Session, lamp: Lamp) -> None:
    """Let a retired lamp give its endpoint up: its history goes on under another name."""
    lamp.endpoint = f"{lamp.endpoint}~{lamp.id}"
    session.flush()


def get_row(session: Session, lamp_id: int) -> LampRow:
    """The lamp with its last state and registration. Raises `NotFound`."""
    row = repository.find_row(session, lamp_id)
    if row is None:
        raise NotFound(f"There is no lamp {lamp_id}.")
    return row


def list_rows(
    session: Session, wanted: LampFilter, query: PageQuery, sort: str, now_real_ms: int
) -> tuple[list[LampRow], str | None]:
    """One page of lamps and the cursor of the next."""
    keys, descending = parse_sort(sort, repository.SORTS)
    return repository.list_rows(session, wanted, query, keys, descending, now_real_ms)


def check_in_service(session: Session, lamp_ids: Iterable[int], field: str) -> None:
    """Raises `BadInput` that names every id that is no lamp in service, as an item of `field`."""
    ids = list(lamp_ids)
    known = repository.unretired(session, set(ids))
    errors = [
        FieldError(field=f"{field}.{position}", reason=f"there is no lamp {lamp_id} in service")
        for position, lamp_id in enumerate(ids)
        if lamp_id not in known
    ]
    if errors:
        raise BadInput(f"{len(errors)} of {len(ids)} lamps cannot be used.", errors=errors[:100])


def update(session: Session, lamp_id: int, now_real_ms: int, changes: Mapping[str, Any]) -> Lamp:
    """Set these columns. A retired lamp is history and refuses."""
    lamp = get(session, lamp_id, for_update=True)
    if lamp.retired_at_ms is not None:
        raise Conflict(f"Lamp {lamp_id} is retired.", "Enrol its endpoint again to bring it back into service.")
    apply(session, lamp, now_real_ms, changes)
    return lamp


def apply(session: Session, lamp: Lamp, now_real_ms: int, changes: Mapping[str, Any]) -> None:
    """Set these columns of a lamp that was got for update; nothing happens when all are as they should be."""
    changed = [name for name, value in changes.items() if getattr(lamp, name) != value]
    for name in changed:
        setattr(lamp, name, changes[name])
    if changed:
        lamp.updated_at_ms = now_real_ms
        session.flush()
    if lamp.id is not None and not {"latitude_e6", "longitude_e6", "time_zone"}.isdisjoint(changed):
        note_changed(session, PLACE_OR_ZONES, [lamp.id])
    note(session, "lamp", lamp.id, ", ".join(changed) or "nothing changed")


def retire(session: Session, lamp_id: int, now_real_ms: int, revoke: Revoke) -> Lamp:
    """Out of service: its keys are revoked, its history stays. Retiring it again changes nothing."""
    lamp = get(session, lamp_id, for_update=True)
    if lamp.retired_at_ms is None:
        lamp.retired_at_ms = lamp.updated_at_ms = now_real_ms
        revoke(session, lamp_id)
        session.flush()
    note(session, "lamp", lamp.id, "retired")
    return lamp
