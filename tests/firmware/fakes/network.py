"""Datagrams in memory: a network that delays, loses, repeats and reorders them, reproducibly, and sockets on it."""

import asyncio
import random
from collections.abc import Callable, Hashable
from typing import NamedTuple

from tests.firmware.fakes.clock import VirtualClock


class Datagram(NamedTuple):
    at_ms: int
    source: Hashable
    target: Hashable
    data: bytes
    arrives: bool


class FakeNetwork:
    """`loss` and `repeat` are probabilities; the delay is drawn between the two ends of `delay_ms`, so that a wide
    range reorders. `drop(datagram)` may decide about single datagrams. Everything sent is in `trace`."""

    def __init__(
        self,
        clock: VirtualClock,
        seed: int = 0,
        loss: float = 0.0,
        repeat: float = 0.0,
        delay_ms: tuple[int, int] = (10, 10),
    ) -> None:
        self.clock = clock
        self.loss = loss
        self.repeat = repeat
        self.delay_ms = delay_ms
        self.drop: Callable[[Datagram], bool] = lambda datagram: False
        self.trace: list[Datagram] = []
        self._random = random.Random(seed)
        self._sockets: dict[Hashable, FakeUdp] = {}

    def open(self, address: Hashable) -> "FakeUdp":
        """A socket bound to `address`."""
        assert address not in self._sockets, "the address is taken"
        self._sockets[address] = FakeUdp(self, address)
        return self._sockets[address]

    def close(self, address: Hashable) -> None:
        """What is sent there from now on arrives nowhere."""
        self._sockets.pop(address, None)

    def send(self, data: bytes, source: Hashable, target: Hashable) -> None:
        """Take a datagram on its way."""
        for _ in range(2 if self._random.random() < self.repeat else 1):
            datagram = Datagram(self.clock.now_ms, source, target, bytes(data), self._random.random() >= self.loss)
            datagram = datagram._replace(arrives=datagram.arrives and not self.drop(datagram))
            self.trace.append(datagram)
            if datagram.arrives:
                at_ms = self.clock.now_ms + self._random.randint(*self.delay_ms)
                self.clock.call_at(at_ms, lambda: self._arrive(data, source, target))

    def _arrive(self, data: bytes, source: Hashable, target: Hashable) -> None:
        if target in self._sockets:
            self._sockets[target].deliver(data, source)


class FakeUdp:
    """The UDP seam of firmware.hal: `resolve`, `send`, `receive`, `close`.

    `failures` are exceptions that the next sends raise; an exception given to `deliver` is raised by `receive`.
    """

    def __init__(self, network: FakeNetwork, address: Hashable) -> None:
        self.network = network
        self.address = address
        self.failures: list[Exception] = []
        self._arrived: list[tuple[bytes, Hashable] | Exception] = []
        self._readable = asyncio.Event()

    def resolve(self, host: str, port: int) -> Hashable:
        return (host, port)

    def send(self, data: bytes, address: Hashable) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        self.network.send(data, self.address, address)
        return True

    async def receive(self) -> tuple[bytes, Hashable]:
        while not self._arrived:
            self._readable.clear()
            await self._readable.wait()
        found = self._arrived.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def deliver(self, data: bytes | Exception, source: Hashable = None) -> None:
        """Put a datagram from `source`, or a failure of the socket, into the queue."""
        self._arrived.append(data if isinstance(data, Exception) else (data, source))
        self._readable.set()

    def close(self) -> None:
        self.network.close(self.address)
