"""The newest values of reports become the state of the lamp, in the transaction of the group; no ORM rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from backend.device_server.ports import Report
from backend.kit.fitting import Fit, flag, line, measured_at, moment, number, percent, whole
from backend.kit.upserts import upsert
from backend.lamps.models import Lamp, LampState
from contract.objects import electrical_monitor as em
from contract.objects import lamp_status as ls
from contract.objects import outdoor_lamp_controller as olc

_STATES = LampState.__table__  # type: ignore[attr-defined]
_LAMPS = Lamp.__table__  # type: ignore[attr-defined]

REPORTED: Mapping[tuple[int, int], tuple[str, Fit]] = {
    (resource.object, resource.id): (column, fit)
    for resource, column, fit in (
        (olc.DIMMING_LEVEL, "level", percent),
        (olc.COMMAND, "command", percent),
        (olc.COMMAND_IN_ACTION, "command_in_action", percent),
        (olc.MANUAL_OVERRIDE_ACTIVE, "override_active", flag),
        (olc.CONTROL_GEAR_TEMPERATURE, "temperature_c", number),
        (olc.LAMP_OPERATING_HOURS, "operating_hours", number),
        (olc.LAMP_SWITCH_COUNTER, "switch_count", whole),
        (ls.RUNG, "rung", line(32)),
        (ls.EXPLANATION, "explanation", line(255)),
        (ls.UNTIL, "until_ms", moment),
        (ls.SAFETY_FLOOR, "safety_floor", percent),
        (ls.SCHEDULE_DIGEST, "digest_reported", line(64)),
        (ls.BOOT_COUNTER, "boot_count", whole),
        (ls.RESET_CAUSE, "reset_cause", line(32)),
        (ls.CLOCK_ERROR_BOUND, "clock_error_ms", whole),
        (ls.REPORTS_WAITING, "reports_waiting", whole),
        (ls.REPORTS_DROPPED, "reports_dropped", whole),
        (em.SUPPLY_VOLTAGE, "voltage_v", number),
        (em.SUPPLY_CURRENT, "current_a", number),
        (em.ACTIVE_POWER, "power_w", number),
        (em.POWER_FACTOR, "power_factor", number),
        (em.CUMULATED_ACTIVE_ENERGY, "energy_wh", number),
    )
}
"""(object, resource) to the column of `lamp_state`; instance 0 is the lamp itself."""

_NULLABLE = frozenset({"until_ms"})  # here None is a value: a state without an end
# Not the fault count: the faults domain writes it, and a person may do so at this moment.
_WRITTEN = [column.name for column in _STATES.columns if column.name != "fault_count"]


def ingest(connection: Connection, reports: Sequence[Report]) -> None:
    """Take what `REPORTED` names from `reports`; other records, unfit values and unknown lamps are passed over."""
    states = _load(connection, {report.lamp_id for report in reports})
    for report in reports:
        state = states.get(report.lamp_id)
        if state is None:
            continue
        state["reported_at_ms"] = max(state["reported_at_ms"] or 0, report.received_ms)
        for column, value, at_ms in _values(report):
            if at_ms >= state["times"].get(column, 0):
                state[column] = value
                state["times"][column] = at_ms
    upsert(connection, _STATES, list(states.values()))


def set_fault_counts(connection: Connection, counts: Mapping[int, int]) -> None:
    """Write the number of open faults of these lamps, whether they have reported yet or not."""
    upsert(connection, _STATES, [{"lamp_id": lamp_id, "fault_count": count} for lamp_id, count in counts.items()])


def _load(connection: Connection, lamp_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The states of these lamps, a new one for a lamp that never reported; lamps that do not exist are left out."""
    joined = select(_LAMPS.c.id, _STATES).select_from(_LAMPS.outerjoin(_STATES)).where(_LAMPS.c.id.in_(lamp_ids))
    states: dict[int, dict[str, Any]] = {}
    for row in connection.execute(joined).mappings():
        state = {name: row[_STATES.c[name]] for name in _WRITTEN}
        states[row[_LAMPS.c.id]] = state | {"lamp_id": row[_LAMPS.c.id], "times": dict(state["times"] or {})}
    return states


def _values(report: Report) -> Iterable[tuple[str, Any, int]]:
    for record in report.records:
        path = record.path
        known = REPORTED.get((path.object, path.resource))
        if known is None or path.instance != 0 or path.resource_instance is not None:
            continue
        column, fit = known
        value = fit(record.value)
        if value is not None or column in _NULLABLE:
            at_ms = measured_at(record.time_s, report.received_ms)
            # A lamp whose clock runs ahead must not lock its own state until that time comes.
            yield column, value, min(at_ms, report.received_ms)
