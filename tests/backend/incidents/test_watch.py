"""The watch writes silence down, in lighting time; and what lamps have in common."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.clock import Clock
from backend.db import Database
from backend.device_server.sessions import SessionView
from backend.faults import service
from backend.faults.shapes import FaultPublic, FaultQuery
from backend.feeders import service as feeders
from backend.feeders.shapes import SupplyInput
from backend.incidents import service as incidents
from backend.incidents.shapes import IncidentDetail, IncidentQuery
from backend.incidents.watch import SilenceWatch
from backend.lamps import service as lamps


async def test_the_watch_raises_and_clears_in_lighting_time(database: Database) -> None:
    with database.session(writes=True) as session:
        place = {"latitude_e6": 0, "longitude_e6": 0, "time_zone": "UTC"}
        lamp = lamps.create(session, 0, {"endpoint": "urn:dev:mac:01", "name": "one", **place})
    assert lamp.id is not None
    real_ms, heard_ms, registered = 0, 0, True

    def sessions() -> list[SessionView]:
        assert lamp.id is not None
        return [SessionView(lamp.id, lamp.endpoint, registered, "", 60, "1.1", 0, heard_ms)]

    clock = Clock(
        rate=600, anchor_ns=0, anchor_utc_ms=10**12, monotonic_ns=lambda: real_ms * 10**6, utc_ms=lambda: real_ms
    )
    watch = SilenceWatch(database, sessions, clock)

    async def look() -> list[tuple[str, int, int | None]]:
        await watch.look()
        with database.session(writes=False) as session:
            items = service.listed(session, FaultQuery(cursor=None, limit=10, state="all")).items
        return [(item.name, item.raised_at, item.cleared_at) for item in items]

    real_ms = 60_000
    assert await look() == []
    real_ms = 61_000
    assert await look() == [("communication_lost", 10**12 + 61_000 * 600, None)]
    real_ms = 62_000
    assert len(await look()) == 1
    heard_ms = 62_500
    assert (await look())[0][2] == 10**12 + 62_000 * 600
    real_ms, registered = 500_000, False
    assert (await look())[0][2] is not None, "a planned stop is no silence"
    assert len(await look()) == 1


START_MS = 1_795_334_400_000
LIFETIME_S = 300


class Street:
    """Lamps, when each was last heard, and the clock; a second of both clocks is the same."""

    def __init__(self, database: Database, feeders: list[tuple[str, str]]) -> None:
        self.database = database
        self.now_ms = START_MS
        self.away: set[int] = set()
        self.heard: dict[int, int] = {}
        self.lifetimes: dict[int, int] = {}
        with database.session(writes=True) as session:
            for number, (feeder, cabinet) in enumerate(feeders, 1):
                place = {"latitude_e6": 0, "longitude_e6": 0, "time_zone": "UTC", "feeder": feeder, "cabinet": cabinet}
                endpoint = f"urn:dev:mac:{number:02}"
                lamp = lamps.create(session, 0, {"endpoint": endpoint, "name": endpoint, **place})
                assert lamp.id is not None
                self.heard[lamp.id] = START_MS - number * 1000
                self.lifetimes[lamp.id] = LIFETIME_S
        self.ids = sorted(self.heard)
        self.restart()

    def restart(self) -> None:
        clock = Clock(utc_ms=lambda: self.now_ms)
        self.watch = SilenceWatch(self.database, self.sessions, clock)

    def sessions(self) -> list[SessionView]:
        return [
            SessionView(lamp_id, str(lamp_id), True, "", self.lifetimes[lamp_id], "1.1", 0, at_ms)
            for lamp_id, at_ms in self.heard.items()
        ]

    async def run(self, seconds: int, every: int = 5) -> None:
        """Each lamp that is not away renews at half its lifetime; the watch looks every few seconds."""
        end_ms = self.now_ms + seconds * 1000
        while self.now_ms < end_ms:
            self.now_ms += every * 1000
            for lamp_id, at_ms in self.heard.items():
                if lamp_id not in self.away and self.now_ms - at_ms >= self.lifetimes[lamp_id] * 500:
                    self.heard[lamp_id] = self.now_ms
            await self.watch.look()

    def faults(self, **filters: Any) -> list[FaultPublic]:
        with self.database.session(writes=False) as session:
            return service.listed(session, FaultQuery(cursor=None, limit=1000, **filters)).items

    def incidents(self, state: Any = "open") -> list[IncidentDetail]:
        with self.database.session(writes=False) as session:
            found = incidents.listed(session, IncidentQuery(cursor=None, limit=100, state=state)).items
            return [incidents.get(session, one.id) for one in found]


TWO_FEEDERS = [("F1", "C1")] * 6 + [("F2", "C2")] * 6


@pytest.fixture
def street(database: Database) -> Callable[..., Street]:
    return lambda places=TWO_FEEDERS: Street(database, places)


async def test_a_dead_feeder_is_one_incident_with_its_faults(street: Callable[..., Street]) -> None:
    town = street()
    await town.run(600)
    assert town.faults() == [] and town.incidents() == []
    town.away = set(town.ids[:6])
    await town.run(400)
    (incident,) = town.incidents()
    assert (incident.cause, incident.scope, incident.name) == ("supply", "feeder", "F1")
    assert (incident.members, incident.missing, incident.of_lamps) == (6, 6, 6)
    assert {lamp.lamp_id for lamp in incident.lamps} == town.away
    assert {fault.incident_id for fault in town.faults()} == {incident.id}
    assert len(town.faults()) == 6 and town.faults(incidents="collapse") == []
    town.away = {town.ids[0]}
    await town.run(200)
    (incident,) = town.incidents()
    assert incident.missing == 1, "one of six is not nearly none"
    town.away = set()
    await town.run(200)
    assert town.incidents() == [] and town.faults() == []
    (ended,) = town.incidents("ended")
    assert (ended.state, ended.missing) == ("ended", 0)


async def test_a_single_lamp_stays_a_single_fault(street: Callable[..., Street]) -> None:
    town = street()
    town.away = {town.ids[2]}
    await town.run(700)
    assert town.incidents() == []
    assert [fault.incident_id for fault in town.faults(incidents="collapse")] == [None]


async def test_a_late_member_joins_and_a_restart_opens_nothing_twice(street: Callable[..., Street]) -> None:
    town = street()
    town.lifetimes[town.ids[5]] = 1800
    town.away = set(town.ids[:6])
    await town.run(500)
    (before,) = town.incidents()
    assert before.members == 5
    town.restart()
    await town.run(400)
    assert [one.id for one in town.incidents()] == [before.id]
    await town.run(1900)
    (after,) = town.incidents()
    assert (after.id, after.members) == (before.id, 6)
    assert len(town.faults()) == 6


async def test_a_deaf_backend_raises_no_fault_but_one_incident(street: Callable[..., Street]) -> None:
    town = street()
    await town.run(600)
    town.away = set(town.ids)
    await town.run(700)
    (incident,) = town.incidents()
    assert (incident.cause, incident.scope, incident.members) == ("backend", "all", 12)
    assert town.faults(state="all") == []
    town.away = {town.ids[3]}
    await town.run(250)
    assert town.faults(state="all") == [], "everybody has a whole lifetime to speak again"
    await town.run(300)
    assert [fault.lamp_id for fault in town.faults(state="all")] == [town.ids[3]]
    assert town.incidents() == []
    (ended,) = town.incidents("ended")
    assert ended.missing == 1, "nearly all are back, and who is not has a fault of its own"


async def test_a_town_of_one_feeder_that_dies_has_lost_its_supply(street: Callable[..., Street]) -> None:
    town = street([("F1", "C1")] * 8)
    town.away = set(town.ids)
    await town.run(700)
    (incident,) = town.incidents()
    assert (incident.cause, incident.scope) == ("supply", "feeder")
    assert len(town.faults()) == 8


async def test_planned_off_hours_are_no_fault_and_a_feeder_that_stays_away_is_one(
    street: Callable[..., Street],
) -> None:
    town = street()
    hours = [{"start": "18:00", "end": "06:00"}]
    with town.database.session(writes=True) as session:
        body = SupplyInput.model_validate({"feeder": "F1", "hours": hours})
        feeders.plan(session, body, "an", START_MS, START_MS)
    town.restart()  # 08:00 UTC: the feeder is off
    town.away = set(town.ids[:6])
    await town.run(10 * 3600 - 60, every=60)
    assert town.faults(state="all") == []
    await town.run(60 + LIFETIME_S, every=5)
    assert town.faults(state="all") == [], "it returned, and they have their lifetime"
    await town.run(60)
    (incident,) = town.incidents()
    assert (incident.name, incident.members) == ("F1", 6)


async def test_two_feeders_of_a_cabinet_become_one_incident_of_the_cabinet(street: Callable[..., Street]) -> None:
    town = street([("F1", "C1")] * 4 + [("F2", "C1")] * 4 + [("F3", "C2")] * 8)
    for lamp_id in town.ids[4:8]:
        town.lifetimes[lamp_id] = 600
    town.away = set(town.ids[:8])
    await town.run(400)
    (first,) = town.incidents()
    assert (first.scope, first.name) == ("feeder", "F1")
    await town.run(400)
    (wider,) = town.incidents()
    assert (wider.id, wider.scope, wider.name, wider.cause) == (first.id, "cabinet", "C1", "supply")
    assert {fault.incident_id for fault in town.faults()} == {first.id}
