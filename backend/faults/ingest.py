"""Reported transitions to faults; inside the group's transaction, before the acknowledgement.

A report may come twice, late, or out of order. The transitions are what is known; the faults since the one that a new
transition falls into are worked out again from them (`episodes`), so that the order of arrival does not matter.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.faults import repository
from backend.faults.episodes import Key, episodes
from backend.kit.fitting import measured_at
from backend.lamps import service as lamps
from contract import faults as catalogue


def ingest(connection: Connection, reports: Sequence[Report]) -> None:
    """Apply every Boolean record on a fault's resource."""
    touched: set[int] = set()
    for lamp_id, code, at_ms, raised, received_ms in _transitions(reports):
        if apply(connection, lamp_id, code, at_ms, raised, received_ms):
            touched.add(lamp_id)
    count(connection, touched)


def apply(
    connection: Connection,
    lamp_id: int,
    code: int,
    at_ms: int,
    raised: bool,
    received_ms: int,
    said_by: str | None = None,
) -> bool:
    """One transition; False when it was known. The caller counts afterwards."""
    key = Key(lamp_id, code)
    if not repository.add_transition(connection, key, at_ms, raised, received_ms, said_by):
        return False
    since_ms = repository.start_of_episode(connection, key, at_ms)
    found = episodes(repository.transitions_since(connection, key, since_ms))
    repository.replace_since(connection, key, since_ms, found, catalogue.get(code).severity)
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
            at_ms = measured_at(record.time_s, report.received_ms)
            yield report.lamp_id, fault.code, at_ms, record.value, report.received_ms
