"""The task of the light: what it drives and when, and that talking comes second."""

import asyncio
from collections import namedtuple
from types import SimpleNamespace

import pytest

from firmware.derating import Derating
from firmware.light import FADE_SLEEP_MS, LONGEST_SLEEP_MS, Light
from tests.firmware.fakes.board import FakeBoard
from tests.firmware.fakes.clock import VirtualClock

Decision = namedtuple("Decision", "permille closed level rung fading")

FADE_MS = 60_000


class Fading:
    """Fades to nothing over a minute of RTC from `start_ms` on, and asks for a look each 300 ms."""

    def __init__(self, start_ms: int) -> None:
        self.start_ms = start_ms
        self.decision = Decision(1000, True, 100, "schedule", False)
        self.looks: list[int] = []
        self.count = 0
        self._wake_ms = 0
        self.floor = SimpleNamespace(holds=0)
        self.derating = Derating()

    def decide(self, now_ms: int | None, rtc_ms: int, lux: float | None) -> Decision:
        self.count += 1
        passed = rtc_ms - self.start_ms
        fading = 0 <= passed < FADE_MS
        permille = 1000 if passed < 0 else 990 * max(0, FADE_MS - passed) // FADE_MS
        self._wake_ms = rtc_ms + 300 if fading else self.start_ms if passed < 0 else rtc_ms + FADE_MS
        self.decision = Decision(permille, permille > 0, 100 if passed < 0 else 0, "schedule", fading)
        return self.decision

    def wake_at(self) -> int:
        return self._wake_ms

    def look_ahead(self) -> None:
        self.looks.append(len(self.looks))


class NoClock:
    def trusted_ms(self, rtc_ms: int) -> None:
        return None


@pytest.mark.parametrize("rate", [1, 600])
async def test_a_step_is_driven_in_time_and_told_of_when_there_is_time(rate: int) -> None:
    clock = VirtualClock()
    board = FakeBoard(clock, rtc_rate=rate)
    lamp = Fading(board.rtc_ms() + 2000 * rate)
    told: list[int] = []
    light = Light(board, lamp, NoClock(), lambda: None, lambda decision: told.append(board.ticks_ms()))
    begin_ms = board.ticks_ms()
    task = asyncio.create_task(light.run())
    await clock.advance(2000 + FADE_MS // rate + 2 * LONGEST_SLEEP_MS)
    task.cancel()
    steps = [at_ms - begin_ms for at_ms, _ in board.driven if at_ms > begin_ms]
    assert steps[0] - 2000 <= 1 + 300 // rate, "the first step of the fade"
    assert steps[-1] - 2000 - FADE_MS // rate <= max(FADE_SLEEP_MS, 300)
    assert board.driven[-1][1] == 0
    assert len(told) == 2
    if rate == 600:
        assert len(steps) <= FADE_MS // rate // FADE_SLEEP_MS + 1
        assert told[1] - begin_ms >= steps[-1], "in a fast fade, after its end"
    else:
        assert told[1] - begin_ms == steps[0], "in a fade that is slow, at once"


async def test_a_fade_that_a_command_begins_does_not_wait_for_a_sleep_that_was_drawn_up_before_it() -> None:
    clock = VirtualClock()
    board = FakeBoard(clock)
    lamp = Fading(board.rtc_ms() + 3_600_000)
    light = Light(board, lamp, NoClock(), lambda: None, lambda decision: None)
    task = asyncio.create_task(light.run())
    await clock.advance(LONGEST_SLEEP_MS // 3)
    lamp.start_ms = board.rtc_ms()
    light.follow()
    looked = lamp.count
    await clock.advance(1)
    task.cancel()
    assert lamp.count > looked, "the task is awake and goes on with the fade"
