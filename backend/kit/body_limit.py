"""Refuse request bodies that are too large with a problem document (the framework answers in plain text)."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import HTTP_ADVICE, problem

TOO_LARGE = 413


class BodyLimit:
    """ASGI middleware: by the announced length before anything is read, and by what arrives when none is announced."""

    def __init__(self, app: ASGIApp, largest_bytes: int) -> None:
        self._app = app
        self._largest = largest_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = f"A request body may have {self._largest} bytes."
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self._largest:
            await problem(TOO_LARGE, detail, HTTP_ADVICE[TOO_LARGE])(scope, receive, send)
            return
        arrived = 0

        async def limited() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._largest:
                raise HTTPException(TOO_LARGE, detail)
            return message

        await self._app(scope, limited, send)
