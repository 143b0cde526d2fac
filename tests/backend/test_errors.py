"""Problem documents: every failure has one shape, says what to do, and repeats nothing."""

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from backend import errors


class Body(BaseModel):
    secret: int
    name: str


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()

    async def authenticate(request: Request) -> None:
        if request.headers.get("x-stranger"):
            raise errors.Unauthorized("This endpoint needs a token.")

    errors.install(app, authenticate)
    failures: dict[str, Exception] = {
        "bad": errors.BadInput.of("level", "0 to 100"),
        "unauthorized": errors.Unauthorized("no token"),
        "forbidden": errors.Forbidden("no"),
        "missing": errors.NotFound("no lamp 7"),
        "conflict": errors.Conflict("taken", "choose another"),
        "gateway": errors.BadGateway("4.05"),
        "unavailable": errors.Unavailable("later"),
        "integrity": IntegrityError("INSERT secret", {"key": "c0ffee"}, Exception("DETAIL: Key (secret)=(c0ffee)")),
        "data": DataError("INSERT", {}, Exception("c0ffee")),
        "operational": OperationalError("SELECT c0ffee", {}, Exception("database is locked")),
        "bug": RuntimeError("c0ffee"),
    }

    @app.get("/{name}")
    async def fail(name: str) -> None:
        raise failures[name]

    @app.post("/body")
    async def take(body: Body) -> None:
        pass

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("bad", 422),
        ("unauthorized", 401),
        ("forbidden", 403),
        ("missing", 404),
        ("conflict", 409),
        ("gateway", 502),
        ("unavailable", 503),
        ("integrity", 409),
        ("data", 422),
        ("operational", 503),
        ("bug", 500),
    ],
)
async def test_every_failure_is_a_problem_document_with_advice(
    client: httpx.AsyncClient, name: str, status: int
) -> None:
    answer = await client.get(f"/{name}")
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(body) == {"type", "title", "status", "detail", "advice", "errors"}
    assert body["advice"] and body["detail"] and body["title"]
    assert "c0ffee" not in answer.text


async def test_a_missing_path_and_a_wrong_method_are_problem_documents(client: httpx.AsyncClient) -> None:
    missing, wrong = await client.get("/a/b/c"), await client.delete("/body")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert "/docs" in missing.json()["advice"] and "/docs" in wrong.json()["advice"]


async def test_a_refused_body_names_each_field_and_repeats_no_value(client: httpx.AsyncClient) -> None:
    answer = await client.post("/body", json={"secret": "c0ffee", "extra": "c0ffee"})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"secret", "name"}
    assert all(error["reason"] for error in answer.json()["errors"])
    assert "c0ffee" not in answer.text


async def test_a_body_that_is_not_json_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.post("/body", content=b'{"secret": c0ffee', headers={"content-type": "application/json"})
    assert answer.json()["errors"] == [{"field": "body", "reason": "this is not JSON"}]


async def test_a_stranger_with_a_broken_body_is_asked_for_a_token_first(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json", "x-stranger": "yes"}
    assert (await client.post("/body", content=b"{", headers=headers)).status_code == 401


async def test_a_challenge_and_a_pause_are_in_the_headers(client: httpx.AsyncClient) -> None:
    assert (await client.get("/unauthorized")).headers["www-authenticate"].startswith("Bearer")
    assert (await client.get("/unavailable")).headers["retry-after"] == "5"
