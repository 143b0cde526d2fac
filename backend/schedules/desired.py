"""What each lamp should hold: kept up to date in the transaction of whatever changes it.

Assignments, schedules, memberships, places and time zones all end here; a lamp's row changes only when its digest does.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from sqlmodel import Session

from backend.kit.changes import take_changed
from backend.lamps.service import PLACE_OR_ZONES
from backend.schedules import repository
from backend.schedules.compiler import compiled, empty
from backend.schedules.models import Schedule, Status
from backend.schedules.resolution import schedule_of
from backend.zones import service as zones
from contract import schedule as engine

Place = tuple[int, int, str]


def refresh(session: Session, lamp_ids: Sequence[int], now_ms: int) -> list[int]:
    """Work out what these lamps should hold; the ids of those for which that changed.

    A lamp that never had a schedule and gets none is left alone: it may hold one from elsewhere. Raises BadInput when a
    schedule does not compile at a lamp's place.
    """
    places = repository.places(session, lamp_ids)
    by_lamp, by_zone = repository.assignments(session)
    parents = zones.parents(session)
    memberships = zones.memberships(session, sorted(places))
    chosen = {
        lamp_id: schedule_of(lamp_id, by_lamp, by_zone, memberships.get(lamp_id, []), parents) for lamp_id in places
    }
    schedules = repository.documents(session, {schedule_id for schedule_id in chosen.values() if schedule_id})
    before = repository.desired(session, sorted(places))
    digests: dict[tuple[int | None, Place], str] = {}
    rows: list[dict[str, Any]] = []
    for lamp_id, place in places.items():
        schedule = schedules.get(chosen[lamp_id] or 0)
        old = before.get(lamp_id)
        if schedule is None and old is None:
            continue
        key = (schedule.id if schedule else None, place)
        if key not in digests:
            digests[key] = engine.digest(for_lamp(schedule, place, now_ms))
        row = _row(lamp_id, schedule, digests[key])
        if old is not None and old.digest == row["digest"]:
            # The same light by another name: nothing to send, so the status stays.
            row |= {"status": old.status, "detail": old.detail, "sent_ms": old.sent_ms, "verified_ms": old.verified_ms}
        rows.append(row)
    repository.write_desired(session, rows)
    return [row["lamp_id"] for row in rows if row["status"] == Status.PENDING]


def refresh_changed(session: Session, request: Request) -> None:
    """Before a request's commit: follow up what it changed in places, time zones and memberships."""
    changed = take_changed(session, PLACE_OR_ZONES)
    if changed:
        refresh(session, sorted(changed), request.app.state.clock.now_ms())


def follow_swaps(session: Session, lamp_ids: Sequence[int]) -> None:
    """These lamps' new controllers hold no schedule yet."""
    repository.hold_no_more(session, lamp_ids)


def for_lamp(schedule: Schedule | None, place: Place, now_ms: int) -> Any:
    """The engine's schedule for a lamp at this place."""
    return empty(place, now_ms) if schedule is None else compiled(schedule.document, place, now_ms)


def _row(lamp_id: int, schedule: Schedule | None, digest: str) -> dict[str, Any]:
    return {
        "lamp_id": lamp_id,
        "schedule_id": schedule.id if schedule else None,
        "version": schedule.version if schedule else None,
        "digest": digest,
        "status": Status.PENDING,
        "detail": "",
        "sent_ms": None,
        "verified_ms": None,
    }
