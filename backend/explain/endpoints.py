"""Explanations over HTTP."""

from fastapi import APIRouter, Request

from backend.db import Reading
from backend.explain import service
from backend.explain.models import Explanation
from backend.kit.fields import PathId

router = APIRouter(tags=["lamps"])


@router.get("/lamps/{lamp_id}/explain")
def explain_lamp(session: Reading, request: Request, lamp_id: PathId) -> Explanation:
    """Why a lamp is at its level: its rung, program, rule, version, source and until when, as the lamp last said it and
    as the backend's engine says it for now; whether both agree, and if not, what may be the reason."""
    clock = request.app.state.clock
    return service.explain(session, lamp_id, clock.now_ms(), clock.real_ms())
