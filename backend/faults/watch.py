"""The worker that listens for silence: once a second it holds every session against its lifetime."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from backend.clock import Clock
from backend.db import Database
from backend.device_server.sessions import SessionView
from backend.faults import ingest, repository
from backend.faults.silence import CODE, Hearing, note, verdict

log = logging.getLogger(__name__)

EVERY_S = 1.0
SETTLED_EVERY_MS = 60_000
"""Real time between looks for flapping faults that are calm by now: that takes hours, so a minute is soon."""


class SilenceWatch:
    """Raises and clears "communication lost"."""

    def __init__(self, database: Database, sessions: Callable[[], Sequence[SessionView]], clock: Clock) -> None:
        self._database = database
        self._sessions = sessions
        self._clock = clock
        self._listening_since_ms = clock.real_ms()
        self._settled_ms = 0

    def check_in(self, lamp_id: int, kind: str) -> None:
        """Nothing to queue: the next look sees it."""

    async def run(self) -> None:
        while True:
            await self.look()
            await self.settle()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """One look at all lamps that are registered; a planned stop is no silence."""
        hearings = [
            Hearing(view.lamp_id, view.last_heard_real_ms, view.lifetime_s)
            for view in self._sessions()
            if view.registered
        ]
        since_ms, real_ms, at_ms = self._listening_since_ms, self._clock.real_ms(), self._clock.now_ms()
        lost = await self._database.read(lambda session: repository.active_lamps(session.connection(), CODE))
        raised, cleared = verdict(hearings, lost, since_ms, real_ms)
        if raised or cleared:
            await self._database.write(lambda session: note(session.connection(), raised, cleared, at_ms))
        if raised:
            log.warning("communication lost lamps=%d first=%s", len(raised), raised[:5])
        if cleared:
            log.info("communication back lamps=%d first=%s", len(cleared), cleared[:5])

    async def settle(self) -> None:
        """Close the flapping faults that have been calm for long enough, now and then."""
        if self._clock.real_ms() - self._settled_ms < SETTLED_EVERY_MS:
            return
        self._settled_ms, at_ms = self._clock.real_ms(), self._clock.now_ms()
        await self._database.write(lambda session: ingest.settle(session.connection(), at_ms))
