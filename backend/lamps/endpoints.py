"""Lamps over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from backend.access.guard import Operator, Viewer
from backend.clock import Clock
from backend.db import Reading, Writing
from backend.kit.fields import PathId
from backend.kit.pages import Page
from backend.lamps import service
from backend.lamps.lives import Life
from backend.lamps.shapes import LampCreate, LampPatch, LampPublic, LampQuery
from backend.zones import service as zones

router = APIRouter(prefix="/lamps", tags=["lamps"])


def _now(request: Request) -> int:
    clock: Clock = request.app.state.clock
    return clock.real_ms()


@router.post("", status_code=status.HTTP_201_CREATED)
def create_lamp(
    body: LampCreate, request: Request, response: Response, session: Writing, actor: Operator
) -> LampPublic:
    """Add a lamp to the inventory. It gets its keys by enrolment."""
    now = _now(request)
    lamp = service.create(session, now, body.columns())
    response.headers["Location"] = f"{request.url.path}/{lamp.id}"
    assert lamp.id is not None
    return LampPublic.of(service.get_row(session, lamp.id), now)


@router.get("")
def list_lamps(
    query: Annotated[LampQuery, Query()], request: Request, session: Reading, actor: Viewer
) -> Page[LampPublic]:
    """Lamps in service, by page; every filter that is given must hold. A city's token sees the city's."""
    now = _now(request)
    wanted = service.LampFilter(
        endpoint=query.endpoint,
        street=query.street,
        feeder=query.feeder,
        cabinet=query.cabinet,
        text=query.q,
        life=query.life,
        status=query.status,
        has_fault=query.has_fault,
        retired=query.retired,
        among=None if query.zone_id is None else zones.effective_members(session, query.zone_id),
        reached=None if actor.city_id is None else zones.all_members(actor.city_id),
    )
    rows, cursor = service.list_rows(session, wanted, query, query.sort, now)
    return Page(items=[LampPublic.of(row, now) for row in rows], next_cursor=cursor)


@router.get("/counts")
def count_lamps(session: Reading, actor: Viewer) -> dict[Life, int]:
    """How many lamps there are in each life; a city's token counts the city's."""
    return service.count_by_life(session, None if actor.city_id is None else zones.all_members(actor.city_id))


@router.get("/{lamp_id}")
def get_lamp(lamp_id: PathId, request: Request, session: Reading) -> LampPublic:
    """One lamp, retired or not."""
    return LampPublic.of(service.get_row(session, lamp_id), _now(request))


@router.patch("/{lamp_id}")
def update_lamp(lamp_id: PathId, body: LampPatch, request: Request, session: Writing, actor: Operator) -> LampPublic:
    """Change what is given and keep the rest."""
    now = _now(request)
    service.update(session, lamp_id, now, body.columns())
    return LampPublic.of(service.get_row(session, lamp_id), now)


@router.delete("/{lamp_id}")
def retire_lamp(lamp_id: PathId, request: Request, session: Writing, actor: Operator) -> LampPublic:
    """Take a lamp out of service: its keys are revoked at once, its history stays."""
    now = _now(request)
    service.retire(session, lamp_id, now, request.app.state.credentials.revoke)
    return LampPublic.of(service.get_row(session, lamp_id), now)
