"""A street's night, played: set-up, the events that go wrong on purpose, and the clean end.

One lamp's LED opens in the evening and is repaired after midnight; one feeder loses its supply and comes back. What
each lamp must therefore report is known beforehand, and `report` holds the street against it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hil.street import city, vm
from hil.street.backend import Api, Backend, BackendFailed
from hil.street.lamp import Lamp
from hil.street.plan import TIME_ZONE, Pole, plan
from hil.street.verification import Interval
from hil.street.walltime import WallTime, local_noon_ms

HOUR_MS = 3_600_000
# Real seconds: a lamp's registration lifetime, and how long a cut feeder stays away, which is long enough to be missed.
LIFETIME_S = 8
AWAY_S = 14.0
# At this rate the cut feeder returns just before the schedule's first step down.
FASTEST = 1000
SETTLE_DEADLINE_S = 90.0
# Real time that a lamp may take from power to light; the VM needs a tenth of it on a quiet machine.
BOOT_S = 1.0
# Wall-clock seconds between the set-up and the first noon, for set-up at the fast clock.
LEAD_REAL_S = 30


@dataclass
class Event:
    """Something that happens to the street at a wall time."""

    at_ms: int
    words: str
    act: Callable[[], None]


@dataclass
class Street:
    """All that a running street is made of."""

    wall: WallTime
    backend: Backend
    token: str = field(repr=False)
    api: Api
    lamps: list[Lamp]
    identifiers: dict[str, int]
    schedule: int
    start_ms: int
    end_ms: int
    events: list[Event] = field(default_factory=list)
    happened: list[tuple[int, str]] = field(default_factory=list)
    expected: dict[str, set[str]] = field(default_factory=dict)
    dark: dict[str, list[Interval]] = field(default_factory=dict)

    def run_due_events(self) -> None:
        now_ms = self.wall.now_ms()
        while self.events and self.events[0].at_ms <= now_ms:
            event = self.events.pop(0)
            event.act()
            self.happened.append((self.wall.now_ms(), event.words))


@contextmanager
def street(
    directory: Path, lamps: int, speed: int, http_port: int, coap_port: int, utc_ms: int, nights: int
) -> Iterator[Street]:
    """A street that has settled: every lamp registered, its schedule verified, the clock just before a local noon.

    Raises BackendFailed when the backend does not start or a lamp does not settle; ends every process that it started.
    """
    image = vm.build_image(directory)
    start_ms = local_noon_ms(utc_ms, TIME_ZONE)
    wall = WallTime.starting(start_ms - LEAD_REAL_S * 1000 * speed, speed)
    backend = Backend(directory, http_port, coap_port, wall)
    poles: list[Lamp] = []
    try:
        backend.start()
        token = backend.command("token", "create", "--name", "demo", "--role", "admin").strip()
        api = Api(backend.url, token)
        planned = plan(lamps)
        identifiers = city.enrol(api, planned)
        schedule = city.plan_lighting(api, planned, identifiers)
        poles = [
            Lamp(pole, directory / pole.mac.hex(), image, ("127.0.0.1", coap_port), _physics(speed), _settings(pole))
            for pole in planned
        ]
        for lamp in poles:
            lamp.power_on()
        running = Street(
            wall, backend, token, api, poles, identifiers, schedule, start_ms, start_ms + nights * 24 * HOUR_MS
        )
        settle(running)
        # A slow machine may have settled late: the night then begins at the next noon.
        running.start_ms = local_noon_ms(max(start_ms, wall.now_ms()), TIME_ZONE)
        running.end_ms = running.start_ms + nights * 24 * HOUR_MS
        yield running
    finally:
        for lamp in poles:
            lamp.power_off()
        backend.stop()


def settle(running: Street, deadline_s: float = SETTLE_DEADLINE_S) -> None:
    """Wait until every lamp's schedule is verified; raises BackendFailed with the log of one that is not."""
    deadline = time.monotonic() + deadline_s
    missing: set[int] = set()
    while time.monotonic() < deadline:
        states = city.verified(running.api, running.schedule)
        missing = {identifier for identifier in running.identifiers.values() if not states.get(identifier)}
        if not missing:
            return
        for lamp in running.lamps:
            if lamp.exit_codes:
                raise BackendFailed(f"the firmware of {lamp.pole.endpoint} ended; its log:\n{lamp.log()[-2000:]}")
        time.sleep(0.25)
    lamp = next(lamp for lamp in running.lamps if running.identifiers[lamp.pole.endpoint] in missing)
    raise BackendFailed(
        f"{len(missing)} of {len(running.lamps)} lamps were not verified within {deadline_s:.0f} s; "
        f"the log of the backend:\n{running.backend.log_tail()}\nand of {lamp.pole.endpoint}:\n{lamp.log()[-2000:]}"
    )


def plan_events(running: Street, nights: int) -> None:
    """For each of the first nights: one lamp fails and is repaired, one feeder is cut and returns.

    Notes what must be reported. The feeder returns while the schedule asks for full light, which is also what a lamp
    without a clock gives, so that only the dark itself and the boot are excused.
    """
    running.expected = {lamp.pole.endpoint: set() for lamp in running.lamps}
    running.dark = {lamp.pole.endpoint: [] for lamp in running.lamps}
    failing = running.lamps[0]
    feeder = running.lamps[-1].pole.feeder
    cut = [lamp for lamp in running.lamps if lamp.pole.feeder == feeder and lamp is not failing]
    away_ms = max(HOUR_MS, round(AWAY_S * 1000) * running.wall.rate)
    for night in range(nights):
        noon_ms = running.start_ms + night * 24 * HOUR_MS
        evening_ms = noon_ms + 13 * HOUR_MS // 2
        running.events += [
            Event(evening_ms, f"LED of {failing.pole.name} fails", lambda: failing.fail("lamp_failure")),
            Event(evening_ms + 7 * HOUR_MS, f"{failing.pole.name} is repaired", lambda: failing.fail()),
        ]
        running.expected[failing.pole.endpoint] |= {"lamp_failure"}
        if cut:
            returns_ms = evening_ms + away_ms
            running.events += [
                Event(evening_ms, f"feeder {feeder} loses its supply", lambda: _each(cut, Lamp.power_off)),
                Event(returns_ms, f"feeder {feeder} returns", lambda: _each(cut, Lamp.power_on)),
            ]
            for lamp in cut:
                running.expected[lamp.pole.endpoint] |= {"communication_lost"}
                boot_ms = round(BOOT_S * 1000 * running.wall.rate)
                running.dark[lamp.pole.endpoint].append(Interval(evening_ms, returns_ms + boot_ms))
    running.events.sort(key=lambda event: event.at_ms)


def _each(lamps: list[Lamp], act: Callable[[Lamp], None]) -> None:
    for lamp in lamps:
        act(lamp)


def _physics(speed: int) -> dict[str, object]:
    return {"rtc_rate": speed, "nominal_w": city.NOMINAL_W, "supply_v": 230, "faults": []}


def _settings(pole: Pole) -> dict[str, object]:
    """Start values, as a technician's tool writes them: the place, the luminaire, how often to call."""
    return {
        "latitude_e6": round(pole.latitude * 1_000_000),
        "longitude_e6": round(pole.longitude * 1_000_000),
        "nominal_power_w": city.NOMINAL_W,
        "lifetime_s": LIFETIME_S,
        "report_interval_s": 900,
        # A street of simulated lamps is no city that comes back at once.
        "registration_jitter_s": 1,
    }
