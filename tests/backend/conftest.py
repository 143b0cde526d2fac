"""Fixtures of the backend's tests: everything that takes `database_url` runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend import migrations
from backend.access import service as access
from backend.access.models import Role
from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from tests.backend.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL with a migrated database."""
    with running_postgres() as server:
        server.prepare(_migrate)
        yield server


def _migrate(url: str) -> None:
    database = Database(Settings(database_url=url).database_url)
    migrations.upgrade(database)
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the test's own, migrated and empty; once for each kind."""
    if request.param == "postgresql":
        return Settings(database_url=request.getfixturevalue("postgres").migrated()).database_url
    path = tmp_path / "streetlight.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a table, for the tests of migrations."""
    if request.param == "postgresql":
        with request.getfixturevalue("postgres").database() as url:
            yield Settings(database_url=url).database_url
    else:
        yield f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, coap_host="127.0.0.1", coap_port=0, worker_threads=8)


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """The application before its lifespan. Building its routes takes longer than most tests, so it is done once."""
    return create_app(Settings())


@pytest.fixture
async def app(routes: FastAPI, settings: Settings) -> AsyncIterator[FastAPI]:
    """The application with its lifespan begun: database, device server and workers of the test's own."""
    routes.state.settings = settings
    async with routes.router.lifespan_context(routes):
        yield routes


MakeToken = Callable[..., Awaitable[str]]


@pytest.fixture
def make_token(app: FastAPI) -> MakeToken:
    """`await make_token(Role.VIEWER)` returns the text of a new token."""

    async def make(role: Role, name: str | None = None, **options: Any) -> str:
        now_ms = app.state.clock.real_ms()
        _, text = await app.state.database.write(
            lambda session: access.create(session, now_ms, name or role.value, role, **options)
        )
        return str(text)

    return make


MakeClient = Callable[[str | None], httpx.AsyncClient]


@pytest.fixture
async def make_client(app: FastAPI) -> AsyncIterator[MakeClient]:
    """`make_client(token)` returns a client of the running application; None: without a token."""
    clients = []

    def make(token: str | None) -> httpx.AsyncClient:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def client(make_client: MakeClient, make_token: MakeToken) -> httpx.AsyncClient:
    """A client with the role admin."""
    return make_client(await make_token(Role.ADMIN))


@pytest.fixture
def stranger(make_client: MakeClient) -> httpx.AsyncClient:
    """A client without a token."""
    return make_client(None)


LAMP = {"latitude": 10.7769, "longitude": 106.7009, "time_zone": "Asia/Ho_Chi_Minh"}


@pytest.fixture
def add_lamp(client: httpx.AsyncClient) -> Callable[..., Awaitable[dict[str, Any]]]:
    """`await add_lamp("urn:dev:mac:01", street="Le Loi")` returns the new lamp as the API shows it."""

    async def add(endpoint: str, **fields: Any) -> dict[str, Any]:
        answer = await client.post("/lamps", json={**LAMP, "endpoint": endpoint, **fields})
        assert answer.status_code == 201, answer.text
        lamp: dict[str, Any] = answer.json()
        return lamp

    return add
