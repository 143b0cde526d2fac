"""A board without hardware, on virtual time: every verb of the hardware seam in docs/architecture.md."""

import random
from collections import namedtuple
from collections.abc import Hashable
from typing import Any

from tests.firmware.fakes.clock import VirtualClock
from tests.firmware.fakes.network import FakeNetwork, FakeUdp

Reading = namedtuple("Reading", "voltage_v current_a power_w power_factor frequency_hz energy_wh")


class Restarted(Exception):
    """The firmware asked for a restart."""


class FakeBoard:
    """A test may set `reading`, `lux_now`, `celsius_now`, `connected`, `cause` and `provisioned`, and look at `driven`
    (every dimming output as (at_ms, permille)), `switched` (every state of the relay), `fed` (times) and `resets`."""

    name = "fake"
    model = "board without hardware"

    def __init__(
        self,
        clock: VirtualClock | None = None,
        network: FakeNetwork | None = None,
        address: Hashable = ("192.0.2.1", 5683),
        directory: str = ".",
        seed: int = 0,
        rtc_rate: int = 1,
        rtc_epoch_ms: int = 0,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.network = network or FakeNetwork(self.clock)
        self.directory = directory
        self.rtc_rate = rtc_rate
        self._rtc_epoch_ms = rtc_epoch_ms
        self._address = address
        self._random = random.Random(seed)
        self._started_ms = self.clock.now_ms
        self.reading: Reading | None = None
        self.lux_now: float | None = None
        self.celsius_now: float | None = None
        self.connected = True
        self.cause = "power"
        self.provisioned: dict[str, Any] = {}
        self.driven: list[tuple[int, int]] = []
        self.switched: list[tuple[int, bool]] = []
        self.fed: list[int] = []
        self.resets = 0

    def ticks_ms(self) -> int:
        return self.clock.now_ms - self._started_ms

    def rtc_ms(self) -> int:
        return self._rtc_epoch_ms + self.clock.now_ms * self.rtc_rate

    async def sleep_ms(self, ms: int) -> None:
        await self.clock.sleep_ms(ms)

    def drive(self, permille: int) -> None:
        assert 0 <= permille <= 1000
        self.driven.append((self.ticks_ms(), permille))

    def switch(self, closed: bool) -> None:
        self.switched.append((self.ticks_ms(), closed))

    def measure(self) -> Reading | None:
        return self.reading

    def lux(self) -> float | None:
        return self.lux_now

    def celsius(self) -> float | None:
        return self.celsius_now

    def feed(self) -> None:
        self.fed.append(self.ticks_ms())

    def reset(self) -> None:
        self.resets += 1
        raise Restarted

    def reset_cause(self) -> str:
        return self.cause

    def random(self, n: int) -> bytes:
        return self._random.randbytes(n)

    def memory(self) -> tuple[int, int]:
        return 64_000, 131_072

    def sync(self) -> None:
        pass

    def identity(self) -> dict[str, Any]:
        return dict(self.provisioned)

    async def connect(self) -> bool:
        self.connected = True
        return True

    def is_connected(self) -> bool:
        return self.connected

    def address(self) -> str:
        return str(self._address)

    def rssi_dbm(self) -> int | None:
        return -60

    def open_udp(self) -> FakeUdp:
        return self.network.open(self._address)
