"""Flapping in the database: one fault, its notes kept, closed when it is calm, whatever the order of arrival."""

import random
from typing import Any

import pytest

from backend.db import Database
from backend.device_server.ports import Report
from backend.faults import ingest, repository, service
from backend.faults.episodes import FLAPPING_RAISES, FLAPPING_SPAN_MS
from backend.faults.shapes import FaultPublic, FaultQuery
from backend.lamps import service as lamps
from contract import faults as catalogue
from contract.senml import Record

NOW_MS = 1_795_334_400_000
CODE = catalogue.CYCLING.code
STEP_S = 600


@pytest.fixture
def lamp_id(database: Database) -> int:
    with database.session(writes=True) as session:
        place = {"latitude_e6": 0, "longitude_e6": 0, "time_zone": "UTC"}
        lamp = lamps.create(session, NOW_MS, {"endpoint": "urn:dev:mac:01", "name": "one", **place})
        assert lamp.id is not None
        return lamp.id


def pulse(lamp_id: int, number: int) -> list[Report]:
    start_s = NOW_MS // 1000 + number * STEP_S
    return [
        Report(lamp_id, at_s * 1000 + 500, [Record(catalogue.CYCLING.path, at_s, raised)])
        for at_s, raised in ((start_s, True), (start_s + 60, False))
    ]


def take(database: Database, *reports: Report) -> None:
    for report in reports:
        with database.writing() as connection:
            ingest.ingest(connection, [report])


def listed(database: Database, state: Any = "all") -> list[FaultPublic]:
    with database.session(writes=False) as session:
        return service.listed(session, FaultQuery(cursor=None, limit=100, state=state)).items


def test_too_many_become_one_that_is_open_until_it_is_calm(database: Database, lamp_id: int) -> None:
    for number in range(FLAPPING_RAISES):
        take(database, *pulse(lamp_id, number))
    faults = listed(database)
    assert [fault.flapping for fault in faults] == [False] * FLAPPING_RAISES
    with database.session(writes=True) as session:
        service.acknowledge(session, faults[-1].id, "seen", "an", NOW_MS)
        service.add_note(session, faults[0].id, "a loose contact?", "binh", NOW_MS)
    take(database, *pulse(lamp_id, FLAPPING_RAISES))
    (fault,) = listed(database, "open")
    assert (fault.id, fault.flapping, fault.times_raised) == (faults[-1].id, True, FLAPPING_RAISES + 1)
    assert fault.state == "open", "that it flaps is news to the person who has seen the first one"
    assert [note.text for note in fault.notes] == ["seen", "a loose contact?"]
    assert not fault.active
    with database.reading() as connection:
        assert repository.active_lamps(connection, CODE) == set()
    for late_ms, state in ((-1, "open"), (0, "cleared")):
        with database.writing() as connection:
            ingest.settle(connection, fault.changed_at + FLAPPING_SPAN_MS + late_ms)
        assert listed(database)[0].state == state
    assert listed(database)[0].cleared_at == fault.changed_at
    with database.session(writes=False) as session:
        state = lamps.get_row(session, lamp_id).state
        assert state is not None and state.fault_count == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_does_not_matter_to_flapping(database: Database, lamp_id: int, seed: int) -> None:
    far = FLAPPING_SPAN_MS // 1000 // STEP_S * 3
    reports = [report for number in (0, 1, 2, 3, 4, 40, far, far + 1) for report in pulse(lamp_id, number)]
    random.Random(seed).shuffle(reports)
    take(database, *reports)
    found = [(fault.times_raised, fault.flapping) for fault in reversed(listed(database))]
    assert found == [(6, True), (1, False), (1, False)]


def test_a_flapping_fault_is_closed_by_hand(database: Database, lamp_id: int) -> None:
    for number in range(6):
        take(database, *pulse(lamp_id, number))
    (fault,) = listed(database, "open")
    with database.session(writes=True) as session:
        closed = service.clear(session, fault.id, "tightened", "an", NOW_MS + 10 * STEP_S * 1000)
    assert (closed.state, closed.cleared_by, closed.flapping) == ("cleared", "an", True)
    take(database, *pulse(lamp_id, 12))
    assert [(one.state, one.times_raised) for one in listed(database)] == [("open", 7)]
