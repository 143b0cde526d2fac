"""One thread that writes for the device server: everything that arrives within a few milliseconds is one transaction.

A commit costs one flush of the disk, whatever is in it (facts: 531 rows/s one by one, 32,000 in groups of 1,000), so
reports, registrations and reserved sequence numbers share it. Whoever waits is told after the commit, never before.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.device_server import repository
from backend.device_server.ports import Database, Ingestor, Report

log = logging.getLogger(__name__)
T = TypeVar("T")

Heard = tuple[int, int, str]
"""(lamp_id, last heard in real ms, address text)."""


class Overloaded(Exception):
    """The queue is full: tell the lamp to come back later."""


class Stopped(Exception):
    """The writer has stopped; nothing more is taken."""


@dataclass(slots=True)
class _Job:
    report: Report | None
    heard: Heard | None
    work: Callable[[Connection], Any] | None
    done: Callable[[Any, Exception | None], None]
    is_current: Callable[[], bool] | None = None


def _is_current(job: _Job) -> bool:
    return job.is_current is None or job.is_current()


def is_unavailable(error: Exception | None) -> bool:
    """Whether the database as a whole is the problem, and not what was written into it."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout | Stopped)


class Writer:
    """`report` and `run` are called in the event loop; `ingestors` and the work run in the thread. `on_group(waiting)`
    is called in the event loop for every group, with how many jobs waited when it was taken."""

    def __init__(
        self,
        database: Database,
        ingestors: Sequence[Ingestor],
        *,
        group: int,
        linger_ms: int,
        waiting: int,
        on_group: Callable[[int], None] = lambda waiting: None,
    ) -> None:
        self._database = database
        self._ingestors = tuple(ingestors)
        self._group = group
        self._linger_s = linger_ms / 1000
        self._waiting = waiting
        self._on_group = on_group
        self._queue: deque[_Job] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="device-server-writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Commit what is queued, then end the thread; nothing more is taken."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        await asyncio.sleep(0)  # the last outcomes were handed over with call_soon_threadsafe

    def report(
        self,
        report: Report,
        heard: Heard,
        done: Callable[[Any, Exception | None], None],
        is_current: Callable[[], bool] | None = None,
    ) -> None:
        """Queue a report; `done(stored, error or None)` is called in the event loop. Not stored is what `is_current()`
        denies when its group is written: the lamp's key was revoked. Raises Overloaded, Stopped."""
        self._put(_Job(report, heard, None, done, is_current))

    async def run(self, work: Callable[[Connection], T]) -> T:
        """`work(connection)` in the next transaction; its value after the commit. Raises what the database raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(value: T, error: Exception | None) -> None:
            if future.cancelled():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        self.submit(work, done)
        return await future

    def submit(self, work: Callable[[Connection], Any], done: Callable[[Any, Exception | None], None]) -> None:
        """As `run`, with a callback in the event loop: `done(value, error or None)`. Raises Overloaded, Stopped."""
        self._put(_Job(None, None, work, done))

    def _put(self, job: _Job) -> None:
        if self._stopping or self._thread is None:
            raise Stopped("the device server is stopping")
        if len(self._queue) >= self._waiting:
            raise Overloaded(f"{self._waiting} messages wait for the database")
        self._queue.append(job)
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        assert self._loop is not None
        busy = False
        while True:
            self._wake.wait()
            self._wake.clear()
            if busy and not self._stopping:
                time.sleep(self._linger_s)
            waiting = len(self._queue)
            jobs = [self._queue.popleft() for _ in range(min(len(self._queue), self._group))]
            if jobs:
                busy = len(jobs) > 1
                self._loop.call_soon_threadsafe(self._deliver, waiting, self._commit(jobs))
            if self._queue:
                self._wake.set()
            elif self._stopping:
                return

    def _deliver(self, waiting: int, outcomes: Sequence[tuple[_Job, Any, Exception | None]]) -> None:
        self._on_group(waiting)
        for job, value, error in outcomes:
            try:
                job.done(value, error)
            except Exception:  # the others of the group wait for their answers too
                log.exception("the answer to a committed message was not sent")

    def _commit(self, jobs: Sequence[_Job]) -> list[tuple[_Job, Any, Exception | None]]:
        try:
            with self._database.writing() as connection:
                values = self._apply(connection, jobs)
        except Exception as error:
            return self._failed(jobs, error)
        return [(job, value, None) for job, value in zip(jobs, values, strict=True)]

    def _failed(self, jobs: Sequence[_Job], error: Exception) -> list[tuple[_Job, Any, Exception | None]]:
        if len(jobs) == 1 or is_unavailable(error):
            # The text of a database error holds the values of a row, keys among them: only its kind is logged.
            log.error(
                "group of %d not written reason=%s", len(jobs), type(getattr(error, "orig", None) or error).__name__
            )
            return [(job, None, error) for job in jobs]
        # One bad report must not keep the others from being acknowledged.
        return [outcome for job in jobs for outcome in self._commit([job])]

    def _apply(self, connection: Connection, jobs: Sequence[_Job]) -> list[Any]:
        values = [job.work(connection) if job.work is not None else _is_current(job) for job in jobs]
        current = [job for job, value in zip(jobs, values, strict=True) if job.report is not None and value]
        reports = [job.report for job in current if job.report is not None]
        if reports:
            for ingest in self._ingestors:
                ingest(connection, reports)
            latest = {job.heard[0]: job.heard for job in current if job.heard is not None}
            repository.save_heard(connection, list(latest.values()))
        return values
