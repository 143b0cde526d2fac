"""Reported transitions to faults; inside the group's transaction, before the acknowledgement.

A report may come twice, late, or out of order. The transition's own time decides, and the result is the same:

    raise, unknown, fault in force then   nothing new
    raise, a later clear known            a fault that is past already
    raise, an open fault began later      that fault began earlier
    raise otherwise                       a fault is open
    clear                                 what was open by then is cleared
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.faults import repository
from backend.lamps import service as lamps
from contract import faults as catalogue


def ingest(connection: Connection, reports: Sequence[Report]) -> None:
    """Apply every Boolean record on a fault's resource."""
    touched: set[int] = set()
    for lamp_id, code, at_ms, raised, received_ms in _transitions(reports):
        if apply(connection, lamp_id, code, at_ms, raised, received_ms):
            touched.add(lamp_id)
    count(connection, touched)


def apply(connection: Connection, lamp_id: int, code: int, at_ms: int, raised: bool, received_ms: int) -> bool:
    """One transition; False when it was known. The caller counts afterwards."""
    if not repository.add_transition(connection, lamp_id, code, at_ms, raised, received_ms):
        return False
    if not raised:
        repository.clear(connection, lamp_id, code, at_ms)
    elif not repository.holds(connection, lamp_id, code, at_ms):
        cleared_at_ms = repository.find_clear_after(connection, lamp_id, code, at_ms)
        if cleared_at_ms is not None or not repository.move_start(connection, lamp_id, code, at_ms):
            severity = catalogue.get(code).severity
            repository.add(connection, lamp_id, code, severity, at_ms, cleared_at_ms)
    return True


def count(connection: Connection, lamp_ids: set[int]) -> None:
    """Bring the fault counts in the lamps' state up to date."""
    if lamp_ids:
        lamps.set_fault_counts(connection, repository.count_open(connection, sorted(lamp_ids)))


def _transitions(reports: Sequence[Report]) -> Iterator[tuple[int, int, int, bool, int]]:
    for report in reports:
        for record in report.records:
            if not isinstance(record.value, bool):
                continue
            fault = catalogue.find_by_path(record.path)
            if fault is None:
                continue
            at_ms = report.received_ms if record.time_s is None else record.time_s * 1000
            yield report.lamp_id, fault.code, at_ms, record.value, report.received_ms
