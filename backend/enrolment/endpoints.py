"""Enrolment over HTTP. Keys go in and never come out: not in the answer, not in an error, not in a log."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field, StringConstraints

from backend.access.guard import Technician
from backend.clock import Clock
from backend.db import Writing
from backend.enrolment import inventory, service
from backend.enrolment.shapes import EnrolmentCreate, KeysCreate
from backend.kit.fields import Input, PathId
from backend.lamps import service as lamps
from backend.lamps.shapes import Endpoint, Label, LampPatch, LampPublic

router = APIRouter(prefix="/enrolments", tags=["enrolment"])
MADE_TOGETHER = 1000
"""Rows of one import: some seconds of SQLite's only writer."""
lamp_router = APIRouter(prefix="/lamps", tags=["enrolment"])


class EnrolmentPublic(BaseModel):
    """The lamp that may now register; its sender id is public, because it rides in every message. `result`: "unchanged"
    when it had exactly these keys."""

    result: Literal["enrolled", "unchanged"]
    sender_id: str
    lamp: LampPublic


@router.post("", status_code=status.HTTP_201_CREATED, responses={200: {"description": "The lamp existed already."}})
def create_enrolment(
    body: EnrolmentCreate, request: Request, response: Response, session: Writing, actor: Technician
) -> EnrolmentPublic:
    """Create the lamp, or take the existing one, and give it these keys. The same content twice changes nothing."""
    now = _now(request)
    done = service.enrol(session, now, body.order(), request.app.state.credentials, actor.city_id)
    if not done.created:
        response.status_code = status.HTTP_200_OK
    assert done.lamp.id is not None
    return EnrolmentPublic(
        result="unchanged" if done.unchanged else "enrolled",
        sender_id=body.sender_id,
        lamp=LampPublic.of(lamps.get_row(session, done.lamp.id), now),
    )


class MadeItem(LampPatch):
    """An asset whose controller may not be known yet."""

    asset_id: Annotated[Label, StringConstraints(min_length=1)]
    endpoint: Endpoint | None = None

    def columns(self) -> dict[str, Any]:
        return super().columns() | ({} if self.endpoint is None else {"endpoint": self.endpoint})


class MadeCreate(Input):
    items: list[MadeItem] = Field(min_length=1, max_length=MADE_TOGETHER)


class MadePublic(BaseModel):
    created: int
    unchanged: int


class ProvisionedCreate(LampPatch):
    """A controller that got its identity while the backend was out of reach. A new lamp needs its place."""

    endpoint: Endpoint


@router.post("/made")
def import_made(body: MadeCreate, request: Request, session: Writing, actor: Technician) -> MadePublic:
    """Make lamps for assets that are known: a maker's list, a manifest. An asset id that is known stays as it is, so
    that a list may be sent again; one bad row and none is taken."""
    rows = [item.columns() for item in body.items]
    created, unchanged = inventory.import_made(session, _now(request), rows, actor.city_id)
    return MadePublic(created=created, unchanged=unchanged)


@router.post("/provisioned")
def note_provisioned(body: ProvisionedCreate, request: Request, session: Writing, actor: Technician) -> LampPublic:
    """Say that a controller has its identity; its keys follow with a ledger. Repeating it changes nothing."""
    now = _now(request)
    lamp = inventory.note_provisioned(session, now, body.endpoint, body.columns(), actor.city_id)
    assert lamp.id is not None
    return LampPublic.of(lamps.get_row(session, lamp.id), now)


class SwapCreate(KeysCreate):
    """The controller that takes the place of the lamp's own."""

    endpoint: Endpoint
    serial: Label = Field("", description="The maker's number of the new controller.")


@lamp_router.post("/{lamp_id}/swap")
def swap_controller(
    lamp_id: PathId, body: SwapCreate, request: Request, session: Writing, actor: Technician
) -> EnrolmentPublic:
    """Put another controller into the lamp. The lamp keeps its id, name, place, zones, schedules and history; the old
    keys end at once, and what is desired of the lamp is sent to the new controller at its first check-in."""
    now = _now(request)
    keys = body.keys()
    done = service.swap(session, now, lamp_id, body.endpoint, keys, body.serial, request.app.state.credentials)
    return EnrolmentPublic(
        result="unchanged" if done.unchanged else "enrolled",
        sender_id=body.sender_id,
        lamp=LampPublic.of(lamps.get_row(session, lamp_id), now),
    )


@lamp_router.delete("/{lamp_id}/keys")
def revoke_keys(lamp_id: PathId, request: Request, session: Writing, actor: Technician) -> LampPublic:
    """Refuse the controller from this moment: its messages, also one that is under way, and ours to it. The lamp stays
    in service without keys until it is enrolled again."""
    now = _now(request)
    service.revoke(session, lamp_id, now, request.app.state.credentials)
    return LampPublic.of(lamps.get_row(session, lamp_id), now)


def _now(request: Request) -> int:
    clock: Clock = request.app.state.clock
    return clock.real_ms()
