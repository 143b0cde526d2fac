"""Putting a schedule into a lamp, and asking which one it holds.

Our lamps take all of it in one Write-Composite: old instances removed, place, time zone and new instances given, or
nothing at all (docs/architecture.md, "LwM2M"). A third party's lamp gets the standard way, instance by instance: within
a transaction (3457 v1.1, resources 100 and 101) where it has one, else with its programs disabled until all is there.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from backend.device_server.errors import LampRefused
from backend.device_server.gateway import Gateway
from contract import schedule as engine
from contract.localtime import format_offset
from contract.objects import (
    calendar_rule,
    device,
    device_extension,
    lamp_status,
    output_filter,
    program_function,
    program_manager,
    program_scheduler,
)
from contract.paths import Path, path

_ABSENT = ("4.04", "4.05")
# Referenced objects come before those that refer to them.
_OBJECTS = (output_filter.ID, program_function.ID, calendar_rule.ID, program_scheduler.ID)


def _of(resource: Any) -> Path:
    target: Path = path(resource.object, 0, resource.id)
    return target


DIGEST = _of(lamp_status.SCHEDULE_DIGEST)
START, END = _of(program_manager.TRANSACTION_START), _of(program_manager.TRANSACTION_END)


@dataclass(frozen=True)
class Wanted:
    """What a lamp should hold: the engine's schedule and its digest."""

    lamp_id: int
    digest: str
    schedule: Any


async def held_digest(gateway: Gateway, wanted: Wanted) -> str | None:
    """The digest of what the lamp holds; of a third party's lamp it is worked out from what it reads back.

    None when what it holds cannot be understood. Raises LampUnreachable, LampRefused.
    """
    try:
        held = await gateway.read(wanted.lamp_id, DIGEST)
        return held if isinstance(held, str) else None
    except LampRefused as error:
        if error.code not in _ABSENT:
            raise
    instances: dict[tuple[int, int], dict[int, Any]] = {}
    for number in _OBJECTS:
        for inner, value in (await _read_object(gateway, wanted.lamp_id, number)).items():
            values = instances.setdefault((inner.object, inner.instance), {})
            if inner.resource_instance is None:
                values[inner.resource] = value
            else:
                values.setdefault(inner.resource, {})[inner.resource_instance] = value
    schedule = wanted.schedule
    try:
        held = engine.from_objects(instances, schedule.latitude_e6, schedule.longitude_e6, schedule.time_zone)
    except engine.ScheduleError:
        return None
    return str(engine.digest(held))


async def _read_object(gateway: Gateway, lamp_id: int, number: int) -> dict[Path, Any]:
    try:
        found: dict[Path, Any] = await gateway.read(lamp_id, path(number))
        return found
    except LampRefused as error:
        if error.code not in _ABSENT:
            raise
        return {}


async def install(gateway: Gateway, wanted: Wanted) -> None:
    """Write the schedule; only reading it back tells what the lamp holds. Raises LampUnreachable, LampRefused."""
    if await _is_ours(gateway, wanted.lamp_id):
        await gateway.write_composite(wanted.lamp_id, composite(wanted.schedule))
    else:
        await _install_by_steps(gateway, wanted)


def composite(schedule: Any) -> dict[Path, Any]:
    """All that decides the light, for one Write-Composite; None removes what is there."""
    values: dict[Path, Any] = {
        _of(lamp_status.LATITUDE): schedule.latitude_e6,
        _of(lamp_status.LONGITUDE): schedule.longitude_e6,
        _of(lamp_status.STANDARD_UTC_OFFSET): schedule.time_zone.standard_offset_s,
        _of(device.TIMEZONE): schedule.time_zone.name,
    }
    exceptions = schedule.time_zone.exceptions
    for resource, row in (
        (device_extension.DST_START, {i: start_s for i, (start_s, _, _) in enumerate(exceptions)}),
        (device_extension.DST_END, {i: end_s for i, (_, end_s, _) in enumerate(exceptions)}),
        (device_extension.DST_OFFSET, {i: format_offset(delta_s) for i, (_, _, delta_s) in enumerate(exceptions)}),
    ):
        values[_of(resource)] = None
        for index, value in row.items():
            values[path(resource.object, 0, resource.id, index)] = value
    for number in _OBJECTS:
        values[path(number)] = None
    for (number, instance), resources in engine.to_objects(schedule).items():
        for resource, value in resources.items():
            values[path(number, instance, resource)] = value
    return values


async def _is_ours(gateway: Gateway, lamp_id: int) -> bool:
    try:
        await gateway.read(lamp_id, DIGEST)
    except LampRefused as error:
        if error.code in _ABSENT:
            return False
        raise
    return True


async def _install_by_steps(gateway: Gateway, wanted: Wanted) -> None:
    lamp_id = wanted.lamp_id
    token = secrets.randbelow(2**31 - 1) + 1
    transaction = await _try_write(gateway, lamp_id, START, token)
    for number in reversed(_OBJECTS):
        instances = {inner.instance for inner in await _read_object(gateway, lamp_id, number)}
        for instance in sorted(instances):
            await gateway.delete(lamp_id, path(number, instance))
    created = engine.to_objects(wanted.schedule)
    for number in _OBJECTS:
        for (object_number, instance), resources in sorted(created.items()):
            if object_number == number:
                values = dict(resources)
                if number == program_scheduler.ID and not transaction:
                    values[program_scheduler.STATE.id] = False
                await gateway.create(lamp_id, path(number, instance), values)
    if transaction:
        await gateway.write(lamp_id, END, token)
        return
    for object_number, instance in sorted(created):
        if object_number == program_scheduler.ID:
            await gateway.write(lamp_id, path(object_number, instance, program_scheduler.STATE.id), True)


async def _try_write(gateway: Gateway, lamp_id: int, target: Path, value: int) -> bool:
    try:
        await gateway.write(lamp_id, target, value)
    except LampRefused as error:
        if error.code in _ABSENT:
            return False
        raise
    return True
