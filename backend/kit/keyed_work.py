"""Work by key: any number of wake-ups, one worker a key at a time, a bounded number of keys at once.

A key that is woken while it is being worked on is worked on once more afterwards, so that no wake-up is lost and no
key runs twice at the same time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

log = logging.getLogger(__name__)


class KeyedWork:
    """`wake(keys)` from any thread; `await run()` works until it is cancelled."""

    def __init__(self, name: str, work: Callable[[int], Awaitable[None]], concurrency: int = 32) -> None:
        self._name = name
        self._work = work
        self._concurrency = concurrency
        self._waiting: dict[int, None] = {}
        self._working: set[int] = set()
        self._again: set[int] = set()
        self._spare: dict[int, asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def wake(self, keys: Iterable[int]) -> None:
        """Ask for these keys to be worked on; before `run` has begun they wait for it."""
        keys = list(keys)
        loop = self._loop
        if loop is None:
            self._waiting.update(dict.fromkeys(keys))
        elif not loop.is_closed():
            loop.call_soon_threadsafe(self._add, keys)

    def _add(self, keys: list[int]) -> None:
        for key in keys:
            if key in self._working:
                self._again.add(key)
                if key in self._spare:
                    self._spare[key].cancel()
            else:
                self._waiting[key] = None
        self._woken.set()

    async def until_woken(self, key: int, spare: Coroutine[Any, Any, None]) -> bool:
        """From within the work on `key`: something that is cancelled when the key is woken again, because what came is
        more urgent. Returns whether it came to its end; if not, the work is to return, and begins anew."""
        task = asyncio.create_task(spare)
        if key in self._again:
            task.cancel()
        self._spare[key] = task
        try:
            await asyncio.wait([task])
        finally:
            del self._spare[key]
            task.cancel()
        if task.cancelled():
            return False
        task.result()
        return True

    @property
    def depth(self) -> int:
        """Keys that wait or are being worked on."""
        return len(self._waiting) + len(self._working)

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken.set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                while self._waiting and len(self._working) < self._concurrency:
                    key = next(iter(self._waiting))
                    del self._waiting[key]
                    self._working.add(key)
                    tasks.create_task(self._one(key))
                self._woken.clear()
                await self._woken.wait()

    async def _one(self, key: int) -> None:
        try:
            await self._work(key)
        except Exception:
            # One key's trouble must not stop the others; what is desired stays in the database for the next wake-up.
            log.exception("work failed queue=%s key=%s", self._name, key)
        finally:
            self._working.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._waiting[key] = None
            self._woken.set()
