"""Who may call an endpoint, as FastAPI dependencies.

`authenticate` stands before the whole API; an endpoint that needs more than a viewer takes `Operator`, `Technician` or
`Admin` as a parameter and gets the `Actor`.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from backend.access import reach, service
from backend.access.models import Role
from backend.access.service import Actor
from backend.db import Database
from backend.errors import Forbidden, Unauthorized

_bearer = HTTPBearer(auto_error=False, description="A token from: streetlight token create --name NAME --role ROLE")


async def authenticate(
    request: Request, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Actor:
    """The actor of this request, in transactions of its own, so that a refused request still notes nothing else."""
    if sent is None:
        raise Unauthorized("This endpoint needs a token.")
    database: Database = request.app.state.database
    now_ms = request.app.state.clock.real_ms()
    actor = await database.read(lambda session: service.authenticate(session, sent.credentials, now_ms))
    if actor.city_id is not None:
        await database.read(lambda session: reach.check(session, actor, request))
    if actor.must_note_use:
        await database.write(lambda session: service.note_use(session, actor.token_id, now_ms))
    request.state.actor = actor
    return actor


async def authenticate_first(request: Request) -> None:
    """Raise what `authenticate` raises, for a request that was refused before anybody asked who sent it."""
    if getattr(request.state, "actor", None) is None:
        await authenticate(request, await _bearer(request))


def _require(role: Role) -> Callable[[Actor], Awaitable[Actor]]:
    async def check(actor: Annotated[Actor, Depends(authenticate)]) -> Actor:
        if actor.role.rank < role.rank:
            raise Forbidden(f"The token {actor.name!r} has the role {actor.role}; this needs the role {role}.")
        return actor

    return check


Viewer = Annotated[Actor, Depends(authenticate)]
Operator = Annotated[Actor, Depends(_require(Role.OPERATOR))]
Technician = Annotated[Actor, Depends(_require(Role.TECHNICIAN))]
Admin = Annotated[Actor, Depends(_require(Role.ADMIN))]
