"""Reports to rows: which resource fills which column. Runs in the group's transaction, before the acknowledgement."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.telemetry import repository
from contract.objects import electrical_monitor, lamp_status, outdoor_lamp_controller

_NUMBER = (int, float)
_WHOLE = (int,)

# (object, resource) -> (column, the types that its values may have). The lamp has one light: instance 0.
COLUMNS: Mapping[tuple[int, int], tuple[str, tuple[type, ...]]] = {
    (resource.object, resource.id): (column, kinds)
    for resource, column, kinds in (
        (outdoor_lamp_controller.DIMMING_LEVEL, "level", _WHOLE),
        (outdoor_lamp_controller.COMMAND_IN_ACTION, "command_in_action", _WHOLE),
        (outdoor_lamp_controller.LAMP_OPERATING_HOURS, "operating_hours", _NUMBER),
        (outdoor_lamp_controller.CONTROL_GEAR_TEMPERATURE, "temperature_c", _NUMBER),
        (electrical_monitor.SUPPLY_VOLTAGE, "voltage_v", _NUMBER),
        (electrical_monitor.SUPPLY_CURRENT, "current_a", _NUMBER),
        (electrical_monitor.ACTIVE_POWER, "power_w", _NUMBER),
        (electrical_monitor.POWER_FACTOR, "power_factor", _NUMBER),
        (electrical_monitor.CUMULATED_ACTIVE_ENERGY, "energy_wh", _NUMBER),
        (lamp_status.RUNG, "rung", (str,)),
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
            if path.instance != 0 or path.resource_instance is not None:
                continue
            column, kinds = COLUMNS.get((path.object, path.resource), ("", ()))
            if not isinstance(record.value, kinds) or isinstance(record.value, bool):
                continue
            # A lamp without a clock sends no time: the moment of its arrival is the best that is known.
            at_ms = report.received_ms if record.time_s is None else record.time_s * 1000
            key = (at_ms, report.lamp_id)
            row = rows.get(key)
            if row is None:
                row = rows[key] = {"at_ms": at_ms, "lamp_id": report.lamp_id, **_EMPTY}
            row[column] = record.value
    readings = [row for row in rows.values() if any(row[column] is not None for column in _MEASURES)]
    repository.add(connection, readings)
