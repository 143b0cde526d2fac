"""A small town for the tests: a true backend and true lamps on ports of their own, with their clock.

It is smaller than the demo's street and obeys the test: every lamp may have its own settings, physics and network.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from firmware.program import Program
from firmware.settings import Settings
from firmware.store import Store
from hil.street import city, trace
from hil.street.backend import Api, Backend
from hil.street.lamp import Lamp
from hil.street.plan import TIME_ZONE, plan
from hil.street.walltime import WallTime
from tests.system.relay import Relay
from tests.system.waiting import free_ports, until

# 2027-03-10 13:00 in Ho Chi Minh City: a Wednesday afternoon.
AFTERNOON_MS = 1_804_658_400_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
LIFETIME_S = 8
JOIN_S = 30.0

ALWAYS_80: dict[str, Any] = {
    "name": "Always 80",
    "programs": [{"name": "Always 80", "switch_points": [{"at": "12:00", "level": 80}]}],
    "calendar": [{"program": "Always 80", "type": "night"}],
}
TOLD = re.compile(r"\breport (sent|acknowledged) kind=telemetry at_s=(\d+)")


def milliseconds(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def iso(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Town:
    """Made by `running_town`. `settings[n]` and `simulations[n]` add to what lamp n has anyway; `relayed` puts a relay
    between all lamps and the backend."""

    def __init__(
        self,
        directory: Path,
        image: Path,
        lamps: int,
        rate: int = 1,
        start_ms: int = AFTERNOON_MS,
        schedule: Mapping[str, Any] = ALWAYS_80,
        settings: Mapping[int, Mapping[str, object]] | None = None,
        simulations: Mapping[int, Mapping[str, object]] | None = None,
        database_url: str | None = None,
        relayed: bool = False,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.wall = WallTime.starting(start_ms, rate)
        http_port, self.coap_port = free_ports()
        self.backend = Backend(directory, http_port, self.coap_port, self.wall, database_url)
        self.poles = plan(lamps)
        self._relay = Relay(self.coap_port) if relayed else None
        server = ("127.0.0.1", self._relay.port if self._relay else self.coap_port)
        self.start_settings = [
            {
                "latitude_e6": round(pole.latitude * 1e6),
                "longitude_e6": round(pole.longitude * 1e6),
                "nominal_power_w": city.NOMINAL_W,
                "lifetime_s": LIFETIME_S,
                "report_interval_s": 900,
                "registration_jitter_s": 0,
                "default_fade_ms": 0,
                **(settings or {}).get(number, {}),
            }
            for number, pole in enumerate(self.poles)
        ]
        self.lamps = [
            Lamp(
                pole,
                directory / pole.mac.hex(),
                image,
                server,
                {
                    "rtc_rate": rate,
                    "nominal_w": city.NOMINAL_W,
                    "faults": [],
                    "seed": number + 1,
                    **(simulations or {}).get(number, {}),
                },
                self.start_settings[number],
            )
            for number, pole in enumerate(self.poles)
        ]
        self._plan = schedule
        self.api: Api
        self.ids: list[int] = []
        self.schedule = 0

    @property
    def relay(self) -> Relay:
        assert self._relay is not None, "this town has no relay: make it with relayed=True"
        return self._relay

    def open(self) -> None:
        """Start the backend, enrol the lamps and give them their schedule; `join` comes after."""
        if self._relay is not None:
            self._relay.start()
        self.backend.start()
        token = self.backend.command("token", "create", "--name", "tests", "--role", "admin").strip()
        self.api = Api(self.backend.url, token)
        identifiers = city.enrol(self.api, self.poles)
        self.ids = [identifiers[pole.endpoint] for pole in self.poles]
        self.schedule = self.api.post("/schedules", dict(self._plan))["id"]
        self.api.post(f"/schedules/{self.schedule}/assignments", {"lamp_ids": self.ids})

    def join(self) -> None:
        """Power the lamps and wait until each is registered and its schedule verified."""
        for lamp in self.lamps:
            lamp.power_on()
        try:
            until(self.is_verified, JOIN_S, "every lamp is registered and its schedule verified")
        except AssertionError as error:
            states = city.verified(self.api, self.schedule)
            late = next(number for number, identifier in enumerate(self.ids) if not states.get(identifier))
            told = f"its log:\n{self.lamps[late].log()[-3000:]}\nof the backend:\n{self.backend.log_tail()}"
            raise AssertionError(f"{error}; lamp {late} is the first that is not; {told}") from None

    def close(self) -> None:
        for lamp in self.lamps:
            lamp.power_off()
        self.backend.stop()
        if self._relay is not None:
            self._relay.close()
        if hasattr(self, "api"):
            self.api.close()

    def is_verified(self) -> bool:
        states = city.verified(self.api, self.schedule)
        return all(states.get(identifier) for identifier in self.ids)

    def is_online(self, number: int) -> bool:
        return bool(self.state(number)["status"] == "online")

    def state(self, number: int) -> dict[str, Any]:
        """The lamp as the API shows it."""
        found: dict[str, Any] = self.api.get(f"/lamps/{self.ids[number]}")
        return found

    def level(self, number: int) -> int | None:
        """What the pole's light does now, by its trace; None before it ever had power."""
        edges = trace.load(self.lamps[number].trace_file)
        return edges[-1].level if edges else None

    def edges(self, number: int) -> list[trace.Edge]:
        return trace.load(self.lamps[number].trace_file)

    def power_on(self, number: int) -> int:
        """Give a lamp its supply back and wait for its light; monotonic ns of the switch."""
        begun_ns = time.monotonic_ns()
        self.lamps[number].power_on()
        until(lambda: any(edge.at_ns > begun_ns for edge in self.edges(number)), 10, f"lamp {number} is lit")
        return begun_ns

    def shines(self, number: int, level: int, deadline_s: float = 10.0) -> None:
        until(lambda: self.level(number) == level, deadline_s, f"lamp {number} at level {level}")

    def held_on_flash(self, number: int) -> str:
        """The digest of the schedule in a lamp's flash folder, as its firmware reads it."""
        store = Store(str(self.lamps[number].flash))
        return str(Program(Settings(store, self.start_settings[number]), store).digest)

    def faults(self, number: int) -> list[dict[str, Any]]:
        """All faults that the lamp ever had."""
        return city.faults(self.api, self.ids[number])

    def override(self, level: int, number: int | None = None, **body: object) -> int:
        """Ask for a level at one lamp, or as `body` says; the override's id."""
        target = {} if number is None else {"lamp_id": self.ids[number]}
        wanted = {"level": level, "reason": "test", **target, **body}
        found: int = self.api.post("/overrides", wanted)["id"]
        return found

    def outcome(self, override: int, number: int) -> dict[str, Any]:
        """What became of an override at one lamp."""
        items = self.api.get(f"/overrides/{override}/outcomes")["items"]
        found: dict[str, Any] = next(item for item in items if item["lamp_id"] == self.ids[number])
        return found

    def becomes(self, override: int, number: int, state: str, deadline_s: float = 10.0) -> dict[str, Any]:
        """Wait for a state of an override at a lamp."""
        until(
            lambda: self.outcome(override, number)["state"] == state,
            deadline_s,
            f"override at lamp {number} is {state}",
        )
        return self.outcome(override, number)

    def cancel(self, override: int, *numbers: int) -> None:
        """Cancel, and wait until these lamps know it."""
        self.api.delete(f"/overrides/{override}")
        for number in numbers:
            self.becomes(override, number, "cancelled")

    def acknowledged(self, number: int) -> list[int]:
        """Seconds (UTC) of the telemetry that the lamp says was acknowledged, in its order."""
        return self._told(number, "acknowledged")

    def reported(self, number: int) -> list[int]:
        """The same of the telemetry that it says it sent."""
        return self._told(number, "sent")

    def _told(self, number: int, word: str) -> list[int]:
        return [int(at_s) for what, at_s in TOLD.findall(self.lamps[number].log()) if what == word]

    def stored(self, number: int) -> set[int]:
        """Seconds (UTC) of the telemetry in the database."""
        return {milliseconds(at) // 1000 for at in city.telemetry_times(self.api, self.ids[number])}


_STARTING = threading.Lock()


@contextmanager
def running_town(*arguments: Any, **named: Any) -> Iterator[Town]:
    """A Town (its arguments) whose lamps have joined; all that it started is ended.

    One backend starts at a time: many at once would make each other late, and a fast night would be over too soon.
    """
    with _STARTING:
        town = Town(*arguments, **named)
        try:
            town.open()
        except BaseException:
            town.close()
            raise
    try:
        town.join()
        yield town
    finally:
        town.close()


__all__ = ["ALWAYS_80", "TIME_ZONE", "Town", "iso", "milliseconds", "running_town"]
