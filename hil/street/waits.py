"""How long each lamp of a street waited for a processor, by the books of Linux (run delay, /proc/PID/schedstat).

A lamp on a chip has its processor for itself. Here it shares this computer's with all others, and what it does late
because it had to wait says nothing about the firmware: the wait beside a measurement may be taken off it. Where there
are no such books (another system than Linux) no wait is known.
"""

import os
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path

from hil.street.lamp import Lamp

LOOK_EVERY_S = 0.02


class Waits:
    """`start`, then `waited_ns` for any stretch of host time since; `close` ends the looking."""

    def __init__(self, lamps: Sequence[Lamp]) -> None:
        self._lamps = lamps
        self._books = [_Book() for _ in lamps]
        self._looked_ns: list[int] = []
        # Of each lamp all its wait until the look of the same index, ns.
        self._waited_ns: list[list[int]] = [[] for _ in lamps]
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._look()
        self._thread.start()

    def waited_ns(self, lamp: int, start_ns: int, end_ns: int) -> int:
        """All that a lamp waited from the last look before the stretch to the first one after it; 0 before `start`."""
        if not self._looked_ns or self._looked_ns[-1] < end_ns:
            self._look()
        with self._lock:
            first = max(0, bisect_right(self._looked_ns, start_ns) - 1)
            last = min(bisect_left(self._looked_ns, end_ns), len(self._looked_ns) - 1)
            return self._waited_ns[lamp][last] - self._waited_ns[lamp][first]

    def close(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            for book in self._books:
                book.close()

    def _run(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            self._look()

    def _look(self) -> None:
        with self._lock:
            if self._over.is_set():
                return
            for lamp, book, waited_ns in zip(self._lamps, self._books, self._waited_ns, strict=True):
                waited_ns.append(book.read(lamp.pid))
            # Stamped last: a wait that a look saw was over by then.
            self._looked_ns.append(time.monotonic_ns())


class _Book:
    """The waits of one lamp, over all its processes."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._file: int | None = None
        self._before_ns = 0
        self._now_ns = 0

    def read(self, pid: int | None) -> int:
        if pid != self._pid:
            self.close()
            self._before_ns += self._now_ns
            self._pid, self._now_ns = pid, 0
            self._file = _open(pid)
        if self._file is not None:
            try:
                self._now_ns = int(os.pread(self._file, 100, 0).split()[1])
            except OSError:
                self.close()
        return self._before_ns + self._now_ns

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _open(pid: int | None) -> int | None:
    if pid is None:
        return None
    try:
        return os.open(Path("/proc", str(pid), "schedstat"), os.O_RDONLY)
    except OSError:
        return None
