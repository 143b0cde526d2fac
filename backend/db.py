"""One database, SQLite or PostgreSQL, and one transaction for each request or message.

SQLite runs in WAL mode with synchronous=FULL, so that what was acknowledged survives a power cut. A transaction that
will write begins with BEGIN IMMEDIATE: one that starts as a reader and writes later fails at once with "database is
locked", whatever the timeout says. PostgreSQL runs over psycopg 3 at READ COMMITTED; a service that reads in order to
write asks for `with_for_update()`, which SQLite ignores because its writers are alone anyway.

The pool is sized on purpose. A request takes a *slot* (waiting in the event loop, not in a thread), then at most one
connection and one thread at a time; a pool with as many connections as slots never makes a thread wait.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, TypeVar

import anyio
from anyio import to_thread
from fastapi import Depends, Request
from sqlalchemy import BigInteger, Connection, Engine, Integer, create_engine, event
from sqlmodel import Session

T = TypeVar("T")

RESERVED_CONNECTIONS = 4
"""Beyond the slots: the report writer, sequence numbers and the command line's own look."""

Id = BigInteger().with_variant(Integer, "sqlite")
"""Column type of a primary key drawn by the database (SQLite counts only in an INTEGER)."""

Millis = BigInteger()
"""Column type of whole milliseconds since 1970."""

_WRITE = "streetlight_write"


def make_engine(url: str, connections: int, timeout_s: int) -> Engine:
    """An engine with the settings above. `url` as `Settings.database_url` gives it."""
    pool: dict[str, Any] = {"pool_size": connections, "max_overflow": 0, "pool_timeout": timeout_s}
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": timeout_s, "check_same_thread": False}, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options = f"-c timezone=UTC -c lock_timeout={timeout_s}s -c idle_in_transaction_session_timeout=60s"
    # A restarted server leaves dead connections in the pool: pre_ping replaces them without failing a request.
    return create_engine(
        url, connect_args={"connect_timeout": timeout_s, "options": options}, pool_pre_ping=True, **pool
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself: _begin_sqlite does
    _use_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    # SQLite's own lower() knows ASCII only: "Đường" would not be found as "đường".
    connection.create_function("lower", 1, _lower, deterministic=True)


def _use_wal(connection: sqlite3.Connection) -> None:
    # The change of a new file to WAL ignores the busy timeout: of processes that start together all but one would fail.
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    deadline = time.monotonic() + patience_ms / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """Transactions for workers (`await read`, `await write`) and for threads (`reading`, `writing`, `session`)."""

    def __init__(self, url: str, worker_threads: int = 16, timeout_s: int = 10) -> None:
        self.worker_threads = worker_threads
        self.engine = make_engine(url, worker_threads + RESERVED_CONNECTIONS, timeout_s)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = self.engine.execution_options(**{_WRITE: True})
        self._reader = self.engine if self.is_sqlite else self.engine.execution_options(postgresql_readonly=True)
        self._slots: anyio.CapacityLimiter | None = None
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only transaction for a thread; rolled back at the end."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A writing transaction for a thread; committed at the end, rolled back by an exception."""
        with self._writer.begin() as connection:
            yield connection

    def open(self, writes: bool) -> Session:
        """An ORM session that nobody commits but its owner; its transaction begins with its first statement."""
        return Session(self._writer if writes else self._reader, expire_on_commit=False)

    @contextmanager
    def session(self, writes: bool) -> Iterator[Session]:
        """As `reading` and `writing`, with an ORM session."""
        with self.open(writes) as session:
            yield session
            if writes:
                session.commit()

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work(session)` in a thread inside a read-only transaction; for workers and async endpoints."""
        return await self._run(work, writes=False)

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work(session)` in a thread inside one transaction, committed before this returns."""
        return await self._run(work, writes=True)

    async def _run(self, work: Callable[[Session], T], *, writes: bool) -> T:
        def in_thread() -> T:
            with self.session(writes) as session:
                return work(session)

        async with self.slots:
            return await _to_its_end(in_thread)

    @property
    def slots(self) -> anyio.CapacityLimiter:
        """Belongs to the running event loop, so it is made at its first use."""
        with self._lock:
            if self._slots is None:
                self._slots = anyio.CapacityLimiter(self.worker_threads)
            return self._slots

    def close(self) -> None:
        self.engine.dispose()


async def _to_its_end(work: Callable[[], T]) -> T:
    """Run `work` in a thread. A cancelled caller still waits for it: a thread left alone with a connection would hold
    the connection after its slot was given away, and beyond the end of the application."""
    task = asyncio.create_task(to_thread.run_sync(work))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # looked at, so that nobody complains about it
        # The very same: a cancel scope of anyio knows its own by the words, and lets every other one fly.
        raise cancelled
    return task.result()


def find_database(request: Request) -> Database:
    """The database of the application that serves `request` (set by the lifespan in `backend.app`)."""
    database: Database = request.app.state.database
    return database


@asynccontextmanager
async def _edge(request: Request, writes: bool) -> AsyncIterator[Session]:
    database = find_database(request)
    async with database.slots:
        session = database.open(writes)
        try:
            yield session
            if writes:
                await to_thread.run_sync(_commit, session, request)
        finally:
            # Shielded: a caller who hangs up must not leave a transaction open.
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(session.close)


def _commit(session: Session, request: Request) -> None:
    for hook in request.app.state.before_commit:
        hook(session, request)
    session.commit()


async def _reading(request: Request) -> AsyncIterator[Session]:
    async with _edge(request, writes=False) as session:
        yield session


async def _writing(request: Request) -> AsyncIterator[Session]:
    async with _edge(request, writes=True) as session:
        yield session


# scope="function": the dependency ends, and so commits, after the endpoint returned and before the answer is sent. A
# failed commit is an error answer, and what a caller was told is durable.
Reading = Annotated[Session, Depends(_reading, scope="function")]
"""Parameter of an endpoint that only reads: one consistent read-only transaction."""
Writing = Annotated[Session, Depends(_writing, scope="function")]
"""Parameter of an endpoint that writes: one transaction, committed with its audit entry before the answer is sent."""
