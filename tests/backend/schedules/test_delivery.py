"""Schedules on their way: written, read back, repaired, refused, waiting; with lamps that obey the rules."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from backend.clock import Clock
from backend.db import Database
from backend.device_server.errors import LampRefused
from backend.device_server.ports import Report
from backend.lamps import ingest as lamps_ingest
from backend.lamps import service as lamps
from backend.schedules import ingest, service
from backend.schedules.delivery import Delivery
from backend.schedules.models import Status
from backend.schedules.shapes import AssignmentInput, ScheduleInput
from contract.objects import lamp_status
from contract.senml import Record
from tests.backend.fake_gateway import FakeGateway, StrangeLamp, own
from tests.backend.schedules.content import content

NOW_MS = 1_795_334_400_000
PLACE = {"latitude_e6": 52_520_000, "longitude_e6": 13_405_000, "time_zone": "Europe/Berlin"}


def clock() -> Clock:
    return Clock(utc_ms=lambda: NOW_MS)


@pytest.fixture
def lamp_id(database: Database) -> int:
    """A lamp with a schedule."""
    with database.session(writes=True) as session:
        lamp = lamps.create(session, NOW_MS, {"endpoint": "urn:dev:mac:01", "name": "one", **PLACE})
        schedule = service.create(session, ScheduleInput.model_validate(content()), NOW_MS)
        assert lamp.id is not None
        service.assign(session, schedule.id, AssignmentInput(lamp_ids=[lamp.id]), NOW_MS)
        return lamp.id


def state(database: Database, lamp_id: int) -> Any:
    with database.session(writes=False) as session:
        return service.of_lamp(session, lamp_id)


async def test_a_schedule_is_verified_by_the_digest_that_the_lamp_reads_back(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    with database.writing() as connection:
        lamps_ingest.ingest(connection, [reported(lamp_id, "0" * 16)])
    assert (state(database, lamp_id).status, state(database, lamp_id).digest_reported) == (Status.PENDING, "0" * 16)
    await Delivery(database, gateway, clock()).deliver(lamp_id)  # type: ignore[arg-type]
    seen = state(database, lamp_id)
    assert (seen.status, seen.verified_at) == (Status.VERIFIED, NOW_MS)
    assert gateway.lamps[lamp_id].digest() == seen.digest_desired == seen.digest_reported
    assert len(gateway.lamps[lamp_id].received) == 1, "all of it in one message"


async def test_a_lamp_that_holds_it_already_is_sent_nothing(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    delivery = Delivery(database, gateway, clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)
    await delivery.deliver(lamp_id)
    assert len(gateway.lamps[lamp_id].received) == 1


async def test_what_the_lamp_held_before_is_gone(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    delivery = Delivery(database, gateway, clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)
    with database.session(writes=True) as session:
        smaller = content(calendar=[{"program": "Week"}])
        held = service.of_lamp(session, lamp_id)
        assert held.schedule_id is not None
        service.replace(session, held.schedule_id, ScheduleInput.model_validate(smaller), NOW_MS)
    await delivery.deliver(lamp_id)
    assert state(database, lamp_id).status is Status.VERIFIED
    schedulers = [key for key in gateway.lamps[lamp_id].instances() if key[0] == 3452]
    assert schedulers == [(3452, 0)]


async def test_an_absent_lamp_keeps_its_schedule_waiting(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    gateway.lamps[lamp_id].away = True
    delivery = Delivery(database, gateway, clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)
    assert state(database, lamp_id).status is Status.PENDING
    gateway.lamps[lamp_id].away = False
    await delivery.deliver(lamp_id)
    assert state(database, lamp_id).status is Status.VERIFIED


async def test_a_refusal_is_kept_with_the_lamps_own_words(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    gateway.lamps[lamp_id].refusal = LampRefused("4.00", "/3454/0/4: no room")
    await Delivery(database, gateway, clock()).deliver(lamp_id)  # type: ignore[arg-type]
    seen = state(database, lamp_id)
    assert seen.status is Status.REFUSED
    assert "/3454/0/4: no room" in seen.detail


async def test_a_lamp_that_cannot_take_it_now_is_asked_again(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    gateway.lamps[lamp_id].refusal = LampRefused("5.00", "the lamp failed to carry this out")
    delivery = Delivery(database, gateway, clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)
    seen = state(database, lamp_id)
    assert seen.status is Status.PENDING
    assert "failed to carry this out" in seen.detail
    gateway.lamps[lamp_id].refusal = None
    await delivery.deliver(lamp_id)
    assert state(database, lamp_id).status is Status.VERIFIED


async def test_a_lamp_that_takes_it_and_holds_something_else_is_not_verified(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    lamp = gateway.lamps[lamp_id]
    lamp.write = lambda values: None  # type: ignore[method-assign]
    await Delivery(database, gateway, clock()).deliver(lamp_id)  # type: ignore[arg-type]
    seen = state(database, lamp_id)
    assert seen.status is Status.REFUSED
    assert lamp.digest() in seen.detail


def reported(lamp_id: int, digest: str, ago_s: int = 0) -> Report:
    return Report(lamp_id, NOW_MS, [Record(own(lamp_status.SCHEDULE_DIGEST), NOW_MS // 1000 - ago_s, digest)])


async def test_a_report_with_another_digest_makes_a_verified_lamp_pending(database: Database, lamp_id: int) -> None:
    delivery = Delivery(database, FakeGateway(lamp_id), clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)
    digest = state(database, lamp_id).digest_desired
    steps: list[tuple[str, Status]] = [(digest, Status.VERIFIED), ("0" * 16, Status.PENDING), (digest, Status.VERIFIED)]
    for held, status in steps:
        with database.writing() as connection:
            ingest.ingest(connection, [reported(lamp_id, held)])
        assert state(database, lamp_id).status is status


async def test_a_report_that_is_older_than_the_verification_changes_nothing(database: Database, lamp_id: int) -> None:
    delivery = Delivery(database, FakeGateway(lamp_id), clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)
    with database.writing() as connection:
        ingest.ingest(connection, [reported(lamp_id, "0" * 16, ago_s=2)])
    assert state(database, lamp_id).status == Status.VERIFIED


async def test_a_lamp_that_loses_its_schedule_is_emptied(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    delivery = Delivery(database, gateway, clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)

    def remove(session: Session) -> None:
        held = service.of_lamp(session, lamp_id)
        assert held.schedule_id is not None
        service.delete(session, held.schedule_id, NOW_MS)

    await database.write(remove)
    await delivery.deliver(lamp_id)
    assert state(database, lamp_id).status is Status.VERIFIED
    assert gateway.lamps[lamp_id].instances() == {}


async def test_a_third_partys_lamp_gets_it_step_by_step_and_is_enabled_last(database: Database, lamp_id: int) -> None:
    lamp = StrangeLamp()
    await Delivery(database, lamp, clock()).deliver(lamp_id)  # type: ignore[arg-type]
    assert state(database, lamp_id).status is Status.VERIFIED
    assert lamp.states == [False, False], "no program runs before all of them are there"
    assert all(held[1] for key, held in lamp.held.items() if key[0] == 3452)


async def test_a_wake_up_during_the_work_is_not_lost(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    written: Callable[[dict[Any, Any]], None] = gateway.lamps[lamp_id].write
    delivery = Delivery(database, gateway, clock())  # type: ignore[arg-type]

    def write_and_change(values: dict[Any, Any]) -> None:
        written(values)
        gateway.lamps[lamp_id].write = written  # type: ignore[method-assign]
        with database.session(writes=True) as session:
            held = service.of_lamp(session, lamp_id)
            assert held.schedule_id is not None
            other = ScheduleInput.model_validate(content(calendar=[{"program": "Feast"}]))
            service.replace(session, held.schedule_id, other, NOW_MS)

    gateway.lamps[lamp_id].write = write_and_change  # type: ignore[method-assign]
    await delivery.deliver(lamp_id)
    assert state(database, lamp_id).status is Status.PENDING, "it was verified for a schedule that is no longer wanted"
    await delivery.deliver(lamp_id)
    assert state(database, lamp_id).status is Status.VERIFIED


def registers(delivery: Delivery, lamp_id: int, monkeypatch: pytest.MonkeyPatch, introduction_s: float) -> None:
    monkeypatch.setattr("backend.schedules.delivery.INTRODUCTION_S", introduction_s)
    delivery.check_in(lamp_id, "register")


async def test_a_lamp_that_registers_may_introduce_itself_before_it_is_asked(
    database: Database, lamp_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = Delivery(database, FakeGateway(lamp_id), clock())  # type: ignore[arg-type]
    registers(delivery, lamp_id, monkeypatch, 3600)
    delivery.check_in(lamp_id, "report")
    assert delivery._work.is_resting(lamp_id) and delivery._work._work.depth == 0
    with database.writing() as connection:
        ingest.ingest(connection, [reported(lamp_id, state(database, lamp_id).digest_desired)])
    assert await delivery._left() == [], "its own word is enough"


async def test_a_lamp_that_does_not_introduce_itself_is_asked(
    database: Database, lamp_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FakeGateway(lamp_id)
    delivery = Delivery(database, gateway, clock())  # type: ignore[arg-type]
    assert await delivery._left() == [lamp_id], "pending"
    await delivery.deliver(lamp_id)
    assert await delivery._left() == []
    registers(delivery, lamp_id, monkeypatch, 0)
    assert await delivery._left() == [lamp_id], "verified once, but nobody knows what it holds now"
    assert await delivery._left() == [], "asked once a registration"


async def test_a_lamp_that_reports_its_digest_is_never_asked_for_it_again(
    database: Database, lamp_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = Delivery(database, FakeGateway(lamp_id), clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)
    with database.writing() as connection:
        lamps_ingest.ingest(connection, [reported(lamp_id, state(database, lamp_id).digest_desired)])
    registers(delivery, lamp_id, monkeypatch, 0)
    assert await delivery._left() == []


async def test_a_lamp_that_refused_is_asked_again_when_it_registers(
    database: Database, lamp_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FakeGateway(lamp_id)
    gateway.lamps[lamp_id].refusal = LampRefused("4.00", "no room")
    delivery = Delivery(database, gateway, clock())  # type: ignore[arg-type]
    await delivery.deliver(lamp_id)
    assert await delivery._left() == []
    registers(delivery, lamp_id, monkeypatch, 0)
    assert await delivery._left() == [lamp_id]


async def test_a_lamp_that_is_silent_is_not_asked(database: Database, lamp_id: int) -> None:
    gateway = FakeGateway(lamp_id)
    gateway.lamps[lamp_id].away = True
    assert await Delivery(database, gateway, clock())._left() == []  # type: ignore[arg-type]
