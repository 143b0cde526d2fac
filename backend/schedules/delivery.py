"""Taking schedules to the lamps, and reading back what they hold. Only an equal digest is "verified".

pending --write, read back equal--> verified       the good way
pending --no answer, or 5.xx--> pending            again at the lamp's next check-in
pending --lamp refuses--> refused                  with its words; again when it registers anew or the schedule changes
verified --a report tells of another digest--> pending

A lamp that registers is not asked what it holds: its introduction, seconds later, carries the digest, and
`ingest` compares it. Asking 20,000 lamps whose power has just returned would double their traffic. Only one that did
not introduce itself within INTRODUCTION_S (a third party's) is asked.
"""

import asyncio

from sqlmodel import Session

from backend.clock import Clock
from backend.db import Database
from backend.device_server.errors import LampRefused, LampUnreachable
from backend.device_server.gateway import Gateway
from backend.kit.swept_work import SweptWork
from backend.schedules import desired, repository
from backend.schedules.installation import Wanted, held_digest, install
from backend.schedules.models import Status

INTRODUCTION_S = 5.0
"""From its registration a lamp takes the time, then introduces itself: 1 to 3 s on a good network."""


class Delivery:
    """The worker of the schedules."""

    def __init__(self, database: Database, gateway: Gateway, clock: Clock) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._work = SweptWork("schedules", self.deliver, self._left)
        self._introductions: dict[int, float] = {}
        self.wake, self.run = self._work.wake, self._work.run

    def check_in(self, lamp_id: int, kind: str) -> None:
        """A lamp was heard: one that registers gets time to introduce itself, one that did not answer before is tried
        again."""
        if kind == "register":
            self._introductions[lamp_id] = asyncio.get_running_loop().time() + INTRODUCTION_S
            self._work.rest(lamp_id, INTRODUCTION_S)
        elif self._work.is_resting(lamp_id) and lamp_id not in self._introductions:
            self._work.wake([lamp_id])

    async def _left(self) -> list[int]:
        """Lamps that are there and should hold something else than they do, as far as is known."""
        now_s = asyncio.get_running_loop().time()
        settled = [lamp_id for lamp_id, until_s in self._introductions.items() if until_s <= now_s]
        for lamp_id in settled:
            del self._introductions[lamp_id]

        def look(session: Session) -> list[int]:
            return repository.pending_lamps(session) + repository.unsettled_lamps(session, settled)

        left = await self._database.read(look)
        # A lamp that is silent would hold a place in the gateway's window until it times out.
        return [lamp_id for lamp_id in left if self._gateway.is_present(lamp_id)]

    async def deliver(self, lamp_id: int) -> None:
        """Bring one lamp to what it should hold, or note why not."""
        wanted = await self._database.read(lambda session: self._wanted(session, lamp_id))
        if wanted is None:
            return
        try:
            if await held_digest(self._gateway, wanted) == wanted.digest:
                await self._note(wanted, status=Status.VERIFIED, verified_ms=self._clock.now_ms(), detail="")
                return
            await self._note(wanted, sent_ms=self._clock.now_ms(), status=Status.PENDING)
            await install(self._gateway, wanted)
            held = await held_digest(self._gateway, wanted)
        except (LampUnreachable, LampRefused) as error:
            if isinstance(error, LampRefused) and not error.is_passing:
                await self._note(wanted, status=Status.REFUSED, detail=str(error))
                return
            self._work.rest(lamp_id)
            await self._note(wanted, status=Status.PENDING, detail=f"waiting for the lamp: {error}")
            return
        if held == wanted.digest:
            await self._note(wanted, status=Status.VERIFIED, verified_ms=self._clock.now_ms(), detail="")
        else:
            detail = f"the lamp took the schedule but holds the digest {held}"
            await self._note(wanted, status=Status.REFUSED, detail=detail)

    def _wanted(self, session: Session, lamp_id: int) -> Wanted | None:
        place = repository.places(session, [lamp_id]).get(lamp_id)
        row = repository.desired(session, [lamp_id]).get(lamp_id)
        if place is None or row is None:
            return None
        schedule = repository.find(session, row.schedule_id) if row.schedule_id is not None else None
        compiled = desired.for_lamp(schedule, place, self._clock.now_ms())
        return Wanted(lamp_id, row.digest, compiled)

    async def _note(self, wanted: Wanted, **values: object) -> None:
        await self._database.write(
            lambda session: repository.set_status(session.connection(), wanted.lamp_id, wanted.digest, **values)
        )
