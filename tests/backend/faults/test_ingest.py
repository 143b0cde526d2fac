"""Transitions to faults: any order, any repetition, the same result."""

import itertools
from typing import Any

import pytest

from backend.db import Database
from backend.device_server.ports import Report
from backend.faults import ingest, repository, service
from backend.faults.shapes import FaultQuery
from backend.lamps import service as lamps
from contract import faults as catalogue
from contract.paths import path
from contract.senml import Record

NOW_MS = 1_795_334_400_000
NOW_S = NOW_MS // 1000
LAMP_FAILURE = catalogue.LAMP_FAILURE


@pytest.fixture
def lamp_id(database: Database) -> int:
    with database.session(writes=True) as session:
        place = {"latitude_e6": 0, "longitude_e6": 0, "time_zone": "UTC"}
        lamp = lamps.create(session, NOW_MS, {"endpoint": "urn:dev:mac:01", "name": "one", **place})
        assert lamp.id is not None
        return lamp.id


def transition(lamp_id: int, at_s: int, raised: object, where: Any = LAMP_FAILURE.path) -> Report:
    return Report(lamp_id, NOW_MS + 5000, [Record(where, at_s, raised)])


def take(database: Database, *reports: Report) -> None:
    with database.writing() as connection:
        ingest.ingest(connection, reports)


def episodes(database: Database) -> list[tuple[int, int | None]]:
    with database.session(writes=False) as session:
        items = service.listed(session, FaultQuery(cursor=None, limit=100, state="all")).items
    return sorted(
        (item.raised_at // 1000 - NOW_S, None if item.cleared_at is None else item.cleared_at // 1000 - NOW_S)
        for item in items
    )


HISTORY = ((0, True), (10, False), (20, True), (30, False))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_of_arrival_does_not_matter(database: Database, lamp_id: int, order: tuple[int, ...]) -> None:
    for index in order:
        at_s, raised = HISTORY[index]
        take(database, transition(lamp_id, NOW_S + at_s, raised))
    assert episodes(database) == [(0, 10), (20, 30)]


@pytest.mark.parametrize("late", [False, True])
def test_a_lamp_that_has_no_fault_has_forgotten_the_one_that_it_told(
    database: Database, lamp_id: int, late: bool
) -> None:
    introduction = transition(lamp_id, NOW_S + 60, 0, ingest.ACTIVE)
    reports = [transition(lamp_id, NOW_S, True), introduction]
    if late:
        reports.append(transition(lamp_id, NOW_S + 90, True))
    for report in reports:
        take(database, report)
    assert episodes(database) == [(0, 60), (90, None)][: 2 if late else 1]
    take(database, introduction)
    assert episodes(database) == [(0, 60), (90, None)][: 2 if late else 1]


@pytest.mark.parametrize("value", [1, False, "0"])
def test_a_lamp_that_has_some_fault_or_says_nonsense_clears_none(
    database: Database, lamp_id: int, value: object
) -> None:
    take(database, transition(lamp_id, NOW_S, True), transition(lamp_id, NOW_S + 60, value, ingest.ACTIVE))
    assert episodes(database) == [(0, None)]


def test_a_lamp_that_is_silent_is_not_heard_by_an_old_word_of_it(database: Database, lamp_id: int) -> None:
    with database.writing() as connection:
        ingest.apply(connection, lamp_id, catalogue.COMMUNICATION_LOST.code, NOW_MS, True, NOW_MS)
    take(database, transition(lamp_id, NOW_S + 60, 0, ingest.ACTIVE))
    assert episodes(database) == [(0, None)]


def test_a_report_that_comes_twice_counts_once(database: Database, lamp_id: int) -> None:
    raised = transition(lamp_id, NOW_S, True)
    take(database, raised, raised)
    take(database, raised)
    assert episodes(database) == [(0, None)]


def test_a_lamp_that_raises_again_after_a_restart_has_one_fault(database: Database, lamp_id: int) -> None:
    take(database, transition(lamp_id, NOW_S, True))
    take(database, transition(lamp_id, NOW_S + 60, True))
    take(database, transition(lamp_id, NOW_S + 90, False))
    assert episodes(database) == [(0, 90)]


def test_a_clear_without_a_fault_is_no_fault(database: Database, lamp_id: int) -> None:
    take(database, transition(lamp_id, NOW_S, False))
    assert episodes(database) == []


def test_a_fault_without_a_standard_resource_comes_as_an_instance_of_our_own(database: Database, lamp_id: int) -> None:
    code = catalogue.STORAGE_ERROR.code
    take(database, transition(lamp_id, NOW_S, True, path(42769, 0, 12, code)))
    with database.session(writes=False) as session:
        names = [item.name for item in service.listed(session, FaultQuery(cursor=None, limit=10)).items]
    assert names == ["storage_error"]


def test_values_and_resources_that_are_no_transitions_are_passed_over(database: Database, lamp_id: int) -> None:
    take(
        database,
        transition(lamp_id, NOW_S, 1),
        transition(lamp_id, NOW_S, "true"),
        transition(lamp_id, NOW_S, True, path(3416, 0, 54)),
        transition(lamp_id, NOW_S, True, path(42769, 0, 12, 999)),
    )
    assert episodes(database) == []


def test_the_lamps_state_counts_open_faults(database: Database, lamp_id: int) -> None:
    take(database, transition(lamp_id, NOW_S, True), transition(lamp_id, NOW_S, True, catalogue.LOW_VOLTAGE.path))
    with database.reading() as connection:
        assert repository.count_open(connection, [lamp_id, 999]) == {lamp_id: 2, 999: 0}
    with database.session(writes=False) as session:
        row = lamps.get_row(session, lamp_id)
        assert row.state is not None
        assert row.state.fault_count == 2
