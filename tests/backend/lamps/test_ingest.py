"""Reports become the state of a lamp: the newest value of each column, whatever comes, in whatever order."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from backend.db import Database
from backend.device_server.ports import Report
from backend.lamps import service
from backend.lamps.ingest import REPORTED, ingest, set_fault_counts
from backend.lamps.models import LampState
from contract.objects import electrical_monitor as em
from contract.objects import lamp_status as ls
from contract.objects import outdoor_lamp_controller as olc
from contract.paths import path
from contract.senml import ObjectLink, Record

NOW_S = 1_763_800_000
NOW_MS = NOW_S * 1000


def add_lamp(session: Session, endpoint: str) -> int:
    values = {"endpoint": endpoint, "name": endpoint, "latitude_e6": 0, "longitude_e6": 0, "time_zone": "UTC"}
    lamp = service.create(session, NOW_MS, values)
    assert lamp.id is not None
    return lamp.id


@pytest.fixture
def lamp_ids(database: Database) -> list[int]:
    with database.session(writes=True) as session:
        return [add_lamp(session, f"urn:lamp:{number}") for number in range(3)]


def record(resource: Any, value: object, time_s: int | None = NOW_S, instance: int = 0) -> Record:
    return Record(path(resource.object, instance, resource.id), time_s, value)


def take(database: Database, *reports: Report) -> None:
    with database.writing() as connection:
        ingest(connection, reports)


def state(database: Database, lamp_id: int) -> LampState | None:
    with database.session(writes=False) as session:
        return session.exec(select(LampState).where(LampState.lamp_id == lamp_id)).first()


def test_every_column_is_filled_by_its_resource(database: Database, lamp_ids: list[int]) -> None:
    sent: dict[Any, Any] = {
        olc.DIMMING_LEVEL: 40,
        olc.COMMAND: 50,
        olc.COMMAND_IN_ACTION: 40,
        olc.MANUAL_OVERRIDE_ACTIVE: True,
        olc.LAMP_SWITCH_COUNTER: 12,
        ls.RUNG: "schedule",
        ls.EXPLANATION: "Weekdays: 40 since 21:30",
        ls.UNTIL: NOW_S + 60,
        ls.SCHEDULE_DIGEST: "0123456789abcdef",
        ls.BOOT_COUNTER: 3,
        ls.RESET_CAUSE: "power",
        ls.CLOCK_ERROR_BOUND: 20,
        em.SUPPLY_VOLTAGE: 229.5,
        em.ACTIVE_POWER: 41,
    }
    take(database, Report(lamp_ids[0], NOW_MS, [record(resource, value) for resource, value in sent.items()]))
    found = state(database, lamp_ids[0])
    assert found is not None
    for resource, value in sent.items():
        column, _ = REPORTED[(resource.object, resource.id)]
        assert getattr(found, column) == (value * 1000 if resource is ls.UNTIL else value), column
    assert found.reported_at_ms == NOW_MS
    assert found.fault_count == 0
    assert state(database, lamp_ids[1]) is None


def test_an_old_report_that_waited_in_the_queue_overwrites_nothing_newer(
    database: Database, lamp_ids: list[int]
) -> None:
    take(database, Report(lamp_ids[0], NOW_MS, [record(olc.DIMMING_LEVEL, 80)]))
    old = [record(olc.DIMMING_LEVEL, 10, NOW_S - 900), record(em.ACTIVE_POWER, 7.0, NOW_S - 900)]
    take(database, Report(lamp_ids[0], NOW_MS + 1, old))
    found = state(database, lamp_ids[0])
    assert found is not None
    assert (found.level, found.power_w, found.reported_at_ms) == (80, 7.0, NOW_MS + 1)


def test_a_lamp_whose_clock_was_ahead_is_believed_again_at_once(database: Database, lamp_ids: list[int]) -> None:
    take(database, Report(lamp_ids[0], NOW_MS, [record(olc.DIMMING_LEVEL, 80, NOW_S + 86_400)]))
    take(database, Report(lamp_ids[0], NOW_MS + 1000, [record(olc.DIMMING_LEVEL, 10, NOW_S + 1)]))
    found = state(database, lamp_ids[0])
    assert found is not None and found.level == 10


def test_many_lamps_and_many_reports_of_one_share_a_group(database: Database, lamp_ids: list[int]) -> None:
    first, second, third = lamp_ids
    take(
        database,
        Report(first, NOW_MS, [record(olc.DIMMING_LEVEL, 1, NOW_S - 2)]),
        Report(second, NOW_MS, [record(olc.DIMMING_LEVEL, 2)]),
        Report(first, NOW_MS + 5, [record(olc.DIMMING_LEVEL, 3, NOW_S - 1)]),
        Report(999_999, NOW_MS, [record(olc.DIMMING_LEVEL, 4)]),
    )
    levels = [found and found.level for found in (state(database, lamp_id) for lamp_id in (first, second, third))]
    assert levels == [3, 2, None]


@pytest.mark.parametrize(
    "strange",
    [
        record(olc.DIMMING_LEVEL, 101),
        record(olc.DIMMING_LEVEL, -1),
        record(olc.DIMMING_LEVEL, "forty"),
        record(olc.DIMMING_LEVEL, True),
        record(olc.DIMMING_LEVEL, 50, instance=1),
        Record(path(3416, 0, 3, 0), NOW_S, 50),
        record(ls.BOOT_COUNTER, 2**70),
        record(em.ACTIVE_POWER, float("nan")),
        record(em.ACTIVE_POWER, float("inf")),
        record(em.ACTIVE_POWER, b"\x00"),
        record(olc.MANUAL_OVERRIDE_ACTIVE, 1),
        record(ls.UNTIL, 0),
        record(ls.UNTIL, 10**15),
        record(ls.EXPLANATION, ObjectLink(1, 2)),
        Record(path(3), None, None),
    ],
)
def test_a_strange_value_is_passed_over_and_the_rest_is_taken(
    database: Database, lamp_ids: list[int], strange: Record
) -> None:
    take(database, Report(lamp_ids[0], NOW_MS, [strange, record(em.SUPPLY_VOLTAGE, 230)]))
    found = state(database, lamp_ids[0])
    assert found is not None and found.voltage_v == 230
    values = found.model_dump(exclude={"lamp_id", "voltage_v", "reported_at_ms", "times", "fault_count"})
    assert set(values.values()) == {None}


def test_text_is_cut_to_its_column_and_loses_its_nuls(database: Database, lamp_ids: list[int]) -> None:
    take(database, Report(lamp_ids[0], NOW_MS, [record(ls.EXPLANATION, "a\0" * 500), record(ls.RUNG, "đ" * 99)]))
    found = state(database, lamp_ids[0])
    assert found is not None
    assert (found.explanation, found.rung) == ("a" * 255, "đ" * 32)


def test_a_state_without_an_end_forgets_the_end_before(database: Database, lamp_ids: list[int]) -> None:
    take(database, Report(lamp_ids[0], NOW_MS, [record(ls.UNTIL, NOW_S + 60)]))
    take(database, Report(lamp_ids[0], NOW_MS, [record(ls.UNTIL, 0, NOW_S + 1)]))
    found = state(database, lamp_ids[0])
    assert found is not None and found.until_ms is None


def test_fault_counts_and_reports_do_not_overwrite_each_other(database: Database, lamp_ids: list[int]) -> None:
    with database.writing() as connection:
        set_fault_counts(connection, {lamp_ids[0]: 2})
    take(database, Report(lamp_ids[0], NOW_MS, [record(olc.DIMMING_LEVEL, 40)]))
    with database.writing() as connection:
        set_fault_counts(connection, {lamp_ids[0]: 1})
    found = state(database, lamp_ids[0])
    assert found is not None
    assert (found.fault_count, found.level) == (1, 40)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300) | st.binary(max_size=9)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(sorted(REPORTED)), VALUES, st.none() | st.integers(-(2**40), 2**40)), max_size=8)
)
def test_no_report_can_fail_a_group(
    database: Database, lamp_ids: list[int], records: list[tuple[tuple[int, int], object, int | None]]
) -> None:
    sent = [Record(path(o, 0, r), time_s, value) for (o, r), value, time_s in records]
    take(database, Report(lamp_ids[0], NOW_MS, sent))
