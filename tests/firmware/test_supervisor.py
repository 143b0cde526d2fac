"""Tasks are kept alive, and the watchdog bites exactly when something that matters stands still."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from firmware.log import Log
from firmware.supervisor import FAILURES, LOOK_MS, PROVEN_MS, Memory, Supervisor, Vitals


class Board:
    """Ticks that move only when everyone sleeps; the verbs that a supervisor needs."""

    def __init__(self) -> None:
        self.now = 0
        self.fed: list[int] = []
        self.resets = 0
        self._sleepers: list[tuple[int, int, asyncio.Future]] = []
        self._slept = 0

    def ticks_ms(self) -> int:
        return self.now

    async def sleep_ms(self, ms: int) -> None:
        future = asyncio.get_running_loop().create_future()
        self._slept += 1
        self._sleepers.append((self.now + ms, self._slept, future))
        await future

    def feed(self) -> None:
        self.fed.append(self.now)

    def reset(self) -> None:
        self.resets += 1

    async def pass_time(self, ms: int) -> None:
        end = self.now + ms
        while True:
            for _ in range(5):
                await asyncio.sleep(0)
            due = sorted(entry for entry in self._sleepers if entry[0] <= end and not entry[2].done())
            if not due:
                self.now = end
                return
            self.now = max(self.now, due[0][0])
            self._sleepers.remove(due[0])
            due[0][2].set_result(None)


class House:
    def __init__(self) -> None:
        self.board = Board()
        self.log = Log()
        self.supervisor = Supervisor(self.board, self.log)

    async def live(self, ms: int) -> None:
        task = asyncio.create_task(self.supervisor.run())
        await self.board.pass_time(ms)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)


def busy(house: House, name: str, until_ms: int = 10**9) -> Callable:
    async def work() -> None:
        while True:
            if house.board.now < until_ms:
                house.supervisor.mark(name)
            await house.board.sleep_ms(500)

    return work


async def test_while_everything_makes_progress_the_watchdog_is_fed() -> None:
    house = House()
    house.supervisor.add("light", busy(house, "light"), 5000)
    house.supervisor.add("client", busy(house, "client"), 5000)
    await house.live(60_000)
    assert max(b - a for a, b in pairwise(house.board.fed)) <= LOOK_MS
    assert house.supervisor.failures() == {"light": 0, "client": 0}


async def test_a_task_that_hangs_leaves_the_watchdog_hungry() -> None:
    house = House()
    house.supervisor.add("light", busy(house, "light"), 5000)
    house.supervisor.add("client", busy(house, "client", until_ms=20_000), 5000)
    await house.live(60_000)
    assert 20_000 <= house.board.fed[-1] <= 20_000 + 5000 + LOOK_MS
    assert house.log.lines()[-1] == "watchdog hungry waits_for=client"


async def test_a_task_that_does_not_matter_may_stand_still() -> None:
    house = House()
    house.supervisor.add("console", busy(house, "console", until_ms=0))
    await house.live(60_000)
    assert house.board.fed[-1] >= 58_000


async def test_a_task_may_keep_its_own_marks() -> None:
    house = House()
    house.supervisor.add("client", busy(house, "nobody"), 5000, lambda: min(house.board.now, 30_000))
    await house.live(60_000)
    assert 30_000 <= house.board.fed[-1] <= 37_000


async def test_a_task_that_fails_is_started_again_with_growing_pauses() -> None:
    house = House()
    starts: list[int] = []

    async def broken() -> None:
        starts.append(house.board.now)
        raise OSError(5, "EIO")

    house.supervisor.add("console", broken)
    await house.live(200_000)
    pauses = [b - a for a, b in pairwise(starts)]
    assert pauses[:8] == [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000][: len(pauses)]
    assert house.supervisor.failures()["console"] == len(starts)
    assert any("OSError" in line and "task=console" in line for line in house.log.lines())
    assert house.board.resets == 0


async def test_a_task_that_ends_is_a_task_that_failed() -> None:
    house = House()

    async def short() -> None:
        await house.board.sleep_ms(10)

    house.supervisor.add("client", short, 5000)
    await house.live(5000)
    assert house.supervisor.failures()["client"] == 3
    assert any('reason="it ended"' in line for line in house.log.lines())


async def test_a_task_that_matters_and_never_lives_restarts_the_controller() -> None:
    house = House()

    async def broken() -> None:
        raise ValueError("no")

    house.supervisor.add("light", broken, 5000)
    await house.live(600_000)
    assert house.board.resets >= 1
    assert any(line.startswith("restarting the controller") for line in house.log.lines())


async def test_memory_that_runs_out_again_and_again_restarts_the_controller() -> None:
    house = House()

    async def hungry() -> None:
        await house.board.sleep_ms(100)
        raise MemoryError

    house.supervisor.add("client", hungry, 5000)
    await house.live(2300)
    assert house.board.resets == 0
    house = House()
    house.supervisor.add("client", hungry, 5000)
    await house.live(3500)
    assert house.board.resets == 1


async def test_a_planned_stop_stops_the_tasks() -> None:
    house = House()
    ended: list[str] = []

    async def patient() -> None:
        try:
            await house.board.sleep_ms(10**9)
        finally:
            ended.append("patient")

    house.supervisor.add("client", patient, None)
    await house.live(5000)
    assert ended == ["patient"]


def test_a_pause_is_no_silence_and_a_long_run_forgives() -> None:
    vitals = Vitals("client", 5000, 0)
    vitals.started(0)
    for number in range(FAILURES - 1):
        assert vitals.failed(number) == min(1000 << number, 60_000)
    assert not vitals.is_late(FAILURES + 60_000)
    assert vitals.is_late(FAILURES + 66_000)
    vitals.started(100_000)
    assert vitals.failed(100_000 + PROVEN_MS) == 1000
    vitals.started(900_000)
    for _ in range(FAILURES - 2):
        assert vitals.failed(900_000) is not None
    assert vitals.failed(900_000) is None
    assert vitals.total == 2 * FAILURES - 1


def test_memory_that_runs_out_seldom_is_no_reason_to_restart() -> None:
    memory = Memory()
    assert [memory.ran_out(at) for at in (0, PROVEN_MS, 2 * PROVEN_MS, 2 * PROVEN_MS + 1, 2 * PROVEN_MS + 2)] == [
        False,
        False,
        False,
        False,
        True,
    ]
