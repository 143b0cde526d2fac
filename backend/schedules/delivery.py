"""Taking schedules to the lamps, and reading back what they hold. Only an equal digest is "verified".

pending --write, read back equal--> verified       the good way
pending --no answer--> pending                     again at the lamp's next check-in
pending --lamp refuses--> refused                  with its words; again when it registers anew or the schedule changes
verified --a report tells of another digest--> pending
"""

from sqlmodel import Session

from backend.clock import Clock
from backend.db import Database
from backend.device_server.errors import LampRefused, LampUnreachable
from backend.device_server.gateway import Gateway
from backend.kit.swept_work import SweptWork
from backend.schedules import desired, repository
from backend.schedules.installation import Wanted, held_digest, install
from backend.schedules.models import Status


class Delivery:
    """The worker of the schedules."""

    def __init__(self, database: Database, gateway: Gateway, clock: Clock) -> None:
        self._database = database
        self._gateway = gateway
        self._clock = clock
        self._work = SweptWork("schedules", self.deliver, lambda: database.read(repository.pending_lamps))
        self.wake, self.run = self._work.wake, self._work.run

    def check_in(self, lamp_id: int, kind: str) -> None:
        """A lamp was heard: one that registers is looked at, one that did not answer before is tried again."""
        if kind == "register" or self._work.is_resting(lamp_id):
            self._work.wake([lamp_id])

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
            self._work.rest(lamp_id)
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
