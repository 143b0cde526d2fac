"""Reported transitions to faults; inside the group's transaction, before the acknowledgement.

A lamp whose flash took nothing any more forgets at its restart what it has told. So one that says that it has no fault
(its introduction after a start does) has none: what is open since before is over.

A report may come twice, late, or out of order. The transitions are what is known; the faults since the one that a new
transition falls into, or may flap with, are worked out again from them (`episodes`), so that the order of arrival does
not matter.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.faults import repository
from backend.faults.episodes import FLAPPING_SPAN_MS, Key, episodes, fold
from backend.kit.fitting import measured_at
from backend.lamps import service as lamps
from contract import faults as catalogue
from contract.objects import lamp_status
from contract.paths import path

ACTIVE = path(lamp_status.ID, 0, lamp_status.FAULTS_ACTIVE.id)


def ingest(connection: Connection, reports: Sequence[Report]) -> None:
    """Apply every Boolean record on a fault's resource, and what follows from a lamp's word that it has none."""
    touched: set[int] = set()
    for lamp_id, at_ms, received_ms in _healthy(reports):
        for code in repository.active_codes(connection, lamp_id, at_ms):
            if code != catalogue.COMMUNICATION_LOST.code and apply(
                connection, lamp_id, code, at_ms, False, received_ms
            ):
                touched.add(lamp_id)
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
    _work_out(connection, key, at_ms, received_ms)
    return True


def settle(connection: Connection, now_ms: int) -> None:
    """Close the flapping faults that have been calm for long enough."""
    calm = repository.calm(connection, now_ms - FLAPPING_SPAN_MS)
    for key, changed_at_ms in calm:
        _work_out(connection, key, changed_at_ms, now_ms)
    count(connection, {key.lamp_id for key, _ in calm})


def _work_out(connection: Connection, key: Key, at_ms: int, now_ms: int) -> None:
    # A transition decides about the flapping of what began within a span of it, and that by what began within another.
    since_ms = repository.start_of_run(connection, key, at_ms, at_ms - 2 * FLAPPING_SPAN_MS)
    found = fold(episodes(repository.transitions_since(connection, key, since_ms)), now_ms)
    repository.replace_since(connection, key, since_ms, found, catalogue.get(key.code).severity)


def count(connection: Connection, lamp_ids: set[int]) -> None:
    """Bring the fault counts in the lamps' state up to date."""
    if lamp_ids:
        lamps.set_fault_counts(connection, repository.count_open(connection, sorted(lamp_ids)))


def _healthy(reports: Sequence[Report]) -> Iterator[tuple[int, int, int]]:
    for report in reports:
        for record in report.records:
            if record.path == ACTIVE and record.value == 0 and not isinstance(record.value, bool):
                yield report.lamp_id, measured_at(record.time_s, report.received_ms), report.received_ms


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
