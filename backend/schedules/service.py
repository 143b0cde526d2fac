"""Schedules for people: write, assign, read, see how far each lamp is. `desired` keeps the consequences."""

from typing import Any

from sqlmodel import Session

from backend.audit.service import note
from backend.errors import BadInput, Conflict, FieldError, NotFound
from backend.kit.pages import Page, PageQuery
from backend.lamps import service as lamps
from backend.schedules import desired, repository
from backend.schedules.compiler import ANYWHERE, compiled
from backend.schedules.models import Schedule, Status
from backend.schedules.shapes import (
    AssignmentInput,
    AssignmentPublic,
    LampSchedulePublic,
    LampScheduleQuery,
    ScheduleInput,
    SchedulePublic,
)
from backend.zones import service as zones


def create(session: Session, body: ScheduleInput, now_ms: int) -> SchedulePublic:
    """Store a schedule that the engine accepts. Raises BadInput with the field, Conflict for a name that is taken."""
    _check_name(session, body.name, None)
    document = _document(body, now_ms)
    schedule = Schedule(
        name=body.name, description=body.description, document=document, created_ms=now_ms, updated_ms=now_ms
    )
    repository.add(session, schedule)
    note(session, "schedule", schedule.id, f"created {schedule.name}")
    return _public(schedule, {})


def replace(session: Session, schedule_id: int, body: ScheduleInput, now_ms: int) -> SchedulePublic:
    """Change all of it; its lamps will get the new version."""
    schedule = get(session, schedule_id, for_change=True)
    _check_name(session, body.name, schedule_id)
    document = _document(body, now_ms)
    if document != schedule.document:
        schedule.document = document
        schedule.version += 1
    schedule.name, schedule.description, schedule.updated_ms = body.name, body.description, now_ms
    session.add(schedule)
    session.flush()
    note(session, "schedule", schedule_id, f"version {schedule.version}")
    desired.refresh(session, repository.lamps_desiring(session, [schedule_id]), now_ms)
    return public(session, schedule_id)


def delete(session: Session, schedule_id: int, now_ms: int) -> None:
    """Remove it and its assignments; its lamps fall back to another assignment, or to their default level."""
    schedule = get(session, schedule_id, for_change=True)
    affected = repository.lamps_desiring(session, [schedule_id])
    note(session, "schedule", schedule_id, f"deleted {schedule.name}")
    repository.remove(session, schedule)
    desired.refresh(session, affected, now_ms)


def get(session: Session, schedule_id: int, for_change: bool = False) -> Schedule:
    schedule = repository.find(session, schedule_id, for_change)
    if schedule is None:
        raise NotFound(f"There is no schedule {schedule_id}.")
    return schedule


def public(session: Session, schedule_id: int) -> SchedulePublic:
    return _public(get(session, schedule_id), repository.counts(session, [schedule_id]).get(schedule_id, {}))


def listed(session: Session, query: PageQuery) -> Page[SchedulePublic]:
    rows, cursor = repository.page(session, query)
    found = [row[0] for row in rows]
    counts = repository.counts(session, [schedule.id for schedule in found])
    return Page(items=[_public(schedule, counts.get(schedule.id, {})) for schedule in found], next_cursor=cursor)


def assign(session: Session, schedule_id: int, body: AssignmentInput, now_ms: int) -> AssignmentPublic:
    """Give it to lamps and zones. Raises BadInput for an unknown one, or for a lamp that has no room for it."""
    get(session, schedule_id)
    lamp_ids, zone_ids = _targets(session, body)
    repository.assign(session, schedule_id, lamp_ids, zone_ids)
    note(session, "schedule", schedule_id, f"assigned to {len(lamp_ids)} lamps and {len(zone_ids)} zones")
    desired.refresh(session, _affected(session, lamp_ids, zone_ids), now_ms)
    return assigned(session, schedule_id)


def unassign(session: Session, schedule_id: int, body: AssignmentInput, now_ms: int) -> AssignmentPublic:
    """Take it from these lamps and zones; those that do not have it are passed over."""
    get(session, schedule_id)
    lamp_ids, zone_ids = _targets(session, body)
    repository.unassign(session, lamp_ids, zone_ids, schedule_id)
    note(session, "schedule", schedule_id, f"taken from {len(lamp_ids)} lamps and {len(zone_ids)} zones")
    desired.refresh(session, _affected(session, lamp_ids, zone_ids), now_ms)
    return assigned(session, schedule_id)


def assigned(session: Session, schedule_id: int) -> AssignmentPublic:
    get(session, schedule_id)
    lamp_ids, zone_ids = repository.assigned_to(session, schedule_id)
    return AssignmentPublic(
        lamp_ids=lamp_ids, zone_ids=zone_ids, lamps=len(repository.lamps_desiring(session, [schedule_id]))
    )


def lamps_of(session: Session, schedule_id: int, query: LampScheduleQuery) -> Page[LampSchedulePublic]:
    """How far each lamp of a schedule is."""
    get(session, schedule_id)
    rows, cursor = repository.lamp_rows(session, query, schedule_id, None, query.status)
    return Page(items=[_lamp(row) for row in rows], next_cursor=cursor)


def of_lamp(session: Session, lamp_id: int) -> LampSchedulePublic:
    """What one lamp should hold and does. Raises NotFound for an unknown lamp or one that never had a schedule."""
    lamps.get(session, lamp_id)
    rows, _ = repository.lamp_rows(session, PageQuery(cursor=None, limit=1), None, lamp_id, None)
    if not rows:
        raise NotFound(f"Lamp {lamp_id} has no schedule.", "Assign one to it, or to a zone that holds it.")
    return _lamp(rows[0])


def _targets(session: Session, body: AssignmentInput) -> tuple[list[int], list[int]]:
    if not body.lamp_ids and not body.zone_ids:
        raise BadInput.of("lamp_ids", "name at least one lamp or zone")
    lamp_ids, zone_ids = sorted(set(body.lamp_ids)), sorted(set(body.zone_ids))
    lamps.check_in_service(session, body.lamp_ids, "lamp_ids")
    known = zones.parents(session)
    errors = [
        FieldError(field=f"zone_ids.{position}", reason=f"there is no zone {zone_id}")
        for position, zone_id in enumerate(body.zone_ids)
        if zone_id not in known
    ]
    if errors:
        raise BadInput("Some zones do not exist.", errors=errors)
    return lamp_ids, zone_ids


def _affected(session: Session, lamp_ids: list[int], zone_ids: list[int]) -> list[int]:
    affected = set(lamp_ids)
    for zone_id in zone_ids:
        affected |= set(zones.lamp_ids(session, zone_id))
    return sorted(affected)


def _document(body: ScheduleInput, now_ms: int) -> dict[str, Any]:
    document = body.model_dump(mode="json", include={"programs", "calendar"})
    compiled(document, ANYWHERE, now_ms)
    return document


def _check_name(session: Session, name: str, own_id: int | None) -> None:
    other = repository.find_by_name(session, name)
    if other is not None and other.id != own_id:
        reason = f"is the name of schedule {other.id}"
        raise Conflict(
            f"Schedule {other.id} has this name already.",
            "Choose another name.",
            [FieldError(field="name", reason=reason)],
        )


def _public(schedule: Schedule, counts: dict[str, int]) -> SchedulePublic:
    return SchedulePublic(
        id=schedule.id or 0,
        name=schedule.name,
        description=schedule.description,
        version=schedule.version,
        programs=schedule.document["programs"],
        calendar=schedule.document["calendar"],
        created_at=schedule.created_ms,
        updated_at=schedule.updated_ms,
        lamps={Status(status): count for status, count in sorted(counts.items())},
    )


def _lamp(row: Any) -> LampSchedulePublic:
    wanted, endpoint, reported = row[0], row[1], row[2]
    return LampSchedulePublic(
        lamp_id=wanted.lamp_id,
        endpoint=endpoint,
        schedule_id=wanted.schedule_id,
        version=wanted.version,
        status=wanted.status,
        digest_desired=wanted.digest,
        # Verified means that the lamp was asked, maybe after its last report; a report that says otherwise ends it.
        digest_reported=wanted.digest if wanted.status == Status.VERIFIED else reported,
        sent_at=wanted.sent_ms,
        verified_at=wanted.verified_ms,
        detail=wanted.detail,
    )
