"""A device server on a port of its own, with one lamp enrolled. Real sockets on 127.0.0.1, a clock that stands
still."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from backend.db import Database
from backend.device_server import repository
from backend.device_server.ports import Ingestor
from backend.device_server.server import DeviceServer
from backend.device_server.settings import DeviceServerSettings
from tests.backend.device_server.peers import ENDPOINT, SALT, SECRET, SENDER_ID, Context, FakeClock, Lamp, Raw

LAMP_ID = 7
QUICK = {"host": "127.0.0.1", "port": 0, "group_linger_ms": 0, "lamp_ack_timeout_s": 0.05, "lamp_answer_timeout_s": 0.1}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite with the device server's tables only: what is not about SQL need not run twice."""
    opened = Database(f"sqlite:///{tmp_path / 'device.db'}")
    for table in (repository.credentials, repository.bootstraps, repository.registrations):
        table.create(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def any_database(database_url: str) -> Iterator[Database]:
    """Migrated SQLite, then PostgreSQL. Ask for it before `make_server`, so that it is closed after the server
    stopped."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


MakeServer = Callable[..., Awaitable[DeviceServer]]


@pytest.fixture
async def make_server(database: Database, clock: FakeClock) -> AsyncIterator[MakeServer]:
    """`await make_server(ingestors, on_check_in, database=..., setting=value...)` starts a server; all are stopped at
    the end."""
    running: list[DeviceServer] = []

    async def make(
        ingestors: list[Ingestor] | None = None,
        on_check_in: Callable[[int, str], None] = lambda lamp_id, kind: None,
        database: Database = database,
        **changes: object,
    ) -> DeviceServer:
        settings = DeviceServerSettings(**{**QUICK, **changes})  # type: ignore[arg-type]
        server = DeviceServer(database, clock, settings, ingestors or [], on_check_in)
        await server.start()
        running.append(server)
        return server

    yield make
    for server in running:
        if server.is_running:
            await server.stop()


def enrol(server: DeviceServer, database: Database, lamp_id: int = LAMP_ID, **changes: object) -> None:
    """Give lamp 7 its keys."""
    keys = {"endpoint": ENDPOINT, "sender_id": SENDER_ID, "secret": SECRET, "salt": SALT, **changes}
    with database.session(writes=True) as session:
        server.credentials.add(session, lamp_id, **keys)  # type: ignore[arg-type]


@pytest.fixture
async def server(make_server: MakeServer, database: Database) -> DeviceServer:
    """A running server that knows lamp 7."""
    started = await make_server()
    enrol(started, database)
    return started


@pytest.fixture
async def make_lamp() -> AsyncIterator[Callable[..., Awaitable[Lamp]]]:
    opened: list[Lamp] = []

    async def make(server: DeviceServer, context: Context | None = None) -> Lamp:
        opened.append(await Lamp.open(server.port, context))
        return opened[-1]

    yield make
    for lamp in opened:
        await lamp.close()


@pytest.fixture
async def lamp(server: DeviceServer, make_lamp: Callable[..., Awaitable[Lamp]]) -> Lamp:
    """Lamp 7, not registered yet."""
    return await make_lamp(server, Context())


@pytest.fixture
async def make_raw() -> AsyncIterator[Callable[[DeviceServer], Awaitable[Raw]]]:
    opened: list[Raw] = []

    async def make(server: DeviceServer) -> Raw:
        opened.append(await Raw.open(server.port))
        return opened[-1]

    yield make
    for raw in opened:
        raw.transport.close()


@pytest.fixture
async def raw(server: DeviceServer, make_raw: Callable[[DeviceServer], Awaitable[Raw]]) -> Raw:
    return await make_raw(server)
