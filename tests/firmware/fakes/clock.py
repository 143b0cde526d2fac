"""Virtual time for asyncio code that only waits by a board: no test sleeps, and an hour takes a millisecond."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualClock:
    """Milliseconds that pass only when every task waits for them."""

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def call_at(self, at_ms: int, action: Callable[[], None]) -> None:
        """Run `action` when the clock reaches `at_ms`; those of the same moment in the order in which they came."""
        heapq.heappush(self._due, (max(at_ms, self.now_ms), next(self._order), action))

    async def sleep_ms(self, ms: int) -> None:
        """What a board's `sleep_ms` is."""
        woken = asyncio.Event()
        self.call_at(self.now_ms + ms, woken.set)
        await woken.wait()

    async def settle(self) -> None:
        """Let every task run until all of them wait."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready:  # type: ignore[attr-defined]  # nothing public says that the loop is idle
            await asyncio.sleep(0)

    async def advance(self, ms: int) -> None:
        """Let `ms` pass, and everything happen that is due in it."""
        end_ms = self.now_ms + ms
        await self.settle()
        while self._due and self._due[0][0] <= end_ms:
            await self._step()
        self.now_ms = end_ms

    async def run(self, work: Coroutine[Any, Any, T], limit_ms: int = 3_600_000) -> T:
        """The result of `work`, letting as much time pass as it takes; fails when it waits for nothing or too long."""
        task = asyncio.ensure_future(work)
        end_ms = self.now_ms + limit_ms
        try:
            await self.settle()
            while not task.done():
                assert self._due, "everything waits, and nothing is due: a deadlock"
                assert self._due[0][0] <= end_ms, f"not finished after {limit_ms} ms"
                await self._step()
        finally:
            task.cancel()
        return task.result()

    async def _step(self) -> None:
        self.now_ms, _, action = heapq.heappop(self._due)
        action()
        await self.settle()
