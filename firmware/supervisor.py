"""Keeps the lamp's tasks running, and the watchdog fed only while everything that matters makes progress.

A task that raises or ends is started again after a growing pause. One that hangs makes no marks; then the watchdog is
left hungry and restarts the controller. Memory that runs out is collected and the task restarted; the third time
within ten minutes, or ten failures in a row of a task that matters, restart the controller: a clean start beats a limp.
"""

import asyncio
import gc

FIRST_PAUSE_MS = 1000
LONGEST_PAUSE_MS = 60000

# A task that ran so long without failing starts again with a short pause.
PROVEN_MS = 600000

FAILURES = 10
MEMORY_FAILURES = 3

# The board's watchdog bites after 8 s (firmware.hal); three looks fit in with room for a slow one.
LOOK_MS = 2000


class Vitals:
    """The life signs of one task; pure, time comes in as ticks.

    `within_ms`: a task that matters makes a mark at least so often; None: the watchdog does not wait for it.
    """

    def __init__(self, name, within_ms, now_ms):
        self.name = name
        self.within_ms = within_ms
        self.failures = 0
        self.total = 0
        self._marked_ms = now_ms
        self._started_ms = now_ms

    def started(self, now_ms):
        """The task starts (again)."""
        self._started_ms = self._marked_ms = now_ms

    def mark(self, now_ms):
        """The task has made progress."""
        self._marked_ms = max(self._marked_ms, now_ms)

    def failed(self, now_ms):
        """The task has failed or ended; return ms to wait before it is started again, None when nothing helps it."""
        if now_ms - self._started_ms >= PROVEN_MS:
            self.failures = 0
        self.failures += 1
        self.total += 1
        if self.within_ms is not None and self.failures >= FAILURES:
            return None
        pause_ms = min(FIRST_PAUSE_MS << min(self.failures - 1, 10), LONGEST_PAUSE_MS)
        # The pause is meant; only what comes after it can be late.
        self._marked_ms = now_ms + pause_ms
        return pause_ms

    def is_late(self, now_ms):
        """Whether a task that matters has made no mark for too long."""
        return self.within_ms is not None and now_ms - self._marked_ms > self.within_ms


class Memory:
    """Counts how often memory ran out; pure."""

    def __init__(self):
        self._at_ms = []

    def ran_out(self, now_ms):
        """Memory ran out at `now_ms`; return whether that is once too often."""
        self._at_ms = [at_ms for at_ms in self._at_ms if now_ms - at_ms < PROVEN_MS] + [now_ms]
        return len(self._at_ms) >= MEMORY_FAILURES


class Supervisor:
    """`board` has ticks_ms, sleep_ms, feed and reset; `log` is firmware.log.Log."""

    def __init__(self, board, log):
        self._board = board
        self._log = log
        self._tasks = []
        self._memory = Memory()
        self._is_starving = False

    def add(self, name, start, within_ms=None, progress=None):
        """Supervise a task. `start()` returns its coroutine; `progress()` the ticks of its last mark, for a task that
        keeps them itself (others call `mark`). All tasks start with `run`."""
        self._tasks.append((Vitals(name, within_ms, self._board.ticks_ms()), start, progress))

    def mark(self, name):
        """Task `name` has made progress."""
        for vitals, _, _ in self._tasks:
            if vitals.name == name:
                vitals.mark(self._board.ticks_ms())

    def failures(self):
        """Return {task name: how often it failed since start-up}."""
        return {vitals.name: vitals.total for vitals, _, _ in self._tasks}

    async def run(self):
        """Start all tasks and watch over them for ever; cancelling it cancels them."""
        running = [asyncio.create_task(self._keep(vitals, start)) for vitals, start, _ in self._tasks]
        try:
            while True:
                self.look()
                await self._board.sleep_ms(LOOK_MS)
        finally:
            for task in running:
                task.cancel()

    def look(self):
        """Feed the watchdog if everything that matters makes progress; return the names of what does not."""
        now_ms = self._board.ticks_ms()
        late = []
        for vitals, _, progress in self._tasks:
            if progress is not None:
                vitals.mark(progress())
            if vitals.is_late(now_ms):
                late.append(vitals.name)
        if not late:
            self._board.feed()
        self._log.transition("watchdog", "hungry" if late else "fed", waits_for=",".join(late) or "nothing")
        return late

    async def _keep(self, vitals, start):
        """Run one task again and again."""
        while True:
            vitals.started(self._board.ticks_ms())
            try:
                await start()
                reason = "it ended"
            except MemoryError:
                gc.collect()
                reason = "out of memory"
                if self._memory.ran_out(self._board.ticks_ms()):
                    self._restart(vitals.name, reason)
            except Exception as error:
                reason = "%s %s" % (type(error).__name__, error)
            pause_ms = vitals.failed(self._board.ticks_ms())
            if pause_ms is None:
                self._restart(vitals.name, reason)
                pause_ms = LONGEST_PAUSE_MS
            self._log.note("task failed", task=vitals.name, reason=reason, pause_ms=pause_ms)
            await self._board.sleep_ms(pause_ms)

    def _restart(self, name, reason):
        self._log.note("restarting the controller", task=name, reason=reason)
        self._board.reset()
