"""Work by key: nothing is lost, nothing runs twice at a time, and what is spare gives way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from backend.kit.keyed_work import KeyedWork
from tests.backend.waiting import PATIENCE_S


@asynccontextmanager
async def running(work: Callable[[int], Awaitable[None]], concurrency: int = 32) -> AsyncIterator[KeyedWork]:
    keyed = KeyedWork("test", work, concurrency)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(keyed.run())
        yield keyed
        task.cancel()


async def test_a_key_never_runs_twice_at_once_and_no_wake_up_is_lost() -> None:
    running: set[int] = set()
    done: list[int] = []
    finished = asyncio.Event()
    gate = asyncio.Event()

    async def work(key: int) -> None:
        assert key not in running
        running.add(key)
        await gate.wait()
        running.discard(key)
        done.append(key)
        if len(done) == 3:
            finished.set()
        if key == 2:
            raise ValueError("one key's trouble")

    queue = KeyedWork("test", work, concurrency=2)
    queue.wake([1, 2])
    task = asyncio.create_task(queue.run())
    while len(running) < 2:
        await asyncio.sleep(0)
    queue.wake([1])
    queue.wake([1])
    await asyncio.sleep(0)
    gate.set()
    await finished.wait()
    assert sorted(done) == [1, 1, 2]
    assert queue.depth <= 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_trouble_of_one_key_is_not_the_others() -> None:
    done: asyncio.Queue[int] = asyncio.Queue()

    async def work(key: int) -> None:
        if key == 1:
            raise OSError("planted")
        done.put_nowait(key)

    async with running(work, concurrency=1) as keyed:
        keyed.wake([1, 2])
        assert await done.get() == 2


async def test_spare_work_ends_when_its_key_is_woken_and_runs_to_its_end_when_another_is() -> None:
    begun: asyncio.Queue[int] = asyncio.Queue()
    gate = asyncio.Event()
    ended: list[tuple[int, str]] = []
    whole: list[bool] = []

    async def spare(key: int) -> None:
        begun.put_nowait(key)
        try:
            await gate.wait()
            ended.append((key, "whole"))
        except asyncio.CancelledError:
            ended.append((key, "given up"))
            raise

    async def work(key: int) -> None:
        whole.append(await keyed.until_woken(key, spare(key)))

    async with running(work) as keyed:
        keyed.wake([7])
        await begun.get()
        keyed.wake([8])
        await begun.get()
        keyed.wake([7])
        await begun.get()
        assert ended == [(7, "given up")]
        gate.set()
        while len(whole) < 3:
            await asyncio.sleep(0)
    assert sorted(ended) == [(7, "given up"), (7, "whole"), (8, "whole")]
    assert whole == [False, True, True]


async def test_spare_work_does_not_begin_when_its_key_was_woken_already() -> None:
    turns: asyncio.Queue[bool] = asyncio.Queue()
    begun = []

    async def work(key: int) -> None:
        first = not begun and turns.empty()
        turns.put_nowait(first)
        if first:
            keyed.wake([key])
            await asyncio.sleep(0)
            await keyed.until_woken(key, spare())

    async def spare() -> None:
        begun.append(True)

    async with running(work) as keyed:
        keyed.wake([7])
        assert await turns.get() is True
    assert begun == []


async def test_an_error_of_spare_work_is_the_error_of_the_work(caplog: pytest.LogCaptureFixture) -> None:
    ended = asyncio.Event()

    async def spare() -> None:
        raise OSError("planted")

    async def work(key: int) -> None:
        try:
            await keyed.until_woken(key, spare())
        finally:
            ended.set()

    async with running(work) as keyed:
        keyed.wake([7])
        await ended.wait()
    assert "planted" in caplog.text
