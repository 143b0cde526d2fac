"""What is known of lamps before their keys are: made (an asset that waits for its controller) and provisioned."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from backend.audit.service import note
from backend.enrolment import assets, repository
from backend.enrolment.service import check_place, check_reach
from backend.errors import BadInput, Conflict, FieldError, StreetlightError
from backend.lamps import service as lamps
from backend.lamps.models import Lamp
from backend.zones import service as zones


def import_made(
    session: Session, now_real_ms: int, rows: Sequence[Mapping[str, Any]], city_id: int | None
) -> tuple[int, int]:
    """Lamps for these assets (columns of `Lamp`; `endpoint` where the controller is known); (created, unchanged).

    A lamp in service with this asset id stays as it is. All or nothing: raises `BadInput` that names each bad row.
    """
    repository.lock_assets(session)
    created = 0
    errors: list[FieldError] = []
    for number, columns in enumerate(rows):
        try:
            created += _make(session, now_real_ms, columns, city_id)
        except StreetlightError as error:
            reason = "; ".join(one.reason for one in error.errors) or error.detail
            errors.append(FieldError(field=f"items.{number}", reason=reason))
    if errors:
        raise BadInput(f"{len(errors)} of {len(rows)} rows cannot be taken; none was.", errors=errors[:100])
    note(session, "lamp", "import", f"{created} made, {len(rows) - created} unchanged")
    return created, len(rows) - created


def _make(session: Session, now_real_ms: int, columns: Mapping[str, Any], city_id: int | None) -> bool:
    holders = lamps.find_by_asset(session, columns["asset_id"])
    if holders:
        for holder in holders:
            assert holder.id is not None
            check_reach(session, holder.id, city_id)
        return False
    assets.check_serial(session, None, columns.get("serial", ""))
    _create(session, now_real_ms, columns, city_id)
    return True


def _create(session: Session, now_real_ms: int, columns: Mapping[str, Any], city_id: int | None) -> Lamp:
    check_place(columns)
    endpoint = columns.get("endpoint") or assets.vacant_endpoint()
    name = columns.get("asset_id") or endpoint
    lamp = lamps.create(session, now_real_ms, {"name": name, **columns, "endpoint": endpoint})
    assert lamp.id is not None
    if city_id is not None:
        zones.join(session, city_id, lamp.id)
    return lamp


def note_provisioned(
    session: Session, now_real_ms: int, endpoint: str, columns: Mapping[str, Any], city_id: int | None
) -> Lamp:
    """The controller has its identity; its keys come later. Repeating it changes nothing. Raises `Conflict` for an
    asset with another controller (swapping needs the new keys) and for a retired lamp."""
    lamp = assets.find(session, endpoint, columns.get("asset_id", ""), replace=False)
    assets.check_serial(session, lamp.id if lamp else None, columns.get("serial", ""))
    if lamp is None:
        lamp = _create(session, now_real_ms, {**columns, "endpoint": endpoint}, city_id)
    else:
        assert lamp.id is not None
        check_reach(session, lamp.id, city_id)
        if lamp.retired_at_ms is not None:
            raise Conflict(f"Lamp {lamp.id} is retired.", "Enrol its endpoint with replace: true to bring it back.")
        if lamp.endpoint != endpoint:
            lamps.put_controller(session, lamp, endpoint)
        lamps.apply(session, lamp, now_real_ms, columns)
    lamp.provisioned_at_ms = lamp.provisioned_at_ms or now_real_ms
    session.flush()
    return lamp
