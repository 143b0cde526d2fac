"""Diagnostics of one lamp over HTTP. The lamp is asked while the caller waits."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel import Session

from backend.access.guard import Technician
from backend.audit import service as audit
from backend.db import Database
from backend.diagnostics import service
from backend.diagnostics.models import LiveReading
from backend.kit.fields import PathId
from backend.lamps import service as lamps

router = APIRouter(prefix="/lamps/{lamp_id}", tags=["lamps"])

MOST_PATHS = 16


@router.get("/resources")
async def read_resources(
    request: Request,
    actor: Technician,
    lamp_id: PathId,
    path: Annotated[list[str], Query(min_length=1, max_length=MOST_PATHS, description="Like /3/0/13; up to 16.")],
) -> LiveReading:
    """Read resources from the lamp itself, now. 503 when it is offline or silent, 502 when it refuses."""
    database: Database = request.app.state.database
    wanted = service.wanted(path)
    gateway = request.app.state.device_server.gateway
    service.check_present(gateway, await database.read(lambda session: lamps.get_row(session, lamp_id)))
    items = await service.read(gateway, lamp_id, wanted)
    return LiveReading(lamp_id=lamp_id, at=request.app.state.clock.now_ms(), items=items)


@router.post("/restart", status_code=204)
async def restart(request: Request, actor: Technician, lamp_id: PathId) -> None:
    """Let the controller start again; its light stays at the failsafe level until it has the time and its schedule."""
    database: Database = request.app.state.database
    gateway = request.app.state.device_server.gateway
    service.check_present(gateway, await database.read(lambda session: lamps.get_row(session, lamp_id)))

    def note(session: Session) -> None:
        audit.note(session, "lamp", lamp_id, "restart asked for")
        audit.record_request(session, request)

    # Before the lamp is asked: one that does not answer may have restarted.
    await database.write(note)
    await service.restart(gateway, lamp_id)
