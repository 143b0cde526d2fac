"""The places for requests to lamps: bounded, given to who was heard last, and not held by who does not answer."""

import asyncio
from typing import Any

import pytest

from backend.device_server.window import Window
from tests.backend.waiting import PATIENCE_S, until

LONG_S = 60.0


class Asking:
    """Requests that take a place in the order in which they are made, and keep it until they are let go."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.placed: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, heard_ms: int = 0) -> None:
        self._gates[name] = asyncio.Event()

        async def request() -> None:
            async with self.window.place(heard_ms):
                self.placed.append(name)
                await self._gates[name].wait()

        self._tasks[name] = asyncio.create_task(request())
        await asyncio.sleep(0)

    async def answered(self, name: str) -> None:
        self._gates[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)

    async def given_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])
        await asyncio.sleep(0)

    async def until_placed(self, *names: str) -> None:
        await until(lambda: set(names) <= set(self.placed))


async def test_no_more_than_its_places_are_out_and_each_answer_lets_one_in() -> None:
    asking = Asking(Window(2, LONG_S, 10))
    for name in "abc":
        await asking.ask(name)
    assert asking.placed == ["a", "b"]
    await asking.answered("a")
    assert asking.placed == ["a", "b", "c"]
    await asking.answered("b")
    await asking.answered("c")
    await asking.ask("d")
    await asking.ask("e")
    await asking.ask("f")
    assert asking.placed == ["a", "b", "c", "d", "e"]


async def test_who_was_heard_last_is_next_and_then_who_came_first() -> None:
    asking = Asking(Window(1, LONG_S, 10))
    await asking.ask("out")
    for name, heard_ms in (("dark", 100), ("heard", 200), ("dark too", 100), ("just now", 300)):
        await asking.ask(name, heard_ms)
    for name in ("out", "just now", "heard", "dark"):
        await asking.answered(name)
    assert asking.placed == ["out", "just now", "heard", "dark", "dark too"]


async def test_a_request_that_is_overdue_gives_its_place_away_once() -> None:
    asking = Asking(Window(1, 0.01, 10))
    await asking.ask("silent")
    await asking.ask("there")
    await asking.until_placed("there")
    await asking.answered("there")
    await asking.answered("silent")
    await asking.ask("first")
    await asking.ask("second")
    assert asking.placed == ["silent", "there", "first"], "one place, as before"


async def test_with_too_many_overdue_a_request_keeps_its_place() -> None:
    asking = Asking(Window(1, 0.01, 1))
    await asking.ask("silent")
    await asking.ask("silent too")
    await asking.until_placed("silent too")
    await asking.ask("there")
    await asyncio.sleep(0.1)  # ten times the patience: nothing shall happen in it
    assert "there" not in asking.placed
    await asking.answered("silent too")
    assert "there" in asking.placed


@pytest.mark.parametrize("deed", ["answered", "given_up"])
async def test_who_gives_up_waiting_takes_no_place(deed: str) -> None:
    asking = Asking(Window(1, LONG_S, 10))
    await asking.ask("out")
    await asking.ask("gone")
    await asking.ask("next")
    await asking.given_up("gone")
    end: Any = getattr(asking, deed)
    await end("out")
    assert asking.placed == ["out", "next"]


async def test_a_place_that_comes_in_the_moment_of_giving_up_goes_to_the_next() -> None:
    window = Window(1, LONG_S, 10)
    first = window.place(0)
    await first.__aenter__()
    late = asyncio.ensure_future(window.place(0).__aenter__())
    await asyncio.sleep(0)
    await first.__aexit__(None, None, None)
    late.cancel()
    await asyncio.wait([late])
    assert late.cancelled()
    async with asyncio.timeout(PATIENCE_S), window.place(0):
        pass
