"""Overrides on their way to lamps that obey the rules: every row of the table in `overrides.models` is a test here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from backend.clock import Clock
from backend.db import Database
from backend.device_server.errors import LampRefused
from backend.device_server.ports import Report
from backend.lamps import service as lamps
from backend.overrides import ingest, service
from backend.overrides.delivery import CHANGED, COMMAND, END, FADE, RUNG, START, WORDS, Delivery
from backend.overrides.models import OutcomeQuery, OverrideCreate
from contract.senml import Record
from tests.backend.fake_gateway import FakeGateway, FakeLamp
from tests.backend.waiting import PATIENCE_S, until

NOW_MS = 1_795_334_400_123
MINUTE_MS = 60_000


class Bench:
    """One lamp, its deliveries, and a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now_ms = NOW_MS
        self.gateway = FakeGateway()
        self.lamp_id = self.add_lamp("urn:dev:mac:01")
        self.lamp = self.gateway.lamps[self.lamp_id]
        self.restart()

    def add_lamp(self, endpoint: str) -> int:
        with self.database.session(writes=True) as session:
            place = {"latitude_e6": 0, "longitude_e6": 0, "time_zone": "UTC"}
            lamp = lamps.create(session, NOW_MS, {"endpoint": endpoint, "name": endpoint, **place})
        assert lamp.id is not None
        self.gateway.lamps[lamp.id] = FakeLamp()
        return lamp.id

    def restart(self) -> None:
        clock = Clock(utc_ms=lambda: self.now_ms)
        self.delivery = Delivery(self.database, self.gateway, clock)  # type: ignore[arg-type]

    def ask(self, **fields: Any) -> int:
        body = {"lamp_id": self.lamp_id, "level": 40, "reason": "test", **fields}
        with self.database.session(writes=True) as session:
            override, _ = service.create(session, OverrideCreate.model_validate(body), "operator", self.now_ms)
        return override.id

    def cancel(self, override_id: int) -> None:
        with self.database.session(writes=True) as session:
            service.cancel(session, override_id, "operator", self.now_ms)

    def outcome(self, override_id: int) -> Any:
        with self.database.session(writes=False) as session:
            query = OutcomeQuery(cursor=None, limit=10)
            return service.outcomes(session, override_id, query).items[0]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The worker runs for the block."""
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.delivery.run())
            yield
            task.cancel()

    async def deliver(self) -> None:
        await self.delivery.deliver(self.lamp_id)


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


async def test_an_override_goes_out_in_one_message_and_is_received(bench: Bench) -> None:
    asked = bench.ask(fade_s=2.5)
    bench.now_ms += 5
    await bench.deliver()
    end_s = -(-(NOW_MS + 7200_000) // 1000)
    assert bench.lamp.received == [{COMMAND: 40, START: 0, END: end_s, FADE: 2.5}]
    outcome = bench.outcome(asked)
    assert outcome.state == "received"
    assert (outcome.accepted_at, outcome.sent_at, outcome.received_at) == (NOW_MS, NOW_MS + 5, NOW_MS + 5)


async def test_what_was_asked_for_at_once_is_sent_at_once_though_the_clock_was_put_back(bench: Bench) -> None:
    bench.ask(duration_s=60)
    bench.now_ms -= 7
    await bench.deliver()
    assert bench.lamp.received[0][START] == 0


async def test_what_starts_later_waits_for_its_full_second(bench: Bench) -> None:
    bench.ask(start="2026-11-23T12:00:00.001Z")
    await bench.deliver()
    assert bench.lamp.received[0][START] == 1_795_435_201


async def test_it_is_executed_when_the_lamp_says_that_its_light_follows(bench: Bench) -> None:
    asked = bench.ask()
    bench.lamp.values |= {RUNG: "override", CHANGED: NOW_MS + 77}
    await bench.deliver()
    assert (bench.outcome(asked).state, bench.outcome(asked).executed_at) == ("executed", NOW_MS + 77)


async def test_a_lamp_without_a_clock_executes_when_its_light_is_seen_to_follow(bench: Bench) -> None:
    asked = bench.ask()
    bench.lamp.values |= {RUNG: "override", CHANGED: 0}
    bench.now_ms += 5
    await bench.deliver()
    assert (bench.outcome(asked).state, bench.outcome(asked).executed_at) == ("executed", NOW_MS + 5)


async def test_a_report_later_tells_that_it_is_executed(bench: Bench) -> None:
    asked = bench.ask()
    await bench.deliver()
    records = [Record(RUNG, NOW_MS // 1000, "override"), Record(CHANGED, NOW_MS // 1000, NOW_MS + 9)]
    with bench.database.writing() as connection:
        ingest.ingest(connection, [Report(bench.lamp_id, NOW_MS, records)])
    assert (bench.outcome(asked).state, bench.outcome(asked).executed_at) == ("executed", NOW_MS + 9)


HELD = "manual command 0 %, held at the safety floor of 30 % until sunrise [3416/0/1]"


async def test_a_lamp_that_is_held_at_its_safety_floor_says_so_in_the_outcome(bench: Bench) -> None:
    asked = bench.ask(level=0)
    bench.lamp.values |= {RUNG: "override", CHANGED: NOW_MS + 77, WORDS: HELD}
    await bench.deliver()
    assert (bench.outcome(asked).state, bench.outcome(asked).detail) == ("executed", HELD)


async def test_a_report_at_dusk_tells_that_the_floor_holds_and_one_at_dawn_that_it_does_not(bench: Bench) -> None:
    asked = bench.ask(level=0)
    await bench.deliver()
    details = []
    for words in ("manual command [3416/0/1]", HELD, 7, "manual command [3416/0/1]"):
        records = [Record(RUNG, NOW_MS // 1000, "override"), Record(WORDS, NOW_MS // 1000, words)]
        with bench.database.writing() as connection:
            ingest.ingest(connection, [Report(bench.lamp_id, NOW_MS, records)])
        details.append(bench.outcome(asked).detail)
    assert details == ["", HELD, HELD, ""]


async def test_a_report_from_before_its_start_does_not_count(bench: Bench) -> None:
    asked = bench.ask(start="2026-11-23T12:00:00Z")
    await bench.deliver()
    with bench.database.writing() as connection:
        ingest.ingest(connection, [Report(bench.lamp_id, NOW_MS, [Record(RUNG, NOW_MS // 1000, "override")])])
    assert bench.outcome(asked).state == "received"


@pytest.mark.parametrize("trouble", ["away", "silent"])
async def test_an_absent_lamp_gets_it_at_its_next_check_in(bench: Bench, trouble: str) -> None:
    asked = bench.ask()
    setattr(bench.lamp, trouble, True)
    await bench.deliver()
    assert bench.outcome(asked).state == "accepted"
    setattr(bench.lamp, trouble, False)
    await bench.deliver()
    assert bench.outcome(asked).state == "received"


async def test_what_a_lamp_misses_until_the_end_expires_and_is_never_sent(bench: Bench) -> None:
    asked = bench.ask(duration_s=60)
    bench.lamp.away = True
    await bench.deliver()
    bench.lamp.away = False
    bench.now_ms += 61_000
    await bench.deliver()
    assert bench.outcome(asked).state == "expired"
    assert bench.lamp.received == []


async def test_a_lamp_that_cannot_do_it_now_gets_it_again(bench: Bench) -> None:
    asked = bench.ask()
    bench.lamp.refusal = LampRefused("5.03", "the flash is busy")
    await bench.deliver()
    assert bench.outcome(asked).state == "accepted"
    bench.lamp.refusal = None
    await bench.deliver()
    assert bench.outcome(asked).state == "received"


async def test_what_a_lamp_never_will_do_is_refused_for_good(bench: Bench) -> None:
    asked = bench.ask()
    bench.lamp.refusal = LampRefused("5.01", "")
    await bench.deliver()
    assert bench.outcome(asked).state == "refused"


async def test_a_refusal_is_kept_with_the_lamps_words_and_the_next_one_still_goes_out(bench: Bench) -> None:
    refused = bench.ask()
    bench.lamp.refusal = LampRefused("4.00", "minimum level is 10")
    await bench.deliver()
    assert bench.outcome(refused).state == "refused"
    assert "minimum level is 10" in bench.outcome(refused).detail
    bench.lamp.refusal = None
    asked = bench.ask(level=50)
    await bench.deliver()
    assert bench.outcome(asked).state == "received"


async def test_a_newer_override_takes_the_place_of_the_older(bench: Bench) -> None:
    sent, waiting = bench.ask(level=10), None
    await bench.deliver()
    waiting = bench.ask(level=20)
    newest = bench.ask(level=30)
    await bench.deliver()
    assert [bench.outcome(which).state for which in (sent, waiting, newest)] == ["superseded", "superseded", "received"]
    assert [message[COMMAND] for message in bench.lamp.received] == [10, 30]


async def test_one_that_begins_after_the_one_in_force_waits_until_that_has_ended(bench: Bench) -> None:
    first = bench.ask(duration_s=600)
    await bench.deliver()
    later = bench.ask(level=70, start="2026-11-22T17:00:00Z")
    assert NOW_MS + 600_000 <= 1_795_366_800_000
    await bench.deliver()
    assert [bench.outcome(which).state for which in (first, later)] == ["received", "accepted"]
    bench.now_ms += 601_000
    await bench.deliver()
    assert bench.outcome(later).state == "received"
    assert bench.lamp.received[-1][START] > 0


async def test_cancelling_before_it_was_sent_sends_nothing(bench: Bench) -> None:
    asked = bench.ask()
    bench.cancel(asked)
    await bench.deliver()
    assert bench.outcome(asked).state == "cancelled"
    assert bench.lamp.received == []


async def test_cancelling_what_the_lamp_holds_clears_it_there(bench: Bench) -> None:
    asked = bench.ask()
    await bench.deliver()
    bench.cancel(asked)
    assert bench.outcome(asked).state == "cancelling"
    await bench.deliver()
    assert bench.outcome(asked).state == "cancelled"
    assert bench.lamp.received[-1] == {END: 0}


async def test_cancelling_waits_for_an_absent_lamp_and_ends_with_the_override(bench: Bench) -> None:
    asked = bench.ask(duration_s=60)
    await bench.deliver()
    bench.cancel(asked)
    bench.lamp.silent = True
    await bench.deliver()
    assert bench.outcome(asked).state == "cancelling"
    bench.now_ms += 61_000
    await bench.deliver()
    assert bench.outcome(asked).state == "cancelled"
    assert len(bench.lamp.received) == 1


async def test_what_was_sent_when_the_backend_died_is_sent_again(bench: Bench) -> None:
    asked = bench.ask()
    with bench.database.session(writes=True) as session:
        assert service.next_step(session, bench.lamp_id, bench.now_ms) is not None
    assert bench.outcome(asked).state == "sent"
    await bench.deliver()
    assert bench.outcome(asked).state == "received"
    assert len(bench.lamp.received) == 1


async def test_cancelling_reaches_a_lamp_that_held_an_override_before_which_has_ended(bench: Bench) -> None:
    bench.ask(duration_s=60)
    await bench.deliver()
    bench.now_ms += 61_000
    asked = bench.ask(level=50)
    await bench.deliver()
    bench.cancel(asked)
    await bench.deliver()
    assert bench.outcome(asked).state == "cancelled"
    assert bench.lamp.received[-1] == {END: 0}


async def test_what_ends_while_its_lamp_rests_expires_at_the_next_sweep(bench: Bench) -> None:
    missed = bench.ask(duration_s=60)
    bench.lamp.away = True
    await bench.deliver()
    bench.now_ms += 61_000
    async with bench.running():
        await until(lambda: bench.outcome(missed).state == "expired")
    assert bench.outcome(missed).ended_at == bench.now_ms
    assert bench.lamp.received == []


async def test_a_look_that_was_given_up_for_nothing_is_taken_again(bench: Bench) -> None:
    looks: asyncio.Queue[None] = asyncio.Queue()
    look = bench.gateway.read_composite

    async def swallowed_once(lamp_id: int, wanted: Any) -> Any:
        looks.put_nowait(None)
        if not looked:
            await asyncio.Event().wait()
        return await look(lamp_id, wanted)

    looked = False
    bench.gateway.read_composite = swallowed_once  # type: ignore[method-assign]
    bench.lamp.values |= {RUNG: "override", CHANGED: NOW_MS + 77}
    asked = bench.ask()
    async with bench.running():
        await looks.get()
        looked = True
        bench.delivery.wake([bench.lamp_id])
        await until(lambda: bench.outcome(asked).state == "executed")
    assert len(bench.lamp.received) == 1, "the command itself is not sent again"


async def test_the_next_command_does_not_wait_for_a_look_that_the_network_swallowed(bench: Bench) -> None:
    looked = asyncio.Event()

    async def swallowed(lamp_id: int, wanted: Any) -> Any:
        looked.set()
        await asyncio.Event().wait()

    bench.gateway.read_composite = swallowed  # type: ignore[method-assign]
    first = bench.ask(level=40)
    async with bench.running():
        await looked.wait()
        looked.clear()
        second = bench.ask(level=50)
        bench.delivery.wake([bench.lamp_id])
        await looked.wait()
    assert [values[COMMAND] for values in bench.lamp.received] == [40, 50]
    assert (bench.outcome(first).state, bench.outcome(second).state) == ("superseded", "received")


async def test_lamps_that_are_dark_and_not_missed_yet_hold_up_nobody(bench: Bench) -> None:
    write = bench.gateway.write_composite
    dark = [bench.add_lamp(f"dark-{number}") for number in range(100)]

    async def unanswered(lamp_id: int, values: Any) -> None:
        if lamp_id in dark:
            await asyncio.Event().wait()
        await write(lamp_id, values)

    bench.gateway.write_composite = unanswered  # type: ignore[method-assign]
    for lamp_id in dark:
        bench.ask(lamp_id=lamp_id)
    asked = bench.ask()
    async with bench.running():
        bench.delivery.wake([*dark, bench.lamp_id])
        await until(lambda: bench.outcome(asked).state == "received")


async def test_what_was_on_its_way_when_the_server_stopped_is_on_no_way(bench: Bench) -> None:
    cut = asyncio.Event()

    async def unanswered(lamp_id: int, values: Any) -> None:
        cut.set()
        await asyncio.Event().wait()

    bench.gateway.write_composite, write = unanswered, bench.gateway.write_composite  # type: ignore[method-assign]
    asked = bench.ask(duration_s=60)
    async with bench.running():
        await cut.wait()
    assert bench.outcome(asked).state == "sent"
    bench.gateway.write_composite = write  # type: ignore[method-assign]
    bench.lamp.away = True
    bench.now_ms += 61_000
    bench.restart()
    async with bench.running():
        await until(lambda: bench.outcome(asked).state == "expired")


async def test_what_the_controller_before_held_is_sent_to_the_one_that_took_its_place(bench: Bench) -> None:
    over, lasting = bench.ask(duration_s=60), None
    await bench.deliver()
    bench.now_ms += 2 * MINUTE_MS
    lasting = bench.ask(duration_s=3600)
    await bench.deliver()
    before = bench.outcome(lasting).state
    with bench.database.session(writes=True) as session:
        service.follow_swaps(session, [bench.lamp_id], bench.now_ms)
    swapped = bench.outcome(lasting)
    assert (swapped.state, swapped.sent_at, swapped.executed_at) == ("accepted", None, None)
    assert bench.outcome(over).state != "accepted", "it ended with the controller before"
    await bench.deliver()
    assert bench.outcome(lasting).state == before
