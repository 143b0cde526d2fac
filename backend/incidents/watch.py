"""The worker that listens for silence: once a second it holds every session against its lifetime, and what is lost
against the feeders, the cabinets and its own hearing."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from sqlmodel import Session

from backend.clock import Clock
from backend.db import Database
from backend.device_server.sessions import SessionView
from backend.faults import service as faults
from backend.faults.ingest import settle
from backend.faults.silence import Hearing, verdict
from backend.feeders import service as feeders
from backend.feeders.service import Supply
from backend.incidents import repository
from backend.incidents.bounds import Bounds
from backend.incidents.correlation import Loss, Place
from backend.incidents.course import Open
from backend.incidents.deafness import Ear, Sense
from backend.incidents.record import Look, has_news, record

log = logging.getLogger(__name__)

EVERY_S = 1.0
INVENTORY_EVERY_MS = 30_000
"""Real time between looks at the inventory and the planned hours: people change them seldom, and wait half a minute."""
SETTLED_EVERY_MS = 60_000
"""Real time between looks for flapping faults that are calm by now: that takes hours, so a minute is soon."""


class SilenceWatch:
    """Raises and clears "communication lost", and leads the incidents."""

    def __init__(
        self,
        database: Database,
        sessions: Callable[[], Sequence[SessionView]],
        clock: Clock,
        bounds: Bounds | None = None,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._ear = Ear(self._bounds)
        self._listening_since_ms = clock.real_ms()
        self._settled_ms = 0
        self._inventory_ms: int | None = None
        self._places: Mapping[int, Place] = {}
        self._supplies: Mapping[str, Supply] = {}
        self._is_first = True

    def check_in(self, lamp_id: int, kind: str) -> None:
        """Nothing to queue: the next look sees it."""

    async def run(self) -> None:
        while True:
            await self.look()
            await self.settle()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """One look at all lamps that are registered; a planned stop is no silence."""
        real_ms, at_ms = self._clock.real_ms(), self._clock.now_ms()
        await self._follow_inventory(real_ms, at_ms)
        hearings = self._hearings(real_ms, at_ms)
        lost, incidents = await self._database.read(_known)
        since_ms = self._listening_since_ms
        raised, cleared = verdict(hearings, lost, since_ms, real_ms)
        sense = self._ear.judge([one for one in hearings if one.lamp_id not in lost], self._places, since_ms, real_ms)
        unheard = raised if sense is Sense.DEAF else []
        if sense is Sense.WAKES:
            self._listening_since_ms = real_ms
        if sense is not Sense.HEARS:
            raised = []
        silent = set(raised)
        look = Look(
            at_ms=at_ms,
            real_ms=real_ms,
            losses=[_loss(one, since_ms) for one in hearings if one.lamp_id in silent],
            cleared=cleared,
            unheard=unheard,
            lost=frozenset(lost | silent) - set(cleared),
            hearings={one.lamp_id: one for one in hearings},
            places=self._places,
        )
        if self._is_first or has_news(look, incidents):
            await self._database.write(lambda session: record(session.connection(), look, self._bounds))
        self._is_first = False
        if raised:
            log.warning("communication lost lamps=%d first=%s", len(raised), raised[:5])
        if cleared:
            log.info("communication back lamps=%d first=%s", len(cleared), cleared[:5])

    async def settle(self) -> None:
        """Close the flapping faults that have been calm for long enough, now and then."""
        if self._clock.real_ms() - self._settled_ms < SETTLED_EVERY_MS:
            return
        self._settled_ms, at_ms = self._clock.real_ms(), self._clock.now_ms()
        await self._database.write(lambda session: settle(session.connection(), at_ms))

    async def _follow_inventory(self, real_ms: int, at_ms: int) -> None:
        if self._inventory_ms is not None and real_ms - self._inventory_ms < INVENTORY_EVERY_MS:
            return

        def read(session: Session) -> tuple[dict[int, Place], dict[str, Supply]]:
            return repository.places(session.connection()), feeders.supplies(session, at_ms)

        self._places, self._supplies = await self._database.read(read)
        self._inventory_ms = real_ms

    def _hearings(self, real_ms: int, at_ms: int) -> list[Hearing]:
        supplied = {feeder: self._supplied_since(one, real_ms, at_ms) for feeder, one in self._supplies.items()}
        found = []
        for view in self._sessions():
            if view.registered:
                place = self._places.get(view.lamp_id)
                since_ms = 0 if place is None else supplied.get(place.feeder, 0)
                found.append(Hearing(view.lamp_id, view.last_heard_real_ms, view.lifetime_s, since_ms))
        return found

    def _supplied_since(self, supply: Supply, real_ms: int, at_ms: int) -> int | None:
        """In real time, when the feeder came on; 0: long ago; None: it is planned to be off. Plans are lighting time,
        which may run faster in a simulation."""
        if not supply.is_on(at_ms):
            return None
        since_ms = supply.since_ms(at_ms)
        return real_ms - int((at_ms - since_ms) / self._clock.rate) if since_ms else 0


def _known(session: Session) -> tuple[set[int], list[Open]]:
    connection = session.connection()
    return faults.lost_lamps(connection), repository.open_incidents(connection)


def _loss(hearing: Hearing, listening_since_ms: int) -> Loss:
    """It was lost some time after it was last heard with supply, and by the time that its silence counted."""
    to_ms = hearing.silent_since_ms(listening_since_ms) + hearing.lifetime_s * 1000
    return Loss(hearing.lamp_id, max(hearing.last_heard_ms, hearing.supplied_since_ms or 0), to_ms)
