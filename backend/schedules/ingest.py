"""Every report carries the digest of the schedule that the lamp holds: it settles, or unsettles, what is desired."""

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.schedules import repository
from backend.schedules.models import Status
from contract.objects import lamp_status

_DIGEST = (lamp_status.SCHEDULE_DIGEST.object, lamp_status.SCHEDULE_DIGEST.id)


def ingest(connection: Connection, reports: Sequence[Report]) -> None:
    """Compare the newest digest of each lamp with the one that it should hold; `delivery` finds what is pending.

    What a lamp held before it was verified says nothing against it: such a report waited, or was overtaken."""
    reported: dict[int, tuple[str, int, int | None]] = {}
    for report in reports:
        for record in report.records:
            if (record.path.object, record.path.resource) == _DIGEST and isinstance(record.value, str):
                reported[report.lamp_id] = (record.value, report.received_ms, record.time_s)
    if not reported:
        return
    for lamp_id, (digest, status, verified_ms) in repository.desired_digests(connection, sorted(reported)).items():
        held, at_ms, held_s = reported[lamp_id]
        if held == digest:
            if status != Status.VERIFIED:
                repository.set_status(connection, lamp_id, digest, status=Status.VERIFIED, verified_ms=at_ms, detail="")
        elif status == Status.VERIFIED and not _is_before(held_s, verified_ms):
            detail = "the lamp holds another schedule than it had verified"
            repository.set_status(connection, lamp_id, digest, status=Status.PENDING, detail=detail)


def _is_before(held_s: int | None, verified_ms: int | None) -> bool:
    return held_s is not None and verified_ms is not None and (held_s + 1) * 1000 <= verified_ms
