"""What a token reaches that is limited to a city: itself, the city's lamps one by one, their list, and enrolment.

Everything else is refused here, at the one door, so that an endpoint that is written tomorrow does not forget it.
Endpoints with a `{lamp_id}` in their path need nothing; those named below look at `actor.city_id` themselves.
"""

from fastapi import Request
from sqlmodel import Session

from backend.access.service import Actor
from backend.errors import Forbidden
from backend.zones import service as zones

_ROOT = "/api/v1"
_OWN = ("/me", "/enrolments")
_LISTS = (("GET", "/lamps"), ("GET", "/lamps/counts"))
ADVICE = "Check the label and the city of your token (GET /api/v1/me); an administrator makes tokens for other cities."


def check(session: Session, actor: Actor, request: Request) -> None:
    """Raises `Forbidden` when the request reaches beyond the actor's city."""
    if actor.city_id is None:
        return
    path = request.scope["route"].path.removeprefix(_ROOT)
    if "{lamp_id}" in path:
        text = request.path_params["lamp_id"]
        if not text.isdecimal() or not holds(session, actor.city_id, int(text)):
            raise Forbidden("There is no such lamp in the city of this token.", ADVICE)
    elif path not in _OWN and not path.startswith("/enrolments/") and (request.method, path) not in _LISTS:
        raise Forbidden(
            f"The token {actor.name!r} is limited to a city; this reaches further.",
            "Use a token without a city, or the endpoints of one lamp.",
        )


def holds(session: Session, city_id: int, lamp_id: int) -> bool:
    """Whether the lamp, retired or not, is in this zone or one within it."""
    return lamp_id < 2**63 and city_id in zones.zones_of(session, lamp_id)
