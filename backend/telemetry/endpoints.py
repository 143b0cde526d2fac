"""Telemetry over HTTP: GET /lamps/{id}/telemetry and /lamps/{id}/telemetry/latest."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.db import Reading as ReadingSession
from backend.kit.fields import PathId
from backend.kit.pages import Page
from backend.telemetry import service
from backend.telemetry.models import ReadingPublic

router = APIRouter(tags=["telemetry"])


@router.get("/lamps/{lamp_id}/telemetry")
def readings(
    session: ReadingSession, lamp_id: PathId, query: Annotated[service.RangeQuery, Query()]
) -> Page[ReadingPublic]:
    """What a lamp measured in a range of time, oldest first."""
    return service.readings(session, lamp_id, query)


@router.get("/lamps/{lamp_id}/telemetry/latest")
def latest(session: ReadingSession, lamp_id: PathId) -> ReadingPublic:
    """The newest reading of a lamp in which something was measured."""
    return service.latest(session, lamp_id)
