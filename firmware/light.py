"""The task that makes the light follow the decision: drive, sleep until something is due, again.

`follow` is called at once after every request of the server as well: a command needs no wake-up to be seen, and the
fade that it begins does not wait for the end of a sleep that was drawn up before it.
"""

import asyncio

from firmware.pace import FADE_STEP_MS

# However long nothing is due, the lamp looks again: a clock step or a settings change may have come from anywhere.
LONGEST_SLEEP_MS = 250

# A fade asks for no shorter pause on the true clock. Where the RTC runs fast it would: then the steps between are left
# out, and all that can wait for the end of the fade waits, so that every step is in time.
FADE_SLEEP_MS = 10


class Light:
    """`board`: drive, switch, ticks_ms, rtc_ms, rtc_rate, sleep_ms; `lux()`: what the photocell said last, or None.

    `on_change(decision)` hears from the task when the rung or the level in action has become another: a command is
    answered, and all that is due is driven, before anything is said about it. `progress_ms` is the ticks of the last
    look, for the watchdog.
    """

    def __init__(self, board, lamp, clock, lux, on_change):
        self._board = board
        self._lamp = lamp
        self._clock = clock
        self._lux = lux
        self._on_change = on_change
        self._output = None
        self._told = None
        self._woken = asyncio.Event()
        self.progress_ms = 0

    def refresh(self):
        """Decide now and drive what was decided. Returns the firmware.lamp.Decision."""
        rtc_ms = self._board.rtc_ms()
        now_ms, lux = self._clock.trusted_ms(rtc_ms), self._lux()
        try:
            decision = self._lamp.decide(now_ms, rtc_ms, lux)
        except Exception:
            # Whatever is wrong with a rung, the supervisor tries again; until then it is not darker than the floor.
            least = self._lamp.least(now_ms, rtc_ms, lux)
            if least and (self._output is None or self._output < (least, True)):
                self._drive(least, True)
                self._output = (least, True)
            raise
        output = (decision.permille, decision.closed)
        if output != self._output:
            self._drive(*output)
            self._output = output
        return decision

    def follow(self):
        """Drive what holds since a request; if that is a fade, the task goes on with it."""
        if self.refresh().fading:
            self._woken.set()

    def tell(self):
        """Say what became of the light since the last time."""
        decision = self._lamp.decision
        told = (decision.rung, decision.level, self._lamp.floor.holds, self._lamp.derating.permille < 1000)
        if told != self._told:
            self._told = told
            self._on_change(decision)

    def _drive(self, permille, closed):
        """Close the relay before there is something to dim, and open it only when the driver is at rest."""
        if closed:
            self._board.switch(True)
        self._board.drive(permille)
        if not closed:
            self._board.switch(False)

    async def run(self):
        """Follow the decision for ever; only cancellation ends it."""
        while True:
            decision = self.refresh()
            self.progress_ms = self._board.ticks_ms()
            if not decision.fading or self._pause_ms(decision) > FADE_SLEEP_MS:
                self.tell()
                self._lamp.look_ahead()
            await self._sleep(self._pause_ms(decision))

    async def _sleep(self, ms):
        """So many ticks, or less when a fade has begun meanwhile. Short ones are not worth a task."""
        self._woken.clear()
        if ms <= FADE_STEP_MS:
            await self._board.sleep_ms(ms)
            return
        alarm = asyncio.create_task(self._ring(ms))
        try:
            await self._woken.wait()
        finally:
            alarm.cancel()

    async def _ring(self, ms):
        await self._board.sleep_ms(ms)
        self._woken.set()

    def _pause_ms(self, decision):
        """Ticks until the next look."""
        due_ms = int((self._lamp.wake_at() - self._board.rtc_ms()) / self._board.rtc_rate)
        return max(FADE_SLEEP_MS if decision.fading else 1, min(due_ms, LONGEST_SLEEP_MS))
