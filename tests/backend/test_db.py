"""Transactions on both databases."""

import asyncio
import sqlite3
import threading
from typing import Annotated, Any

import httpx
import pytest
from anyio import CancelScope, move_on_after, to_thread
from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from backend.access.models import Token
from backend.access.repository import list_all
from backend.db import Database, Writing
from backend.settings import Settings
from tests.backend.postgres import Postgres


def token(name: str) -> Token:
    return Token(name=name, role="viewer", prefix=name, digest=b"", created_at_ms=1)


def names(database: Database) -> list[str]:
    with database.session(writes=False) as session:
        return [found.name for found in list_all(session)]


def test_sqlite_survives_a_power_cut_and_keeps_its_references(tmp_path: Any) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.db", timeout_s=3)
    with database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 3000}


def test_a_new_sqlite_file_that_another_process_prepares_is_waited_for(tmp_path: Any) -> None:
    """The change to WAL ignores SQLite's own busy timeout."""
    path = tmp_path / "x.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    impatient, patient = Database(f"sqlite:///{path}", timeout_s=0), Database(f"sqlite:///{path}", timeout_s=10)
    with pytest.raises(OperationalError), impatient.reading():
        pass
    release = threading.Timer(0.05, other.execute, ["ROLLBACK"])
    release.start()
    with patient.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    release.join()
    for opened in (impatient, patient, other):
        opened.close()


def test_a_transaction_is_committed_at_its_end(database: Database) -> None:
    with database.session(writes=True) as session:
        session.add(token("a"))
    assert names(database) == ["a"]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(KeyError), database.session(writes=True) as session:
        session.add(token("a"))
        session.flush()
        raise KeyError
    assert names(database) == []


def test_lower_knows_more_than_ascii(database: Database) -> None:
    with database.reading() as connection:
        assert connection.execute(text("SELECT lower('ĐƯỜNG Lê Lợi')")).scalar_one() == "đường lê lợi"


def test_postgresql_refuses_to_write_where_only_reading_was_asked_for(postgres: Postgres) -> None:
    """SQLite has no read-only transactions; the same code on this database finds the mistake."""
    database = Database(Settings(database_url=postgres.migrated()).database_url)
    with pytest.raises(DBAPIError, match="read-only"), database.session(writes=False) as session:
        session.add(token("a"))
        session.flush()
    database.close()


def test_a_writer_waits_for_the_other_and_then_sees_its_work(database: Database) -> None:
    """With SQLite's deferred transactions the second one would fail at once with "database is locked"."""

    def add_next(session: Session) -> int:
        if not database.is_sqlite:
            session.execute(text("LOCK TABLE access_token IN EXCLUSIVE MODE"))
        count = len(list_all(session))
        session.add(token(f"t{count}"))
        return count

    async def both() -> list[int]:
        return sorted(await asyncio.gather(*(database.write(add_next) for _ in range(6))))

    assert asyncio.run(both()) == [0, 1, 2, 3, 4, 5]


def test_a_lock_that_is_held_too_long_is_an_operational_error(database_url: str) -> None:
    database = Database(database_url, timeout_s=1)
    try:
        with database.writing() as first:
            first.execute(text("CREATE TABLE held (x INTEGER)"))
            with pytest.raises(OperationalError), database.writing() as second:
                second.execute(text("DROP TABLE IF EXISTS access_token"))
                second.execute(text("CREATE TABLE held (x INTEGER)"))
    finally:
        database.close()


async def test_more_requests_than_connections_all_come_through(database_url: str) -> None:
    """Each request holds a transaction and needs threads; with the framework's defaults 32 clients stall."""
    database = Database(database_url, worker_threads=2, timeout_s=5)
    limiter = to_thread.current_default_thread_limiter()
    limiter.total_tokens, before = 3, limiter.total_tokens
    app = FastAPI()
    app.state.database, app.state.before_commit = database, ()

    def begin(session: Writing) -> int:
        return len(list_all(session))

    @app.post("/tokens/{name}")
    def add(name: str, session: Writing, count: Annotated[int, Depends(begin)]) -> str:
        session.add(token(name))
        return name

    try:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answers = await asyncio.gather(*(client.post(f"/tokens/t{n}") for n in range(40)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(names(database)) == 40
    finally:
        limiter.total_tokens = before
        database.close()


async def test_a_worker_that_is_cancelled_waits_for_its_thread(database: Database) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        session.add(token("a"))
        session.flush()
        begun.set()
        may_end.wait(5)

    worker = asyncio.create_task(database.write(slow))
    await to_thread.run_sync(begun.wait)
    worker.cancel()
    await asyncio.sleep(0)
    worker.cancel()
    assert database.slots.borrowed_tokens == 1
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert database.slots.borrowed_tokens == 0
    assert names(database) == ["a"]


async def test_who_waits_only_so_long_for_a_slow_database_goes_on_afterwards(database: Database) -> None:
    entered, over = threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        entered.set()
        over.wait(10)

    def give_up(loop: asyncio.AbstractEventLoop, scope: CancelScope) -> None:
        entered.wait(10)
        loop.call_soon_threadsafe(scope.cancel)
        loop.call_soon_threadsafe(over.set)

    with move_on_after(10) as scope:
        loop = asyncio.get_running_loop()
        loop.call_later(0, lambda: loop.run_in_executor(None, give_up, loop, scope))
        await database.read(slow)
    assert scope.cancelled_caught


async def test_an_answer_is_sent_after_the_commit(database: Database) -> None:
    app = FastAPI()
    app.state.database, app.state.before_commit = database, ()

    @app.post("/tokens")
    def add(session: Writing) -> None:
        session.add(token("a"))

    seen = []

    async def send(message: Any) -> None:
        seen.append((message["type"], names(database)))

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/tokens", "query_string": b"", "headers": [], "state": {}}
    await app(scope, receive, send)
    assert seen[0] == ("http.response.start", ["a"])
