"""Reports to rows: which resource fills which column. Runs in the group's transaction, before the acknowledgement."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.kit.fitting import Fit, line, measured_at, number, percent
from backend.telemetry import repository
from contract.objects import electrical_monitor, lamp_status, outdoor_lamp_controller

# (object, resource) -> (column, what fits into it). The lamp has one light: instance 0.
COLUMNS: Mapping[tuple[int, int], tuple[str, Fit]] = {
    (resource.object, resource.id): (column, fit)
    for resource, column, fit in (
        (outdoor_lamp_controller.DIMMING_LEVEL, "level", percent),
        (outdoor_lamp_controller.COMMAND_IN_ACTION, "command_in_action", percent),
        (outdoor_lamp_controller.LAMP_OPERATING_HOURS, "operating_hours", number),
        (outdoor_lamp_controller.CONTROL_GEAR_TEMPERATURE, "temperature_c", number),
        (electrical_monitor.SUPPLY_VOLTAGE, "voltage_v", number),
        (electrical_monitor.SUPPLY_CURRENT, "current_a", number),
        (electrical_monitor.ACTIVE_POWER, "power_w", number),
        (electrical_monitor.POWER_FACTOR, "power_factor", number),
        (electrical_monitor.CUMULATED_ACTIVE_ENERGY, "energy_wh", number),
        (lamp_status.RUNG, "rung", line(32)),
    )
}
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
