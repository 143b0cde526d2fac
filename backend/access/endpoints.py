"""What a token may ask about itself. Tokens are made and revoked on the command line only."""

from fastapi import APIRouter
from pydantic import BaseModel

from backend.access.guard import Viewer
from backend.access.models import Role

router = APIRouter(prefix="/me", tags=["access"])


class Me(BaseModel):
    """The caller."""

    name: str
    role: Role


@router.get("")
def get_me(actor: Viewer) -> Me:
    """The name and the role of the token that makes this request."""
    return Me(name=actor.name, role=actor.role)
