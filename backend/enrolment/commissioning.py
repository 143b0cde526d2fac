"""The first word of a controller: its first registration with its keys makes it commissioned.

A registration is one entry in a dictionary; the database is asked for many at once a second later, and written to once
in the life of a controller. One that registered before its keys came into force is another one: the one before it.
"""

import asyncio

from backend.db import Database
from backend.device_server.ports import Clock
from backend.enrolment import repository

EVERY_S = 1.0


class Commissioning:
    """A worker (`backend.app.WORKERS`)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._heard: dict[int, int] = {}
        self._woken = asyncio.Event()

    def check_in(self, lamp_id: int, kind: str) -> None:
        """A lamp registered; updates and reports follow a registration and tell nothing new."""
        if kind == "register":
            self._heard[lamp_id] = self._clock.real_ms()
            self._woken.set()

    async def run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self.settle()
            await asyncio.sleep(EVERY_S)

    async def settle(self) -> None:
        """Note who registered since the last time; who could not be noted waits for the next."""
        heard, self._heard = self._heard, {}
        try:
            new = await self._database.read(lambda session: repository.find_new(session, sorted(heard)))
            if new:
                times = {lamp_id: heard[lamp_id] for lamp_id in new}
                await self._database.write(lambda session: repository.commission(session, times))
        except Exception:
            self._heard = heard | self._heard
            self._woken.set()
            raise
