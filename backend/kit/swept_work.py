"""Keyed work that is never forgotten: besides wake-ups a sweep asks the database, again and again, what is left to do.

A key whose work had to be put off *rests*: the sweep passes it over for a while, a wake-up does not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from backend.kit.keyed_work import KeyedWork


class SweptWork:
    """`work(key)` for every key that is woken or that `left()` names; `left` runs every `every_s` seconds."""

    def __init__(
        self,
        name: str,
        work: Callable[[int], Awaitable[None]],
        left: Callable[[], Awaitable[Iterable[int]]],
        every_s: float = 1.0,
        rest_s: float = 60.0,
        concurrency: int = 32,
    ) -> None:
        self._work = KeyedWork(name, work, concurrency)
        self.until_woken = self._work.until_woken
        self._left = left
        self._every_s = every_s
        self._rest_s = rest_s
        self._resting: dict[int, float] = {}

    def wake(self, keys: Iterable[int]) -> None:
        """There is something to do for these keys now; from any thread."""
        keys = list(keys)
        for key in keys:
            self._resting.pop(key, None)
        self._work.wake(keys)

    def rest(self, key: int, for_s: float | None = None) -> None:
        """Nothing can be done for this key at present; from the event loop."""
        self._resting[key] = asyncio.get_running_loop().time() + (self._rest_s if for_s is None else for_s)

    def is_resting(self, key: int) -> bool:
        return key in self._resting

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work.run())
            tasks.create_task(self._sweep())

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now_s = loop.time()
            self._resting = {key: until_s for key, until_s in self._resting.items() if until_s > now_s}
            left = await self._left()
            self._work.wake(key for key in left if key not in self._resting)
            await asyncio.sleep(self._every_s)
