"""The requests to lamps that are out at once: a bounded number of places, and who is given the next one.

A street without power is asked as any other, and each of its lamps takes 14 to 21 s until it counts as unreachable. So
a request keeps its place only for as long as a lamp that is there takes to answer; and the next place is given to the
lamp that was heard last, because those that went dark were heard before. Event loop only.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Window:
    """`places` requests at once; after `patience_s` one is *overdue* and gives its place to another while it waits on.
    Beyond `most_overdue` of them a request keeps its place to the end."""

    def __init__(self, places: int, patience_s: float, most_overdue: int) -> None:
        self._free = places
        self._patience_s = patience_s
        self._most_overdue = most_overdue
        self._overdue = 0
        # A heap by when the lamp was heard, latest first, then by who came first.
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @asynccontextmanager
    async def place(self, heard_ms: int) -> AsyncIterator[None]:
        """Wait for a place for a lamp that was heard at `heard_ms`, and have it for the block or for `patience_s`."""
        await self._take(heard_ms)
        has_place = True

        def overdue() -> None:
            nonlocal has_place
            if self._overdue < self._most_overdue:
                has_place = False
                self._overdue += 1
                self._give()

        timer = asyncio.get_running_loop().call_later(self._patience_s, overdue)
        try:
            yield
        finally:
            timer.cancel()
            if has_place:
                self._give()
            else:
                self._overdue -= 1

    async def _take(self, heard_ms: int) -> None:
        if self._free:
            self._free -= 1
            return
        given = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-heard_ms, next(self._order), given))
        try:
            await given
        except asyncio.CancelledError:
            if not given.cancelled():
                self._give()  # it came in the same moment
            raise

    def _give(self) -> None:
        while self._waiting:
            _, _, given = heapq.heappop(self._waiting)
            if not given.done():
                given.set_result(None)
                return
        self._free += 1
