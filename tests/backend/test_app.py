"""The application as a whole: what is open, what is closed, how it starts, fails and ends."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from backend import app as composition
from backend import health
from backend.access.models import Role
from backend.app import Parts, create_app
from backend.db import Database
from backend.settings import Settings
from tests.backend.conftest import MakeClient, MakeToken
from tests.backend.waiting import PATIENCE_S

OPEN = {"/api/v1/health", "/api/v1/version", "/docs", "/docs/oauth2-redirect", "/openapi.json"}


def operations(app: FastAPI) -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods]


async def test_every_endpoint_but_health_version_and_documentation_needs_a_token(
    app: FastAPI, stranger: httpx.AsyncClient
) -> None:
    closed = [(method, path) for method, path in operations(app) if path not in OPEN]
    assert len(closed) > 15
    for method, path in closed:
        url = "http://test" + path.replace("{", "").replace("}", "")
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}):
            answer = await stranger.request(method, url, headers=headers)
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.headers["content-type"] == "application/problem+json"


def test_no_route_hides_from_the_documentation() -> None:
    app = create_app(Settings())
    documented = {path for _, path in operations(app)} | OPEN | {"/static-offline-docs"}
    assert {getattr(route, "path", None) for route in flatten(app.routes)} - {None} <= documented


def flatten(routes: Iterable[Any]) -> Iterable[Any]:
    for route in routes:
        inner = getattr(route, "routes", None)
        if inner:
            yield from flatten(inner)
        else:
            yield route


async def test_the_documentation_needs_no_other_host(stranger: httpx.AsyncClient) -> None:
    page = (await stranger.get("http://test/docs")).text
    wanted = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(wanted) == 3
    for path in wanted:
        assert path.startswith("/"), path
        answer = await stranger.get("http://test" + path)
        assert answer.status_code == 200 and len(answer.content) > 1000


async def test_a_viewer_reads_and_changes_nothing(app: FastAPI, make_client: MakeClient, make_token: MakeToken) -> None:
    viewer = make_client(await make_token(Role.VIEWER))
    for method, path in operations(app):
        if method in {"GET", "HEAD"} or path.endswith("/preview"):
            continue
        url = "http://test" + path.replace("{", "").replace("}", "")
        answer = await viewer.request(method, url)
        assert answer.status_code in {403, 422}, f"{method} {path}"
    answer = await viewer.post("/zones", json={"name": "x"})
    assert answer.status_code == 403
    assert "operator" in answer.json()["detail"]


async def test_health_says_what_works(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "coap": "ok", "version": health.get_version()}
    assert (await stranger.get("/version")).json() == {"version": health.get_version()}


async def test_health_says_what_does_not(
    app: FastAPI, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots, borrowers = app.state.database.slots, [object() for _ in range(app.state.settings.worker_threads)]
    for borrower in borrowers:
        await slots.acquire_on_behalf_of(borrower)
    monkeypatch.setattr(health, "PATIENCE_S", 0.05)
    monkeypatch.setattr(health, "RESET", 0x60)
    answer = await stranger.get("/health")
    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["coap"]) == ("failed", "failed")
    for borrower in borrowers:
        slots.release_on_behalf_of(borrower)


async def test_health_of_a_broken_backend_is_an_answer(
    app: FastAPI, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    class Deaf:
        port = 1

    monkeypatch.setattr(health, "PATIENCE_S", 0.2)
    monkeypatch.setattr(app.state, "device_server", Deaf())
    monkeypatch.setattr(app.state, "database", Database(f"sqlite:///{tmp_path}/missing/x.db"))
    answer = await stranger.get("/health")
    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["coap"]) == ("failed", "failed")


async def test_the_documentation_is_open_and_names_the_token(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("http://test/docs")).status_code == 200
    schema = (await stranger.get("http://test/openapi.json")).json()
    assert schema["paths"]["/api/v1/lamps"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in schema["paths"]["/api/v1/health"]["get"]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path} does not say what it does"


async def test_a_body_beyond_any_use_is_refused(client: httpx.AsyncClient) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (composition.LARGEST_BODY_BYTES // 4)

    for content in (b" " * (composition.LARGEST_BODY_BYTES + 1), unannounced()):
        answer = await client.post("/zones", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert "split" in answer.json()["advice"]


async def test_a_second_backend_on_the_same_port_does_not_start_and_says_why(app: FastAPI, tmp_path: Any) -> None:
    taken = Settings(
        database_url=f"sqlite:///{tmp_path}/second.db", coap_host="127.0.0.1", coap_port=app.state.device_server.port
    )
    second = create_app(taken)
    with pytest.raises(Exception, match=str(taken.coap_port)):
        async with second.router.lifespan_context(second):
            pass


class Diligent:
    """A worker that fails at first and then works."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.woken: list[int] = []
        self.starts = 0
        self.works = asyncio.Event()

    def wake(self, lamp_ids: Iterable[int]) -> None:
        self.woken += lamp_ids

    async def run(self) -> None:
        self.starts += 1
        if self.starts == 1:
            raise RuntimeError("first steps are hard")
        self.works.set()
        await asyncio.Event().wait()


async def test_a_worker_that_fails_is_started_again_and_ends_with_the_application(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(composition, "WORKERS", {"diligent": Diligent})
    monkeypatch.setattr(composition, "FIRST_PAUSE_S", 0.0)
    settings = Settings(database_url=f"sqlite:///{tmp_path}/x.db", coap_host="127.0.0.1", coap_port=0)
    app = create_app(settings)
    with caplog.at_level(logging.ERROR, "backend.app"):
        async with app.router.lifespan_context(app):
            worker: Diligent = app.state.diligent
            await asyncio.wait_for(worker.works.wait(), PATIENCE_S)
    assert worker.starts == 2
    assert "worker failed name=diligent" in caplog.text
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "diligent"]


def test_every_route_is_plain_or_waits_for_nothing() -> None:
    """A coroutine that talks to the database would stop the event loop, and the lamps with it."""
    for route in flatten(create_app(Settings()).routes):
        if isinstance(route, APIRoute) and asyncio.iscoroutinefunction(route.endpoint):
            assert route.path in OPEN, route.path
