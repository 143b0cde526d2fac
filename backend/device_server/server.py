"""The device server: what the composition root starts and stops, and what domains hold on to."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from backend.device_server import registration, repository
from backend.device_server.bootstrap import Accounts, Bootstrap
from backend.device_server.counters import Counters
from backend.device_server.credentials import Credentials
from backend.device_server.door import Door
from backend.device_server.errors import Refusal
from backend.device_server.gateway import Gateway
from backend.device_server.ports import Clock, Database, Ingestor, OnCheckIn
from backend.device_server.requester import Requester, Tuning
from backend.device_server.security import Contexts
from backend.device_server.sessions import Session, Sessions
from backend.device_server.settings import DeviceServerSettings
from backend.device_server.site import Site
from backend.device_server.tuning import Address, Endpoint
from backend.device_server.writer import Writer

log = logging.getLogger(__name__)


def _ignore_check_in(lamp_id: int, kind: str) -> None:
    pass


class DeviceServer:
    """`credentials`, `counters`, `sessions` and `gateway` are there from the beginning; they serve while it runs.

    `start` and `stop` belong to one event loop, and so does everything but `credentials` and the ingestors. A stopped
    server may be started again.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: DeviceServerSettings | None = None,
        ingestors: Sequence[Ingestor] = (),
        on_check_in: OnCheckIn = _ignore_check_in,
    ) -> None:
        self.settings = settings or DeviceServerSettings()
        self.counters = Counters()
        self.sessions = Sessions()
        self.credentials = Credentials(clock, self._changed)
        self._database = database
        self._clock = clock
        self._ingestors = ingestors
        self._on_check_in = on_check_in
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Restore the registrations, then bind and serve. Raises PortTaken, or what the database raises."""
        settings = self.settings
        self._loop = asyncio.get_running_loop()
        # Look-ups of keys wait for nothing but the database; two threads keep them apart from the writer.
        self._executor = ThreadPoolExecutor(2, thread_name_prefix="device-server-lookup")
        self._writer = Writer(
            self._database,
            self._ingestors,
            group=settings.group_reports,
            linger_ms=settings.group_linger_ms,
            waiting=settings.waiting_jobs,
            on_group=self._count_group,
        )
        self._contexts = Contexts(self._database, self._writer, self._executor, settings.sequence_chunk)
        site = Site(self._writer, self.sessions, self._clock, self.counters, settings, self._on_check_in)
        accounts = Accounts(self._writer, self._contexts, self.sessions, self._clock)
        self._bootstrap = Bootstrap(accounts, self.counters, settings)
        self._door = Door(
            site,
            self._contexts,
            self.sessions,
            self._clock,
            self.counters,
            settings,
            self._database,
            self._executor,
            self._bootstrap,
            accounts,
        )
        self._writer.start()
        try:
            self._endpoint = await Endpoint.open(
                self._door.receive,
                settings.host,
                settings.port,
                receive_buffer_bytes=settings.receive_buffer_bytes,
                recent_messages=settings.recent_messages,
                malformed=self._count_malformed,
                turns_away=self._door.turns_away,
            )
        except BaseException:
            await self._close_threads()
            raise
        try:
            await self._restore()
        except BaseException:
            await self._endpoint.shutdown()
            await self._close_threads()
            raise
        tuning = Tuning(settings.lamp_ack_timeout_s, settings.lamp_retransmissions)
        requester = Requester(
            self._endpoint,
            self._contexts,
            self.sessions.locate,
            lambda lamp_id: self.sessions.answered(lamp_id, self._clock.real_ms()),
            tuning,
            settings.lamp_answer_timeout_s,
        )
        self._bootstrap.requester = Requester(
            self._endpoint,
            self._contexts,
            self._bootstrap.locate,
            lambda lamp_id: None,  # a lamp that is only being told who it is, is not there yet
            tuning,
            settings.lamp_answer_timeout_s,
        )
        self.sessions.on_move = requester.moved
        self.sessions.on_forget = requester.dropped
        self.gateway = Gateway(requester, self.sessions, self._contexts, self._clock, self.counters, settings)
        self._flusher = asyncio.create_task(self._flush_periodically(), name="device-server-flush")
        log.info("coap host=%s port=%d lamps=%d", settings.host, self.port, len(self.sessions))
        if settings.allow_insecure:
            log.warning("coap serves unprotected requests: laboratory mode, not for a street")

    @property
    def is_running(self) -> bool:
        return self._loop is not None

    @property
    def port(self) -> int:
        """The UDP port that is bound."""
        return self._endpoint.datagrams.port

    async def stop(self) -> None:
        """Commit and acknowledge what was received, write when lamps were last heard, then close the socket. What comes
        in between is told to come back (5.03)."""
        self._flusher.cancel()
        await asyncio.gather(self._flusher, return_exceptions=True)
        await self._door.close()
        await self._bootstrap.close()
        await self._flush()
        await self._writer.stop()
        await self._endpoint.shutdown()
        await self._close_threads()
        log.info("coap stopped %s", " ".join(f"{name}={value}" for name, value in self.counters.snapshot().items()))

    async def _close_threads(self) -> None:
        await self._writer.stop()
        self._executor.shutdown()
        self._loop = None

    async def _restore(self) -> None:
        """Sessions as they were: liveness goes on from the last message heard, and commands reach lamps where they
        were. The socket is bound already, so that what comes meanwhile waits in its buffer."""

        def look() -> Sequence[repository.Row]:
            with self._database.reading() as connection:
                return repository.all_registrations(connection)

        for row in await asyncio.get_running_loop().run_in_executor(self._executor, look):
            self.sessions.put(self._session(row))

    def _session(self, row: repository.Row) -> Session:
        try:
            root, formats = registration.read_objects(row["objects"])
        except Refusal:
            root, formats = (), ()
        return Session(
            lamp_id=int(row["lamp_id"]),
            endpoint=row["endpoint"],
            location=row["location"],
            registered=bool(row["active"]),
            remote=self._address(row["address"]),
            lifetime_s=row["lifetime_s"],
            version=row["lwm2m_version"],
            binding=row["binding"],
            root=root,
            formats=formats,
            registered_ms=row["registered_real_ms"],
            heard_ms=row["last_heard_real_ms"],
            saved_ms=row["last_heard_real_ms"],
            protected=row["secret"] is not None,
        )

    def _address(self, text: str) -> Address | None:
        try:
            return self._endpoint.address(text)
        except ValueError:
            return None

    async def _flush_periodically(self) -> None:
        while True:
            await asyncio.sleep(self.settings.flush_interval_s)
            await self._flush()

    async def _flush(self) -> None:
        heard = self.sessions.take_unsaved()
        if not heard:
            return
        try:
            await self._writer.run(lambda connection: repository.save_heard(connection, heard))
        except Exception as error:
            log.warning("last heard of %d lamps not written reason=%s", len(heard), type(error).__name__)
            self.sessions.unsave(lamp_id for lamp_id, _, _ in heard)

    def _changed(self, lamp_id: int) -> None:
        """A key was added or revoked, in whatever thread."""
        loop = self._loop
        if loop is not None:
            self._contexts.evict(lamp_id)
            loop.call_soon_threadsafe(self.sessions.forget, lamp_id)

    def _count_group(self, waiting: int) -> None:
        self.counters.groups += 1
        self.counters.longest_queue = max(self.counters.longest_queue, waiting)

    def _count_malformed(self) -> None:
        self.counters.malformed += 1
