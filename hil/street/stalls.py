"""How late this computer wakes what sleeps: the floor under every time that is measured on the simulated bench.

A VM like the lamps' sleeps in short steps all the while and says how late it woke from each. What a measurement says is
uncertain by the longest stall beside it: a busy machine makes a check inconclusive, not failed.
"""

import subprocess
import threading
from bisect import bisect_left
from dataclasses import dataclass

from hil.street import vm

STEP_MS = 5
LEAST_WAKES = 100

SCRIPT = """
import time
began = time.ticks_us()
while True:
    time.sleep_us({step_us})
    now = time.ticks_us()
    print(now, now - began - {step_us})
    began = now
"""


@dataclass(frozen=True)
class Floor:
    """Lateness of wake-ups, ms."""

    median_ms: float
    p99_ms: float
    max_ms: float
    wakes: int


class Stalls:
    """`start`, then `worst_ns` for any stretch of host time that has passed; `close` ends the watcher."""

    def __init__(self) -> None:
        self._ends_ns: list[int] = []
        self._late_ns: list[int] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = vm.script(SCRIPT.format(step_us=STEP_MS * 1000))
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, bufsize=1
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            end_us, late_us = (int(word) for word in line.split())
            # First what is looked up, then by what.
            self._late_ns.append(late_us * 1000)
            self._ends_ns.append(end_us * 1000)

    @property
    def wakes(self) -> int:
        return len(self._ends_ns)

    def worst_ns(self, start_ns: int, end_ns: int) -> int:
        """The longest stall that touched this stretch, ns; 0 when nothing woke in it late."""
        worst = 0
        for index in range(bisect_left(self._ends_ns, start_ns), len(self._ends_ns)):
            if self._ends_ns[index] - self._late_ns[index] > end_ns:
                break
            worst = max(worst, self._late_ns[index])
        return worst

    def floor(self) -> Floor:
        """Of all wakes so far. Raises ValueError before there are enough for a 99th percentile."""
        late = sorted(self._late_ns)
        if len(late) < LEAST_WAKES:
            raise ValueError(f"{len(late)} wakes are too few to know the floor: wait a second after start")
        return Floor(late[len(late) // 2] / 1e6, late[len(late) * 99 // 100] / 1e6, late[-1] / 1e6, len(late))

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
