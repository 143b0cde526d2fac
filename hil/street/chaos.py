"""A night of chaos, conducted: everything of `chaos_plan` happens to a rough street, and is noted with its real time.

Power and network are switched at their moment by the conductor's own thread. What an operator asks for and what befalls
the backend take their turns in a second one, so that no request is under way when the backend is killed: whether such
a request was taken is a question of the API, not of the street.
"""

import heapq
import itertools
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hil.street import chaos_plan, vm
from hil.street.chaos_plan import Event
from hil.street.impairment import Rules
from hil.street.plan import plan
from hil.street.rough import RoughStreet
from hil.street.walltime import WallTime

# Wednesday, 2027-03-10, noon in Ho Chi Minh City: no daylight saving, no weekend.
NOON_MS = 1_804_654_800_000
HOUR_MS = 3_600_000

WEATHER = Rules(drop=0.05, duplicate=0.03, corrupt=0.01, reorder=0.03, jitter_ms=15)
STORM = Rules(drop=0.30, duplicate=0.15, corrupt=0.02, reorder=0.15, jitter_ms=25)

# Real seconds between the power-up of all lamps and the begin of the play, for a shared machine.
LEAD_S = 35.0
LEAD_A_LAMP_S = 1.0
# A report of a lamp each so many real seconds.
REPORT_S = 4
REBIND_S = 60.0

SCHEDULE: dict[str, Any] = {
    "name": "Night of chaos",
    "programs": [
        {
            "name": "Night",
            "active_period": {"start": "S", "end": "R"},
            "off_when_inactive": True,
            "switch_points": [
                {"at": "S", "level": chaos_plan.LEVELS[0]},
                {"at": "22:00", "level": chaos_plan.LEVELS[1]},
                {"at": "04:00", "level": chaos_plan.LEVELS[2]},
            ],
        }
    ],
    "calendar": [{"program": "Night", "type": "night"}],
}


class TooSlow(RuntimeError):
    """The street had not settled when its evening came."""


@dataclass(frozen=True)
class Asked:
    """An override that the API accepted."""

    id: int
    lamp: int
    level: int
    asked_ns: int
    end_ms: int


class Night:
    """The play and what became of it: `happened` (for the report), and what the books need beside the street."""

    def __init__(self, street: RoughStreet, events: list[Event], length_s: float, begins_ms: int) -> None:
        self.street = street
        self.events = events
        self.length_s = length_s
        self.begins_ms = begins_ms
        self.happened: list[dict[str, Any]] = []
        self.overrides: list[Asked] = []
        self.downtimes: list[tuple[int, int]] = []
        self.planted: dict[int, str] = {}
        self._order = itertools.count()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._city = ThreadPoolExecutor(1)
        self._asked: list[Future[None]] = []

    def play(self, tell: Callable[[str], None]) -> None:
        """Let all of it happen; returns at the end of the night. Raises what an operator's request raised."""
        begin = time.monotonic()
        for event in self.events:
            self._at(event.at_s, lambda event=event: self._act(event, tell))  # type: ignore[misc]
        while self._queue:
            at_s, _, act = heapq.heappop(self._queue)
            self._wait_until(begin + at_s)
            act()
        self._wait_until(begin + self.length_s)
        self._city.shutdown()
        for future in self._asked:
            future.result()

    def _wait_until(self, moment: float) -> None:
        time.sleep(max(0.0, moment - time.monotonic()))

    def _at(self, at_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (at_s, next(self._order), act))

    def _note(self, words: str, event: Event, tell: Callable[[str], None]) -> None:
        now_ns = time.monotonic_ns()
        names = [self.street.poles[number].name for number in event.lamps]
        self.happened.append(
            {
                "at": iso(self.street.wall.utc_ms(now_ns)),
                "monotonic_ns": now_ns,
                "event": words,
                "lamps": names,
                "value": event.value,
                "for_s": round(event.for_s, 2),
            }
        )
        tell(
            f"{self.happened[-1]['at']}  {words} {event.value or ''} {', '.join(names[:6])}{' …' if names[6:] else ''}"
        )

    def _act(self, event: Event, tell: Callable[[str], None]) -> None:
        street, kind = self.street, event.kind
        if kind in ("kill", "override", "cancel"):
            self._asked.append(self._city.submit(self._in_the_city, event, tell))
            return
        self._note(chaos_plan.WORDS[kind], event, tell)
        if kind in ("cut", "restart"):
            street.power_off(*event.lamps)

            def give_back() -> None:
                street.power_on(*event.lamps)
                self._note("power returns", Event(0, kind, event.lamps), tell)

            self._at(event.at_s + event.for_s, give_back)
        elif kind == "blackout":
            street.network.black_out(event.lamps, event.for_s * 1000)
        elif kind == "storm":
            street.network.set_rules(STORM)

            def calm() -> None:
                street.network.set_rules(WEATHER)
                self._note("storm is over", Event(0, kind), tell)

            self._at(event.at_s + event.for_s, calm)
        elif kind == "drift":
            street.lamps[event.lamps[0]].simulate(drift_ppm=event.value)
        elif kind == "fault":
            self.planted[event.lamps[0]] = str(event.value)
            street.lamps[event.lamps[0]].fail(str(event.value))
        elif kind == "repair":
            street.lamps[event.lamps[0]].fail()

    def _in_the_city(self, event: Event, tell: Callable[[str], None]) -> None:
        street = self.street
        self._note(chaos_plan.WORDS[event.kind], event, tell)
        if event.kind == "kill":
            down_ns = time.monotonic_ns()
            street.backend.kill()
            time.sleep(event.for_s)
            street.backend.start()
            self.downtimes.append((down_ns, time.monotonic_ns()))
            self._note("backend is back", Event(0, "kill"), tell)
        elif event.kind == "override":
            asked_ns, lamp = time.monotonic_ns(), event.lamps[0]
            body = {
                "lamp_id": street.ids[lamp],
                "level": event.value,
                "duration_s": max(1, round(event.for_s * street.wall.rate)),
                "reason": "chaos",
            }
            override = street.api.post("/overrides", body)
            end_ms = milliseconds(override["end"])
            self.overrides.append(Asked(override["id"], lamp, int(event.value), asked_ns, end_ms))
        else:
            for asked in self.overrides:
                if asked.level == event.value and asked.end_ms > street.wall.now_ms() + 1000 * street.wall.rate:
                    street.api.delete(f"/overrides/{asked.id}")


def prepare(directory: Path, lamps: int, length_s: float, seed: int, ports: tuple[int, int] | None = None) -> Night:
    """A night that may begin: the street is built, nothing of it runs. Raises ValueError for what cannot be planned."""
    rate = chaos_plan.rate(length_s)
    begins_ms = NOON_MS + round(chaos_plan.BEGINS_H * HOUR_MS)
    events = chaos_plan.plan(seed, [pole.feeder for pole in plan(lamps)], length_s)
    lead_s = LEAD_S + LEAD_A_LAMP_S * lamps
    physics = [{"drift_ppm": ppm} for ppm in chaos_plan.drifts(seed, lamps)]
    settings = {
        "lifetime_s": chaos_plan.LIFETIME_S,
        "report_interval_s": REPORT_S * rate,
        "registration_jitter_s": 1,
        "default_fade_ms": 0,
    }
    image = vm.build_image(directory)  # before the clock starts: it may take long
    wall = WallTime.starting(begins_ms - round(lead_s * 1000) * rate, rate)
    rebind_ms = min(REBIND_S, length_s / 3) * 1000
    street = RoughStreet(directory, lamps, wall, seed, settings, physics, rebind_ms, ports, image)
    return Night(street, events, length_s, begins_ms)


def wait_for_evening(night: Night) -> None:
    """Until the play begins; raises TooSlow when that moment has passed."""
    left_s = night.street.wall.seconds_until(night.begins_ms)
    if not left_s:
        raise TooSlow(
            f"the street of {len(night.street.lamps)} lamps settled after its evening had come: "
            "run fewer lamps, or on a quieter machine"
        )
    time.sleep(left_s)


def iso(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
