"""Which lamp an endpoint and an asset id mean together.

The endpoint is the controller, the asset id the lamp on the pole. They belong together or are brought together: a lamp
that waits for its controller takes it; one that has another takes it when somebody says `replace` (a swap).
"""

import secrets

from sqlmodel import Session

from backend.enrolment import repository
from backend.errors import Conflict, FieldError
from backend.lamps import service as lamps
from backend.lamps.models import Lamp

VACANT = "made:"
"""Begin of the endpoint of a lamp whose controller is not known yet: no controller is called so."""
REPLACE = "Check the label of the controller; send replace: true when the new keys are the right ones."
_SWAP = (
    "Check both labels. To put this controller into the place of the other one, send replace: true: the lamp keeps its "
    "name, place and schedules, and the old keys end at once."
)


def vacant_endpoint() -> str:
    """A stand-in for the endpoint of a controller that is not known yet."""
    return VACANT + secrets.token_hex(8)


def find(session: Session, endpoint: str, asset_id: str, *, replace: bool) -> Lamp | None:
    """The lamp, locked, that this controller is or shall be part of; None: a new one. Its endpoint is another when the
    controller has to take its place. Raises `Conflict`."""
    if asset_id:
        repository.lock_assets(session)  # before anything is read: who waited here must see what the other wrote
    own = lamps.find_by_endpoint(session, endpoint)
    if not asset_id:
        return own
    holders = lamps.find_by_asset(session, asset_id)
    if own is not None and own.id in {holder.id for holder in holders}:
        return own
    if not holders:
        return own
    if len(holders) > 1:
        ids = ", ".join(str(holder.id) for holder in holders)
        raise _conflict("asset_id", f"belongs to lamps {ids}", "Give each lamp an asset id of its own first.")
    (asset,) = holders
    if own is not None and own.retired_at_ms is None:
        advice = (
            f"One pole, one lamp: retire lamp {own.id} first if this controller shall move, or correct the asset id."
        )
        raise _conflict("asset_id", f"belongs to lamp {asset.id}, and the endpoint to lamp {own.id}", advice)
    if not replace and (own is not None or not asset.endpoint.startswith(VACANT)):
        field, reason = ("asset_id", f"lamp {asset.id} has the controller {asset.endpoint}")
        raise _conflict(field, reason, _SWAP)
    if own is not None:
        lamps.free_endpoint(session, own)
    return asset


def check_serial(session: Session, lamp_id: int | None, serial: str) -> None:
    """Raises `Conflict` when another lamp in service has this controller."""
    others = [lamp for lamp in lamps.find_by_serial(session, serial) if lamp.id != lamp_id] if serial else []
    if others:
        advice = "Read the serial number off the controller again; retire the other lamp if the controller has moved."
        raise _conflict("serial", f"belongs to lamp {others[0].id}", advice)


def _conflict(field: str, reason: str, advice: str) -> Conflict:
    return Conflict(f"{field}: {reason}.", advice, [FieldError(field=field, reason=reason)])
