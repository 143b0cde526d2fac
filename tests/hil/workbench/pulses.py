"""A dimming output as a timer of the ESP32 makes it: a new level is taken at the beginning of a period."""

from collections import deque
from collections.abc import Callable

Edge = tuple[int, bool]


class Pulses:
    """`level_at(ns)` is asked once a period, in order. Begins dark at `start_ns`."""

    def __init__(self, hz: float, level_at: Callable[[int], float], start_ns: int) -> None:
        self._period_ns = 1e9 / hz
        self._level_at = level_at
        self._next = int(start_ns // self._period_ns) + 1
        self._is_high = False
        self._pending: deque[Edge] = deque()

    def until(self, now_ns: int) -> list[Edge]:
        """(moment, is high) of each edge since the last call."""
        while (at_ns := round(self._next * self._period_ns)) <= now_ns:
            level = self._level_at(at_ns)
            self._turn(at_ns, level > 0)
            if level < 1:
                self._turn(round(at_ns + level * self._period_ns), False)
            self._next += 1
        edges = []
        while self._pending and self._pending[0][0] <= now_ns:
            edges.append(self._pending.popleft())
        return edges

    def _turn(self, at_ns: int, is_high: bool) -> None:
        if is_high != self._is_high:
            self._pending.append((at_ns, is_high))
            self._is_high = is_high
