"""Is the backend well, and which version is it: the two endpoints that need no token."""

import secrets
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import anyio
from anyio import create_connected_udp_socket
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.db import Database

router = APIRouter(tags=["health"])

PATIENCE_S = 3
"""A probe must be answered even when every slot is taken or the database hangs."""


PING = bytes((0x40, 0x00))
"""Version 1, confirmable, no token, code 0.00: a CoAP ping, answered by a reset (RFC 7252, 4.3)."""
RESET = 0x70


class Health(BaseModel):
    status: Literal["ok", "failed"]
    database: Literal["ok", "failed"]
    coap: Literal["ok", "failed"]
    version: str


class Version(BaseModel):
    version: str


def get_version() -> str:
    """The version of the installed distribution."""
    try:
        return version("streetlight")
    except PackageNotFoundError:
        return "uninstalled"


@router.get("/health", responses={503: {"model": Health}})
async def read_health(request: Request, response: Response) -> Health:
    """200 when the database answers and the CoAP server listens, else 503 and what failed."""
    database = "ok" if await _database_answers(request.app.state.database) else "failed"
    coap = (
        "ok"
        if await _coap_answers(request.app.state.settings.coap_host, request.app.state.device_server.port)
        else "failed"
    )
    status = "ok" if database == coap == "ok" else "failed"
    if status == "failed":
        response.status_code = 503
    return Health.model_validate({"status": status, "database": database, "coap": coap, "version": get_version()})


@router.get("/version")
async def read_version() -> Version:
    """The version of the backend."""
    return Version(version=get_version())


async def _database_answers(database: Database) -> bool:
    with anyio.move_on_after(PATIENCE_S):
        try:
            await database.read(lambda session: session.execute(text("SELECT 1")).scalar_one())
        except SQLAlchemyError:
            return False
        return True
    return False


async def _coap_answers(host: str, port: int) -> bool:
    """Ping the CoAP server through its own socket: what a lamp's datagram goes through works."""
    host = _LOCAL.get(host, host)
    message = PING + secrets.token_bytes(2)
    with anyio.move_on_after(PATIENCE_S):
        try:
            async with await create_connected_udp_socket(host, port) as socket:
                await socket.send(message)
                return await socket.receive() == bytes((RESET, 0)) + message[2:]
        except OSError:
            return False
    return False


_LOCAL = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
