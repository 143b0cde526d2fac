"""The composition root: the only place that names concrete parts.

To add a domain, write its package and put its router, its ingestor and its worker into the three lists below.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi_offline import FastAPIOffline
from sqlmodel import Session

from backend import errors, health, migrations
from backend.access import endpoints as access
from backend.access.guard import authenticate, authenticate_first
from backend.audit import endpoints as audit
from backend.audit.service import record_request
from backend.clock import Clock
from backend.db import RESERVED_CONNECTIONS, Database
from backend.device_server.credentials import Credentials
from backend.device_server.gateway import Gateway
from backend.device_server.ports import Ingestor
from backend.device_server.server import DeviceServer
from backend.device_server.sessions import SessionView
from backend.device_server.settings import DeviceServerSettings
from backend.diagnostics import endpoints as diagnostics
from backend.enrolment import endpoints as enrolment
from backend.enrolment.commissioning import Commissioning
from backend.explain import endpoints as explain
from backend.faults import endpoints as faults
from backend.faults.ingest import ingest as faults_ingest
from backend.feeders import endpoints as feeders
from backend.incidents import endpoints as incidents
from backend.incidents.bounds import Bounds as IncidentBounds
from backend.incidents.watch import SilenceWatch
from backend.kit.body_limit import BodyLimit
from backend.kit.changes import take_changed
from backend.lamps import endpoints as lamps
from backend.lamps.ingest import ingest as lamps_ingest
from backend.lamps.service import CONTROLLER
from backend.ledgers import endpoints as ledgers
from backend.overrides import endpoints as overrides
from backend.overrides.delivery import Delivery as OverrideDelivery
from backend.overrides.ingest import ingest as overrides_ingest
from backend.overrides.service import follow_swaps as overrides_follow
from backend.schedules import endpoints as schedules
from backend.schedules.delivery import Delivery as ScheduleDelivery
from backend.schedules.desired import follow_swaps as schedules_follow
from backend.schedules.desired import refresh_changed as refresh_desired
from backend.schedules.ingest import ingest as schedules_ingest
from backend.settings import Settings
from backend.telemetry import endpoints as telemetry
from backend.telemetry.ingest import ingest as telemetry_ingest
from backend.zones import endpoints as zones

log = logging.getLogger(__name__)

LARGEST_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Parts:
    """What a worker may be built from."""

    settings: Settings
    database: Database
    clock: Clock
    gateway: Gateway
    credentials: Credentials
    sessions: Callable[[], Sequence[SessionView]]


class Worker(Protocol):
    """Talks to lamps in the background. Endpoints reach it as `request.app.state.<name>`."""

    def check_in(self, lamp_id: int, kind: str) -> None:
        """A lamp was heard ("register", "update" or "report"): queue what there may be to do for it."""

    async def run(self) -> None:
        """Work until cancelled."""


ROUTERS: Sequence[APIRouter] = (
    access.router,
    audit.router,
    lamps.router,
    zones.router,
    enrolment.router,
    enrolment.lamp_router,
    ledgers.router,
    schedules.router,
    overrides.router,
    telemetry.router,
    faults.router,
    feeders.router,
    incidents.router,
    explain.router,
    diagnostics.router,
)
"""All under /api/v1, all behind a token."""

INGESTORS: Sequence[Ingestor] = (
    lamps_ingest,
    telemetry_ingest,
    faults_ingest,
    schedules_ingest,
    overrides_ingest,
)
"""Each gets every group of reports, in this order, in one transaction."""

WORKERS: Mapping[str, Callable[[Parts], Worker]] = {
    "schedules": lambda parts: ScheduleDelivery(parts.database, parts.gateway, parts.clock),
    "overrides": lambda parts: OverrideDelivery(parts.database, parts.gateway, parts.clock),
    "commissioning": lambda parts: Commissioning(parts.database, parts.clock),
    "silence": lambda parts: SilenceWatch(
        parts.database, parts.sessions, parts.clock, IncidentBounds.from_settings(parts.settings)
    ),
}
"""Name in `app.state`, and what makes it."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; nothing is opened before its lifespan begins. Raises `ValidationError` on bad settings."""
    settings = settings or Settings()
    # With its documentation page's scripts: an operator's network may have no way to the Internet.
    app = FastAPIOffline(
        title="Streetlight",
        description="Street lighting: lamps, zones, schedules, overrides, telemetry, faults.",
        version=health.get_version(),
        lifespan=_lifespan,
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, largest_bytes=LARGEST_BODY_BYTES)
    app.state.settings = settings
    app.state.before_commit = (follow_swaps, refresh_desired, record_request)
    errors.install(app, authenticate_first)
    app.include_router(health.router, prefix="/api/v1")
    api = APIRouter(prefix="/api/v1", dependencies=[Depends(authenticate)], responses=_PROBLEMS)
    for router in ROUTERS:
        api.include_router(router)
    app.include_router(api)
    return app


def follow_swaps(session: Session, request: Request) -> None:
    """Before a request's commit: a controller that took another's place gets all that is desired of the lamp."""
    swapped = sorted(take_changed(session, CONTROLLER))
    if swapped:
        schedules_follow(session, swapped)
        overrides_follow(session, swapped, request.app.state.clock.now_ms())


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": errors.Problem, "description": kind.__name__}
    for status, kind in (
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (422, errors.BadInput),
        (503, errors.Unavailable),
    )
}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    database = Database(settings.database_url, settings.worker_threads, settings.database_timeout_s)
    try:
        revision = await to_thread.run_sync(migrations.upgrade, database)
        # Fewer threads than slots would let requests wait for threads while they hold connections.
        to_thread.current_default_thread_limiter().total_tokens = settings.worker_threads + RESERVED_CONNECTIONS
        app.state.database = database
        app.state.clock = clock = Clock.from_settings(settings)
        log.info("database ready dialect=%s revision=%s", database.engine.dialect.name, revision)
        async with _devices(app, settings, database, clock):
            yield
    finally:
        database.close()


@asynccontextmanager
async def _devices(app: FastAPI, settings: Settings, database: Database, clock: Clock) -> AsyncIterator[None]:
    """The device server and the workers that talk through it: it starts first, and ends last."""
    workers: dict[str, Worker] = {}

    def on_check_in(lamp_id: int, kind: str) -> None:
        for worker in workers.values():
            worker.check_in(lamp_id, kind)

    bounds = DeviceServerSettings(
        settings.coap_host, settings.coap_port, settings.allow_insecure, server_uri=settings.coap_uri or ""
    )
    server = DeviceServer(database, clock, bounds, INGESTORS, on_check_in)
    await server.start()
    tasks: list[asyncio.Task[None]] = []
    try:
        parts = Parts(settings, database, clock, server.gateway, server.credentials, server.sessions.snapshot)
        workers.update((name, make(parts)) for name, make in WORKERS.items())
        app.state.device_server = server
        app.state.credentials = server.credentials
        for name, worker in workers.items():
            setattr(app.state, name, worker)
            tasks.append(asyncio.create_task(_supervise(name, worker), name=name))
        yield
    finally:
        await _end(tasks)
        await server.stop()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        # A worker that fails while it is cancelled would be started again: cancel until all have ended.
        _, waiting = await asyncio.wait(waiting, timeout=1)


FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


async def _supervise(name: str, worker: Worker) -> None:
    """Keep a worker running: what is desired is in the database, so that one that starts again loses nothing."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            await worker.run()
            log.error("worker ended name=%s; it starts again in %.0f s", name, pause_s)
        except Exception:
            log.exception("worker failed name=%s; it starts again in %.0f s", name, pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
