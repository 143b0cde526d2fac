"""Reports to rows: which resource fills which column. Runs in the group's transaction, before the acknowledgement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.kit.fitting import measured_at
from backend.lamps.service import REPORTED
from backend.telemetry import repository
from backend.telemetry.models import Reading

# What the lamp's state takes from a report is what a reading keeps, as far as a reading has a column for it.
COLUMNS = {key: entry for key, entry in REPORTED.items() if entry[0] in Reading.model_fields}
# A moment is a reading when it measures or shows the light; the rung alone is a remark about it.
_MEASURES = {column for column, _ in COLUMNS.values()} - {"rung"}
_EMPTY: dict[str, Any] = dict.fromkeys([column for column, _ in COLUMNS.values()])


def ingest(connection: Connection, reports: Sequence[Report]) -> None:
    """Store every reading of the reports once; records of other kinds are not ours."""
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for report in reports:
        for record in report.records:
            path = record.path
            known = COLUMNS.get((path.object, path.resource))
            if known is None or path.instance != 0 or path.resource_instance is not None:
                continue
            column, fit = known
            value = fit(record.value)
            if value is None:
                continue
            # A lamp without a clock sends no time: the moment of its arrival is the best that is known.
            at_ms = measured_at(record.time_s, report.received_ms)
            key = (at_ms, report.lamp_id)
            row = rows.get(key)
            if row is None:
                row = rows[key] = {"at_ms": at_ms, "lamp_id": report.lamp_id, **_EMPTY}
            row[column] = value
    readings = [row for row in rows.values() if any(row[column] is not None for column in _MEASURES)]
    repository.add(connection, readings)
