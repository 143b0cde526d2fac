"""What a token may ask about itself, and the tokens that an administrator makes for others."""

from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, status
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from backend.access import service
from backend.access.guard import Admin, Viewer
from backend.access.models import Role, Token
from backend.audit.service import note
from backend.clock import Clock
from backend.db import Reading, Writing
from backend.kit.fields import Input, Name
from backend.kit.pages import Page, PageQuery
from backend.kit.times import UtcOut
from backend.zones import service as zones

router = APIRouter(tags=["access"])


class Me(BaseModel):
    """The caller; `city` null: everywhere, `expires_at` null: never."""

    name: str
    role: Role
    city: str | None
    expires_at: UtcOut | None


class TokenCreate(Input):
    """A token that is made over the network always ends."""

    name: Name = Field(description="Who or what will use it.")
    role: Role
    expires_hours: int = Field(ge=1, le=service.LONGEST_HOURS, description="A shift has 12.")
    city: Name | None = Field(None, description="Name of a top-level zone: a technician then reaches no further.")


class TokenPublic(BaseModel):
    """A token without its secret; `prefix` names it."""

    prefix: str
    name: str
    role: Role
    city_id: int | None
    created_at: UtcOut
    expires_at: UtcOut | None
    revoked_at: UtcOut | None
    last_used_at: UtcOut | None

    @classmethod
    def of(cls, token: Token) -> Self:
        return cls.model_validate(_public(token))


class TokenMade(TokenPublic):
    token: str = Field(description="Nobody can show it again.")


def _public(token: Token) -> dict[str, object]:
    return {
        "prefix": token.prefix,
        "name": token.name,
        "role": token.role,
        "city_id": token.city_id,
        "created_at": token.created_at_ms,
        "expires_at": token.expires_at_ms,
        "revoked_at": token.revoked_at_ms,
        "last_used_at": token.last_used_at_ms,
    }


def _now(request: Request) -> int:
    clock: Clock = request.app.state.clock
    return clock.real_ms()


@router.get("/me")
def get_me(session: Reading, actor: Viewer) -> Me:
    """The token that makes this request."""
    city = None if actor.city_id is None else zones.get(session, actor.city_id).name
    return Me(name=actor.name, role=actor.role, city=city, expires_at=actor.expires_at_ms)


@router.post("/tokens", status_code=status.HTTP_201_CREATED)
def create_token(body: TokenCreate, request: Request, session: Writing, actor: Admin) -> TokenMade:
    """Make a token. Its text is in this answer and nowhere else."""
    city_id = None if body.city is None else zones.find_city(session, body.city)
    token, text = service.create(
        session, _now(request), body.name, body.role, expires_hours=body.expires_hours, city_id=city_id
    )
    note(
        session,
        "token",
        token.prefix,
        f"created {token.name}, {token.role}, {body.expires_hours} h, {body.city or 'everywhere'}",
    )
    return TokenMade.model_validate({**_public(token), "token": text})


@router.get("/tokens")
def list_tokens(query: Annotated[PageQuery, Query()], session: Reading, actor: Admin) -> Page[TokenPublic]:
    """Every token by its prefix, ended and revoked ones too."""
    rows, cursor = service.page(session, query)
    return Page(items=[TokenPublic.of(row[0]) for row in rows], next_cursor=cursor)


@router.delete("/tokens/{prefix}")
def revoke_token(
    prefix: Annotated[str, InPath(pattern="^[0-9a-f]{8}$")], request: Request, session: Writing, actor: Admin
) -> TokenPublic:
    """Refuse this token from now on; revoking it again changes nothing."""
    token = service.revoke(session, prefix, _now(request))
    note(session, "token", token.prefix, f"revoked {token.name}")
    return TokenPublic.of(token)
