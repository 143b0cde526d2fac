"""A process full of modelled lamps: sockets, a heap of deadlines, one loop over epoll.

Each lamp has a socket of its own, because a server may know a lamp by its address. The parent gets what all of them
saw every second.
"""

import heapq
import select
import socket
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from random import Random

from tests.bench.storm_lamp import StormLamp, Tally

_REPORT_MS = 1000
_LONGEST_WAIT_S = 0.2
_DATAGRAMS_AT_ONCE = 64


@dataclass(frozen=True)
class Orders:
    """What a process of lamps is to do. `indices` of the lamps; `held` and `wanted` by position in them."""

    indices: range
    held: list[str]
    wanted: list[str]
    port: int
    seed: int
    jitter_s: int


class Load:
    """All lamps of one process. Times are ms since the storm's beginning."""

    def __init__(self, orders: Orders) -> None:
        self.tally = Tally()
        self.sent_datagrams = self.lost_datagrams = 0
        self._lamps: list[StormLamp] = []
        self._sockets: list[socket.socket] = []
        self._deadlines: list[tuple[int, int]] = []
        self._due: list[int] = []
        self._poller = select.epoll()
        self._by_fd: dict[int, int] = {}
        for position, index in enumerate(orders.indices):
            random = Random(f"{orders.seed} {index}")
            held, wanted = orders.held[position], orders.wanted[position]
            self._lamps.append(
                StormLamp(index, self.tally, random, orders.jitter_s, held, wanted, lambda: int(time.time()))
            )
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.setblocking(False)
            opened.connect(("127.0.0.1", orders.port))
            self._sockets.append(opened)
            self._by_fd[opened.fileno()] = position
            self._poller.register(opened.fileno(), select.EPOLLIN)

    def power_up(self) -> None:
        """All of them in the same moment, time 0."""
        for position, lamp in enumerate(self._lamps):
            lamp.power_up(0)
            self._due.append(-1)
            self._schedule(position)

    def turn(self, now_ms: int, wait_s: float) -> None:
        """Do what is due and take what comes within `wait_s`."""
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            due_ms, position = heapq.heappop(self._deadlines)
            if due_ms == self._due[position]:
                self._due[position] = -1
                self._send(position, self._lamps[position].poll(now_ms))
                self._schedule(position)
        for fd, _ in self._poller.poll(wait_s, _DATAGRAMS_AT_ONCE):
            position = self._by_fd[fd]
            try:
                data = self._sockets[position].recv(2048)
            except (BlockingIOError, ConnectionRefusedError):
                continue
            self._send(position, self._lamps[position].receive(data, now_ms))
            self._schedule(position)

    def wait_s(self, now_ms: int) -> float:
        """How long nothing will be due."""
        if not self._deadlines:
            return _LONGEST_WAIT_S
        return min(max(self._deadlines[0][0] - now_ms, 0) / 1000, _LONGEST_WAIT_S)

    def close(self) -> None:
        self._poller.close()
        for opened in self._sockets:
            opened.close()

    def _schedule(self, position: int) -> None:
        due_ms = self._lamps[position].due_ms
        if due_ms != self._due[position]:
            self._due[position] = due_ms
            heapq.heappush(self._deadlines, (due_ms, position))

    def _send(self, position: int, datagrams: list[bytes]) -> None:
        for data in datagrams:
            self.sent_datagrams += 1
            try:
                self._sockets[position].send(data)
            except (BlockingIOError, ConnectionRefusedError):
                self.lost_datagrams += 1  # the network's way; the lamp repeats it


def run(pipe: Connection, orders: Orders) -> None:
    """A process: says "ready", begins at the monotonic time that it is told, sends its Tally each second until told
    to end, and a last one then."""
    load = Load(orders)
    pipe.send("ready")
    begin_s: float = pipe.recv()
    while time.monotonic() < begin_s:
        time.sleep(0.001)
    load.power_up()
    report_ms = _REPORT_MS
    while not pipe.poll():
        now_ms = int((time.monotonic() - begin_s) * 1000)
        load.turn(now_ms, load.wait_s(now_ms))
        if now_ms >= report_ms:
            report_ms = (now_ms // _REPORT_MS + 1) * _REPORT_MS
            pipe.send(replace(load.tally, latencies={}))
    pipe.send(load.tally)
    load.close()
