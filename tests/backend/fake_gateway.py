"""A gateway to lamps that obey the rules: they hold what was written, answer what they hold, are away, or refuse.

Stands in for `backend.device_server.gateway.Gateway` in the tests of deliveries; the true one meets the true firmware
in tests/system.
"""

from typing import Any

from backend.device_server.errors import LampRefused, LampUnreachable
from contract import schedule as engine
from contract.localtime import TimeZone, parse_offset
from contract.objects import device, device_extension, lamp_status
from contract.paths import Path, covers, path

SCHEDULE_OBJECTS = (3452, 3453, 3454, 3456)


def own(resource: Any) -> Path:
    target: Path = path(resource.object, 0, resource.id)
    return target


class FakeLamp:
    """The values of one lamp by path, as ours would hold them."""

    def __init__(self) -> None:
        self.values: dict[Path, Any] = {
            own(lamp_status.LATITUDE): 0,
            own(lamp_status.LONGITUDE): 0,
            own(lamp_status.STANDARD_UTC_OFFSET): 0,
            own(device.TIMEZONE): "UTC",
            own(lamp_status.RUNG): "default",
            own(lamp_status.LIGHT_CHANGED): 0,
        }
        self.away = False
        """Not heard within its lifetime; a silent one was, and gives no answer."""
        self.silent = False
        self.refusal: LampRefused | None = None
        self.received: list[dict[Path, Any]] = []

    def check(self) -> None:
        if self.away or self.silent:
            raise LampUnreachable("no answer")

    def write(self, values: dict[Path, Any]) -> None:
        self.check()
        if self.refusal is not None:
            raise self.refusal
        self.received.append(values)
        for removed in (target for target, value in values.items() if value is None):
            self.values = {known: value for known, value in self.values.items() if not covers(removed, known)}
        self.values |= {target: value for target, value in values.items() if value is not None}

    def digest(self) -> str:
        return str(engine.digest(self.schedule()))

    def schedule(self) -> Any:
        return engine.from_objects(
            self.instances(),
            self.values[own(lamp_status.LATITUDE)],
            self.values[own(lamp_status.LONGITUDE)],
            self.zone(),
        )

    def instances(self) -> dict[tuple[int, int], dict[int, Any]]:
        instances: dict[tuple[int, int], dict[int, Any]] = {}
        for target, value in self.values.items():
            if target.object in SCHEDULE_OBJECTS:
                held = instances.setdefault((target.object, target.instance), {})
                if target.resource_instance is None:
                    held[target.resource] = value
                else:
                    held.setdefault(target.resource, {})[target.resource_instance] = value
        return instances

    def zone(self) -> TimeZone:
        rows = []
        start = own(device_extension.DST_START)
        for target, start_s in sorted(self.values.items()):
            if target[:3] == start[:3] and target.resource_instance is not None:
                end_s = self.values[target._replace(resource=device_extension.DST_END.id)]
                delta = self.values[target._replace(resource=device_extension.DST_OFFSET.id)]
                rows.append((start_s, end_s, parse_offset(delta)))
        offset_s = self.values[own(lamp_status.STANDARD_UTC_OFFSET)]
        return TimeZone(self.values[own(device.TIMEZONE)], offset_s, tuple(rows))


class FakeGateway:
    """Lamps of ours, by id."""

    def __init__(self, *lamp_ids: int) -> None:
        self.lamps = {lamp_id: FakeLamp() for lamp_id in lamp_ids}

    def is_present(self, lamp_id: int) -> bool:
        return not self.lamps[lamp_id].away

    async def read(self, lamp_id: int, target: Path) -> Any:
        lamp = self.lamps[lamp_id]
        lamp.check()
        if target == own(lamp_status.SCHEDULE_DIGEST):
            return lamp.digest()
        return lamp.values[target]

    async def read_composite(self, lamp_id: int, wanted: list[Path]) -> dict[Path, Any]:
        lamp = self.lamps[lamp_id]
        lamp.check()
        return {target: lamp.values[target] for target in wanted if target in lamp.values}

    async def write_composite(self, lamp_id: int, values: dict[Path, Any]) -> None:
        self.lamps[lamp_id].write(_flat(values))


class StrangeLamp:
    """A third party's lamp: it knows the schedule objects, neither Write-Composite nor our own object."""

    def __init__(self) -> None:
        self.held: dict[tuple[int, int], dict[int, Any]] = {(3452, 3): {1: False, 2: 0, 4: 0, 6: {}, 7: {}}}
        self.states: list[bool] = []

    async def read(self, lamp_id: int, target: Path) -> Any:
        if target.object not in SCHEDULE_OBJECTS:
            raise LampRefused("4.04", "")
        return _flat(
            {
                path(*key, resource): v
                for key, held in self.held.items()
                if key[0] == target.object
                for resource, v in held.items()
            }
        )

    async def delete(self, lamp_id: int, target: Path) -> None:
        del self.held[(target.object, target.instance)]

    async def create(self, lamp_id: int, target: Path, values: dict[int, Any]) -> None:
        assert (target.object, target.instance) not in self.held
        self.held[(target.object, target.instance)] = dict(values)
        if target.object == 3452:
            self.states.append(values[1])

    async def write(self, lamp_id: int, target: Path, value: Any) -> None:
        if target.object == 3457:
            raise LampRefused("4.04", "")
        self.held[(target.object, target.instance)][target.resource] = value


def _flat(values: dict[Path, Any]) -> dict[Path, Any]:
    flat: dict[Path, Any] = {}
    for target, value in values.items():
        if isinstance(value, dict):
            flat |= {target._replace(resource_instance=number): inner for number, inner in value.items()}
        else:
            flat[target] = value
    return flat
