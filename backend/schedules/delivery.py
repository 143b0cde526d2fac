"""Taking schedules to the lamps, and reading back what they hold. Only an equal digest is "verified".

pending --write, read back equal--> verified       the good way
pending --no answer--> pending                     again at the lamp's next check-in
pending --lamp refuses--> refused                  with its words; again when it registers anew or the schedule changes
verified --a report tells of another digest--> pending
"""

import asyncio
from collections.abc import Iterable

from sqlmodel import Session

from backend.clock import Clock
from backend.db import Database
from backend.device_server.errors import LampRefused, LampUnreachable
from backend.device_server.gateway import Gateway
from backend.kit.keyed_work import KeyedWork
from backend.schedules import desired, repository
from backend.schedules.installation import Wanted, held_digest, install
from backend.schedules.models import Status

SWEEP_S = 1.0
AGAIN_S = 60.0
"""A registered lamp that does not answer is tried again after this time, even if it never checks in."""


class Delivery:
    """The worker of the schedules."""

    def __init__(self, database: Database, gateway: Gateway, clock: Clock) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._work = KeyedWork("schedules", self.deliver)
        self._quiet_until: dict[int, float] = {}

    def wake(self, lamp_ids: Iterable[int]) -> None:
        """These lamps may hold something else than they should; from any thread."""
        lamp_ids = list(lamp_ids)
        for lamp_id in lamp_ids:
            self._quiet_until.pop(lamp_id, None)
        self._work.wake(lamp_ids)

    def check_in(self, lamp_id: int, kind: str) -> None:
        """A lamp was heard: one that registers is looked at, one that did not answer before is tried again."""
        if kind == "register" or lamp_id in self._quiet_until:
            self.wake([lamp_id])

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work.run())
            tasks.create_task(self._sweep())

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            waiting = await self._database.read(repository.pending_lamps)
            self._work.wake(lamp_id for lamp_id in waiting if self._quiet_until.get(lamp_id, 0.0) <= loop.time())
            await asyncio.sleep(SWEEP_S)

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
        except LampUnreachable as error:
            self._quiet_until[lamp_id] = asyncio.get_running_loop().time() + AGAIN_S
            await self._note(wanted, status=Status.PENDING, detail=f"waiting for the lamp: {error}")
            return
        except LampRefused as error:
            await self._note(wanted, status=Status.REFUSED, detail=str(error))
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
