"""A street behind a bad network: the true backend, true lamps, and between them `impairment`, with a port a lamp.

It notes when each pole had power, because its trace cannot: a lamp that is cut leaves no edge.
"""

import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.street import city, vm
from hil.street.backend import Api, Backend, BackendFailed
from hil.street.impairment import Impairment
from hil.street.lamp import Lamp
from hil.street.plan import TIME_ZONE, plan
from hil.street.walltime import WallTime

LOOK_EVERY_S = 0.1
OWN_PORTS = (20_000, 32_000)


class RoughStreet:
    """Lamp n is `lamps[n]`, known to the API as `ids[n]`, and sends to `network.ports[n]`.

    `power[n]` are the moments (CLOCK_MONOTONIC ns) at which its power came and went, beginning with the first power-up.
    """

    def __init__(
        self,
        directory: Path,
        lamps: int,
        wall: WallTime,
        seed: int,
        settings: Mapping[str, object],
        physics: Sequence[Mapping[str, object]] | None = None,
        rebind_ms: float = 0,
        ports: tuple[int, int] | None = None,
        image: Path | None = None,
        time_zone: str = TIME_ZONE,
    ) -> None:
        """`settings` are the lamps' beside their place and luminaire; `physics[n]` adds to lamp n's simulation; `ports`
        are the backend's for HTTP and CoAP (free ones when left out); `time_zone` is an IANA name."""
        directory.mkdir(parents=True, exist_ok=True)
        http_port, coap_port = ports or free_ports()
        self.wall = wall
        self._time_zone = time_zone
        self.poles = plan(lamps)
        self.backend = Backend(directory, http_port, coap_port, wall)
        self.network = Impairment(("127.0.0.1", coap_port), lamps, seed, rebind_ms)
        image = image or vm.build_image(directory)
        self.lamps = [
            Lamp(
                pole,
                directory / pole.mac.hex(),
                image,
                ("127.0.0.1", self.network.ports[number]),
                {
                    "rtc_rate": wall.rate,
                    "nominal_w": city.NOMINAL_W,
                    "seed": number + 1,
                    **(physics[number] if physics else {}),
                },
                {
                    "latitude_e6": round(pole.latitude * 1_000_000),
                    "longitude_e6": round(pole.longitude * 1_000_000),
                    "nominal_power_w": city.NOMINAL_W,
                    **settings,
                },
            )
            for number, pole in enumerate(self.poles)
        ]
        self.power: list[list[int]] = [[] for _ in self.lamps]
        self._switching = threading.Lock()
        self.api: Api
        self.ids: list[int] = []
        self.schedule = 0

    def open(self, schedule: Mapping[str, Any]) -> None:
        """Start the backend, enrol every lamp, assign the schedule to all. The lamps are still without power."""
        self.network.start()
        self.backend.start()
        token = self.backend.command("token", "create", "--name", "chaos", "--role", "admin").strip()
        self.api = Api(self.backend.url, token)
        identifiers = city.enrol(self.api, self.poles, self._time_zone)
        self.ids = [identifiers[pole.endpoint] for pole in self.poles]
        self.schedule = city.plan_lighting(self.api, self.poles, identifiers, dict(schedule))

    def close(self) -> None:
        """End everything that was started; idempotent."""
        for lamp in self.lamps:
            lamp.power_off()
        self.backend.stop()
        self.network.close()
        if hasattr(self, "api"):
            self.api.close()

    def has_power(self, number: int) -> bool:
        return len(self.power[number]) % 2 == 1

    def power_on(self, *numbers: int) -> None:
        with self._switching:
            for number in numbers:
                if not self.has_power(number):
                    self.power[number].append(time.monotonic_ns())
                    self.lamps[number].power_on()

    def power_off(self, *numbers: int) -> None:
        with self._switching:
            for number in numbers:
                if self.has_power(number):
                    self.power[number].append(time.monotonic_ns())
                    self.lamps[number].power_off()

    def absent(self) -> list[int]:
        """Lamps that are not both heard and verified: whom the bad network has locked out, if it stays so."""
        verified = city.verified(self.api, self.schedule)
        online = {lamp["id"] for lamp in self.api.pages("/lamps", limit=500) if lamp["status"] == "online"}
        return [n for n, identifier in enumerate(self.ids) if not (verified.get(identifier) and identifier in online)]

    def settle(self, deadline_s: float) -> float:
        """Wait until nobody is absent; the seconds it took. Raises BackendFailed with the log of one that is."""
        begun = time.monotonic()
        while absent := self.absent():
            if time.monotonic() - begun > deadline_s:
                lamp = self.lamps[absent[0]]
                raise BackendFailed(
                    f"{len(absent)} of {len(self.lamps)} lamps were not online and verified within {deadline_s:.0f} s; "
                    f"the log of {lamp.pole.endpoint}:\n{lamp.log()[-2000:]}\n"
                    f"and of the backend:\n{self.backend.log_tail()}"
                )
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - begun


@contextmanager
def rough_street(street: RoughStreet, schedule: Mapping[str, Any], deadline_s: float = 90.0) -> Iterator[RoughStreet]:
    """A street that is open, powered and settled; its network is still as good as its rules are."""
    try:
        street.open(schedule)
        street.power_on(*range(len(street.lamps)))
        street.settle(deadline_s)
        yield street
    finally:
        street.close()


def free_ports() -> tuple[int, int]:
    """A TCP port and a UDP port of 127.0.0.1 that were free a moment ago.

    Below those that systems hand out by themselves: the network opens sockets while the backend is down for a moment,
    and one of them must not be given the backend's port."""
    return _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_DGRAM)


def _free_port(kind: socket.SocketKind) -> int:
    for _ in range(100):
        port = random.randrange(*OWN_PORTS)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BackendFailed(f"no free port was found between {OWN_PORTS[0]} and {OWN_PORTS[1]}: end what uses them")
