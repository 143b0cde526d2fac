"""Every report carries the digest of the schedule that the lamp holds: it settles, or unsettles, what is desired."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.schedules import repository
from backend.schedules.models import Status
from contract.objects import lamp_status

_DIGEST = (lamp_status.SCHEDULE_DIGEST.object, lamp_status.SCHEDULE_DIGEST.id)


def ingestor(unsettled: Callable[[Iterable[int]], None]) -> Callable[[Connection, Sequence[Report]], None]:
    """An ingestor that tells `unsettled` which lamps hold something else than they should."""

    def ingest(connection: Connection, reports: Sequence[Report]) -> None:
        unsettled(settle(connection, reports))

    return ingest


def settle(connection: Connection, reports: Sequence[Report]) -> list[int]:
    """Compare the newest digest of each lamp; verified ones are noted, the lamps that differ are returned."""
    reported: dict[int, tuple[str, int]] = {}
    for report in reports:
        for record in report.records:
            if (record.path.object, record.path.resource) == _DIGEST and isinstance(record.value, str):
                reported[report.lamp_id] = (record.value, report.received_ms)
    if not reported:
        return []
    differing = []
    for lamp_id, (digest, status) in repository.desired_digests(connection, sorted(reported)).items():
        held, at_ms = reported[lamp_id]
        if held == digest:
            if status != Status.VERIFIED:
                repository.set_status(connection, lamp_id, digest, status=Status.VERIFIED, verified_ms=at_ms, detail="")
        elif status != Status.REFUSED:
            if status == Status.VERIFIED:
                detail = "the lamp holds another schedule than it had verified"
                repository.set_status(connection, lamp_id, digest, status=Status.PENDING, detail=detail)
            differing.append(lamp_id)
    return differing
