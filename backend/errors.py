"""What can go wrong for a caller of the HTTP API, and how it is said.

    StreetlightError
    ├── BadInput        422  names each field and its reason
    ├── Unauthorized    401
    ├── Forbidden       403
    ├── NotFound        404
    ├── Conflict        409
    ├── BadGateway      502  a lamp answered, and refused
    └── Unavailable     503  try again: a lamp or the database did not answer

Raise these from services; `install` translates them, and the frameworks' own exceptions, into problem documents
(RFC 9457, application/problem+json) at one seam. No body ever repeats what the caller sent: it may hold a key.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)


class FieldError(BaseModel):
    """One refused field: its place in the request (`programs.0.steps.2.level`) and the reason in words."""

    field: str
    reason: str


class Problem(BaseModel):
    """A problem document: RFC 9457, with the members `advice` and `errors` of our own."""

    type: str
    title: str
    status: int
    detail: str
    advice: str
    errors: list[FieldError] = []


class StreetlightError(Exception):
    """`detail` says what happened, `advice` what to do next; both are for a person."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    advice = "Try again; if it happens again, look for the time of this answer in the backend's log."

    def __init__(self, detail: str, advice: str | None = None, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.advice = advice or type(self).advice
        self.errors = list(errors)

    def headers(self) -> dict[str, str]:
        return {}


class BadInput(StreetlightError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    advice = "Correct the fields named in errors and send the request again."

    @classmethod
    def of(cls, field: str, reason: str) -> "BadInput":
        """The common case: one field is wrong."""
        return cls(f"{field}: {reason}", errors=[FieldError(field=field, reason=reason)])


class Unauthorized(StreetlightError):
    status = HTTPStatus.UNAUTHORIZED
    advice = "Send 'Authorization: Bearer <token>'; make a token with: streetlight token create --name NAME --role ROLE"

    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="streetlight"'}


class Forbidden(StreetlightError):
    status = HTTPStatus.FORBIDDEN
    advice = "Use a token with the role that is named, or ask an administrator for one."


class NotFound(StreetlightError):
    status = HTTPStatus.NOT_FOUND
    advice = "Check the identifier; the list of the same kind shows what exists."


class Conflict(StreetlightError):
    status = HTTPStatus.CONFLICT
    advice = "Read the current state, decide, and send the request again."


class BadGateway(StreetlightError):
    status = HTTPStatus.BAD_GATEWAY
    advice = "The lamp refused what it was sent; its diagnostic is in detail."


class Unavailable(StreetlightError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    advice = "Try again in a few seconds."

    def headers(self) -> dict[str, str]:
        return {"Retry-After": "5"}


def problem(
    status: int,
    detail: str,
    advice: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A response with a problem document; `type` is derived from the status."""
    phrase = HTTPStatus(status).phrase
    body = Problem(
        type=f"urn:streetlight:problem:{phrase.lower().replace(' ', '-')}",
        title=phrase,
        status=status,
        detail=detail,
        advice=advice,
        errors=list(errors),
    )
    return Response(
        orjson.dumps(body.model_dump()),
        status_code=status,
        media_type="application/problem+json",
        headers=dict(headers or {}),
    )


def install(app: FastAPI, authenticate: Callable[[Request], Awaitable[None]]) -> None:
    """Translate every exception that leaves an endpoint of `app`. `authenticate` raises `Unauthorized`: a body that is
    no JSON is refused before any dependency, and a stranger shall not learn even that."""

    @app.exception_handler(StreetlightError)
    async def ours(request: Request, error: StreetlightError) -> Response:
        return problem(error.status, error.detail, error.advice, error.errors, error.headers())

    @app.exception_handler(RequestValidationError)
    async def refused_fields(request: Request, error: RequestValidationError) -> Response:
        if any(e["type"] == "json_invalid" for e in error.errors()):
            try:
                await authenticate(request)
            except StreetlightError as refusal:
                return await ours(request, refusal)
        errors = [FieldError(field=_place(e), reason=_reason(e)) for e in error.errors()]
        names = ", ".join(dict.fromkeys(e.field for e in errors))
        return problem(422, f"The request has fields that cannot be accepted: {names}", BadInput.advice, errors)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        advice = HTTP_ADVICE.get(error.status_code, StreetlightError.advice)
        return problem(error.status_code, str(error.detail), advice, headers=error.headers)

    @app.exception_handler(IntegrityError)
    async def lost_race(request: Request, error: IntegrityError) -> Response:
        # Services look before they write; only two writers at the same instant end here. The message of the driver
        # holds values of the row, so it goes nowhere.
        log.warning("conflict path=%s kind=%s", request.url.path, type(error.orig).__name__)
        return problem(409, "Another request changed the same thing at the same moment.", Conflict.advice)

    @app.exception_handler(DataError)
    async def unfit(request: Request, error: DataError) -> Response:
        log.warning("value refused by the database path=%s kind=%s", request.url.path, type(error.orig).__name__)
        return problem(422, "The database cannot hold one of the values.", BadInput.advice)

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeout)
    async def no_database(request: Request, error: Exception) -> Response:
        cause = getattr(error, "orig", None) or error
        log.error("database unavailable path=%s reason=%s", request.url.path, cause)
        retry = {"Retry-After": "5"}
        return problem(503, "The database did not answer in time.", Unavailable.advice, headers=retry)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return problem(500, "The backend failed while it answered this request.", StreetlightError.advice)


HTTP_ADVICE = {
    404: "Check the path; /docs lists every endpoint.",
    405: "Check the method; /docs lists every endpoint.",
    413: "Send less at once: split the request.",
}


def _place(error: Mapping[str, Any]) -> str:
    """`("body", "steps", 2, "level")` -> `steps.2.level`; the whole body is `body`, a query parameter its name."""
    if error["type"] == "json_invalid":
        return "body"
    parts = [str(part) for part in error["loc"]]
    if len(parts) > 1 and parts[0] in {"body", "query", "path", "header"}:
        parts = parts[1:]
    return ".".join(parts) or "body"


def _reason(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return "this is not JSON"
    return str(error["msg"]).removeprefix("Value error, ")
