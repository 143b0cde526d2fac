"""Reading and restarting one lamp, now and not at its next check-in."""

import asyncio
from collections.abc import Sequence

from backend.device_server.errors import LampRefused, LampUnreachable
from backend.device_server.gateway import Gateway
from backend.diagnostics.models import ResourceValue
from backend.errors import BadGateway, BadInput, Conflict, Unavailable
from backend.kit.times import format_utc
from backend.lamps.service import LampRow
from contract import objects, paths
from contract.objects import device, oscore, security
from contract.paths import Path

# A person or a program waits; a lamp that is asked meanwhile by others answers them first. Both repetitions of a
# request are answered by then, and a client that itself waits for 20 s still hears why.
PATIENCE_S = 15.0
# Keys and identities: no operator's business, and not readable over LwM2M at all (Core 1.1, E.1; OSCORE object).
SECRET = (security.ID, oscore.ID)
REBOOT = paths.path(device.ID, 0, device.REBOOT.id)
ABSENT = "Look at its status (GET /api/v1/lamps/%d); it can be asked as soon as it is online."
UNSURE = "It may restart all the same: compare its boot counter (42769/0/4) before you ask again."


def wanted(texts: Sequence[str]) -> list[Path]:
    """The paths of resources that the contract knows and a server may read. Raises BadInput."""
    found = []
    for number, text in enumerate(texts):
        field = f"path.{number}"
        try:
            path: Path = paths.parse(text)
        except paths.PathError:
            # Its words repeat what was sent, which may be a key.
            reason = f"this is no path: write /object/instance/resource, at most four numbers from 0 to {paths.LAST_ID}"
            raise BadInput.of(field, reason) from None
        if path.object in SECRET:
            raise BadInput.of(field, f"object {path.object} holds keys; no lamp tells them, and nobody may ask")
        if path.instance is None or path.resource is None:
            raise BadInput.of(field, "a resource is read by object, instance and number, like /3/0/13")
        resource = objects.find(path.object, path.resource)
        if resource is None:
            raise BadInput.of(field, f"there is no resource {path.object}/{path.resource}; docs/wire.md lists all")
        if "R" not in resource.operations:
            raise BadInput.of(field, f"{resource.name} cannot be read")
        found.append(path)
    return found


def check_present(gateway: Gateway, row: LampRow) -> None:
    """Whether the lamp is worth asking. Raises Conflict when it is retired, Unavailable when it is offline."""
    lamp_id = row.lamp.id
    assert lamp_id is not None
    if row.lamp.retired_at_ms is not None:
        raise Conflict(f"Lamp {lamp_id} is retired.", "Enrol its endpoint again to bring it back into service.")
    if not gateway.is_present(lamp_id):
        heard = row.registration
        words = "it has never registered" if heard is None else f"last heard {format_utc(heard.last_heard_real_ms)}"
        raise Unavailable(f"Lamp {lamp_id} is offline: {words}.", ABSENT % lamp_id)


async def read(gateway: Gateway, lamp_id: int, wanted: Sequence[Path]) -> list[ResourceValue]:
    """Their values, in that order; what the lamp does not have is missing. Raises Unavailable, BadGateway."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            values = await gateway.read_composite(lamp_id, wanted)
    except (LampUnreachable, TimeoutError) as error:
        raise _absent(lamp_id, error, ABSENT % lamp_id) from error
    except LampRefused as error:
        raise BadGateway(f"Lamp {lamp_id} did not tell: {error}.", _ADVICE) from error
    items = []
    for asked in wanted:
        for path in sorted((path for path in values if paths.covers(asked, path)), key=paths.order):
            resource = objects.find(path.object, path.resource)
            items.append(ResourceValue.of(path, resource.name, resource.unit, values[path]))
    return items


async def restart(gateway: Gateway, lamp_id: int) -> None:
    """Ask it to start again (Device, Reboot). Raises Unavailable, BadGateway."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await gateway.execute(lamp_id, REBOOT)
    except (LampUnreachable, TimeoutError) as error:
        raise _absent(lamp_id, error, UNSURE) from error
    except LampRefused as error:
        raise BadGateway(f"Lamp {lamp_id} did not restart: {error}.", _ADVICE) from error


def _absent(lamp_id: int, error: Exception, advice: str) -> Unavailable:
    words = f"it did not within {PATIENCE_S:g} s" if isinstance(error, TimeoutError) else error
    return Unavailable(f"Lamp {lamp_id} does not answer: {words}.", advice)


_ADVICE = "Its code says why (docs/wire.md); 5.xx may pass, 4.xx will not."
