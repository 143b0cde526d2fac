"""The play of a night: three lamps, a schedule with steps, and a backend that dies in the middle of it.

The backend is killed at the very moment at which its acknowledgement of a report is on the wire and has not reached the
lamp: whatever it acknowledged before it was durable is lost then. It is away while the schedule takes a step.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contract import talq
from contract.localtime import TimeZone
from hil.street import city, trace, verification
from tests.backend.postgres import running_postgres
from tests.system.relay import ACK, Datagram
from tests.system.town import AFTERNOON_MS, HOUR_MS, MINUTE_MS, TIME_ZONE, Town, running_town
from tests.system.waiting import until

RATE = 1000
LAMPS = 3
# The clock starts at 07:00, so that a busy machine has half a minute for all to join; the night is judged from 17:00,
# before sunset, to 06:40, after sunrise.
START_MS = AFTERNOON_MS - 6 * HOUR_MS
FROM_MS, UNTIL_MS = AFTERNOON_MS + 4 * HOUR_MS, AFTERNOON_MS + 17 * HOUR_MS + 40 * MINUTE_MS
# The step to 50 % is at 23:00.
KILLED_MS, RETURNS_MS = AFTERNOON_MS + 9 * HOUR_MS, AFTERNOON_MS + 11 * HOUR_MS
# Real time by which light may be late here, where many things run on few cores.
LATE_S = 0.5
# A lamp has promised to be heard within this time, and is to be back within it: real seconds.
BACK_S = 60
# Bytes: a request of a lamp that is longer is a report.
REPORT = 120


@dataclass(frozen=True)
class LampNight:
    """What one lamp did. Samples are (UTC ms, level), one a minute; times of telemetry are UTC seconds."""

    samples: list[tuple[int, int]]
    differing: list[tuple[int, int, int, int]]
    acknowledged: list[int]
    stored: set[int]
    faults: list[str]
    verified: bool
    exit_codes: list[int]
    resets: int


@dataclass(frozen=True)
class Books:
    """A night's books. `outage` is from the kill until the backend answered again (UTC ms); `back_s`: real seconds from
    there until every lamp was heard again."""

    lamps: list[LampNight]
    outage: verification.Interval
    back_s: float
    killed_on_acknowledgement: bool
    keys_changed: int


def play_on_sqlite(directory: Path, image: Path) -> Books:
    return play(directory, image, None)


def play_on_postgresql(directory: Path, image: Path) -> Books:
    with running_postgres() as server, server.database() as url:
        return play(directory, image, url)


def play(directory: Path, image: Path, database_url: str | None) -> Books:
    settings = {number: {"lifetime_s": BACK_S} for number in range(LAMPS)}
    with running_town(
        directory, image, LAMPS, RATE, START_MS, city.SCHEDULE, settings, {}, database_url, relayed=True
    ) as town:
        assert town.wall.now_ms() < FROM_MS, "the machine is too slow: the lamps joined after sunset"
        _wait_for(town, KILLED_MS)
        keys_before = _enrolments(town)
        on_acknowledgement = _kill_on_acknowledgement(town)
        killed_ms = town.wall.now_ms()
        _wait_for(town, RETURNS_MS)
        town.backend.start()
        returned_ms, returned_s = town.wall.now_ms(), time.monotonic()
        heard = [len(town.acknowledged(number)) for number in range(LAMPS)]
        until(
            lambda: all(
                town.is_online(number) and len(town.acknowledged(number)) > heard[number] for number in range(LAMPS)
            ),
            BACK_S,
            "every lamp is online again and its reports are taken",
        )
        back_s = time.monotonic() - returned_s
        _wait_for(town, UNTIL_MS)
        # The reports of the last quarter are under way.
        until(lambda: all(_has(town, number, UNTIL_MS) for number in range(LAMPS)), 20, "the night's last reports")
        for lamp in town.lamps:
            lamp.power_off()
        outage = verification.Interval(killed_ms, returned_ms)
        lamps = [_judge(town, number) for number in range(LAMPS)]
        return Books(lamps, outage, back_s, on_acknowledgement, _enrolments(town) - keys_before)


def _wait_for(town: Town, utc_ms: int) -> None:
    until(lambda: town.wall.now_ms() >= utc_ms, town.wall.seconds_until(utc_ms) + 5, "it is time")


def _has(town: Town, number: int, utc_ms: int) -> bool:
    return max(town.acknowledged(number), default=0) * 1000 >= utc_ms


def _enrolments(town: Town) -> int:
    return sum("enrolments" in entry["path"] for entry in town.api.pages("/audit", limit=500))


def _kill_on_acknowledgement(town: Town) -> bool:
    """Kill the backend when the answer to a report is seen on the wire; the lamp still gets that answer."""
    reports: set[bytes] = set()
    killed = threading.Event()

    def change(datagram: Datagram) -> bytes:
        if datagram.up and datagram.is_request and len(datagram.data) > REPORT:
            reports.add(datagram.mid)
        elif not datagram.up and datagram.kind == ACK and datagram.mid in reports and not killed.is_set():
            town.backend.kill()
            killed.set()
        return datagram.data

    town.relay.change = change
    return killed.wait(10)


def _judge(town: Town, number: int) -> LampNight:
    moments = (town.wall.monotonic_ns(moment) for moment in range(FROM_MS, UNTIL_MS, MINUTE_MS))
    taken: Sequence[tuple[int, trace.Edge]] = trace.samples(town.edges(number), moments)
    samples = [(town.wall.utc_ms(at_ns), edge.level) for at_ns, edge in taken]
    pole, lamp = town.poles[number], town.lamps[number]
    place = round(pole.latitude * 1e6), round(pole.longitude * 1e6), TimeZone(TIME_ZONE, 7 * 3600, ())
    schedule = talq.compile(city.SCHEDULE, *place)
    return LampNight(
        samples=samples,
        differing=verification.differing(schedule, samples, round(LATE_S * 1000 * RATE)),
        acknowledged=town.acknowledged(number),
        stored=town.stored(number),
        faults=[fault["name"] for fault in town.faults(number)],
        verified=city.verified(town.api, town.schedule)[town.ids[number]],
        exit_codes=lamp.exit_codes,
        resets=lamp.resets,
    )
