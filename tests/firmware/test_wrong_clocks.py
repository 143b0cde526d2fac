"""A server whose clock is wrong, for the composed lamp: light, override, reports, summaries, fault times and hours."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract import faults, paths
from contract.localtime import TimeZone
from contract.paths import parse
from firmware.clock import EARLIEST_MS, LATEST_MS
from firmware.coap import message as coap
from firmware.codec import cbor
from firmware.dawn import next_dawn_ms
from firmware.program import Program
from tests.firmware.fakes.board import Reading
from tests.firmware.nights import changes
from tests.firmware.test_app import IDENTITY, UTC_MS, World

HOUR = 3_600_000
YEAR = 365 * 24 * HOUR
# Where the sun rises at about 15:20 UTC, an hour and twenty minutes after the start.
PLACE = {**IDENTITY["settings"], "longitude_e6": -143_000_000, "default_fade_ms": 0}
ENERGY, LEVEL = "/3416/0/18", "/3416/0/2"


class Town(World):
    """A lamp and a server whose clock can be set."""

    async def set(self, wrong_ms: int) -> None:
        """The server's clock is wrong by so much from now on, and the lamp asks for the time."""
        self.server.wrong_ms = wrong_ms
        self.app.client._time.soon()
        await self.clock.advance(5_000)

    def off_ms(self) -> int:
        """By how much the lamp's clock is beside the truth."""
        off: int = self.app.parts.clock.now_ms(self.board.rtc_ms()) - UTC_MS - self.clock.now_ms
        return off

    def times_of(self, path: str) -> list[int]:
        return [record.time_s for report in self.server.reports for record in report if record.path == parse(path)]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    made = Town(tmp_path)
    made.power(settings=PLACE)
    yield made
    await made.end()


async def known(town: Town) -> Town:
    await town.start()
    await town.until(lambda: town.server.reported("/42769/0/4"))
    return town


@pytest.mark.parametrize("says_ms", [0, 1, EARLIEST_MS - 600_000, LATEST_MS + 1000, LATEST_MS + 50 * YEAR])
async def test_a_server_in_1970_or_beyond_2106_is_not_believed_and_the_lamp_is_lit(town: Town, says_ms: int) -> None:
    town.app.parts.settings.set({"default_level": 20})
    town.server.wrong_ms = max(says_ms, 60_000) - UTC_MS
    await town.start()
    await town.clock.advance(60_000)
    assert town.board.driven[-1][1] == 1000
    assert town.app.parts.lamp.decision.rung == "failsafe"
    assert town.app.parts.clock.rejected
    await town.set(0)
    assert abs(town.off_ms()) <= 10
    assert town.board.driven[-1][1] == 200


async def test_a_server_that_is_five_years_wrong_leaves_a_lit_night_and_one_summary(town: Town) -> None:
    await known(town)
    for wrong_ms in (5 * YEAR, 0, -YEAR, 0, 5 * YEAR + 3 * HOUR, 0):
        await town.set(wrong_ms)
        assert abs(town.off_ms() - wrong_ms) <= 10
        assert town.board.driven[-1][1] == 1000
    before = len(town.server.reported(ENERGY))
    await town.clock.advance(3 * HOUR // 2)
    assert len(town.server.reported(ENERGY)) - before == 1, "the dawn of this day, once"


async def test_clocks_that_jump_over_dawn_and_back_sum_the_night_up_once(town: Town) -> None:
    await known(town)
    for _ in range(3):
        await town.set(2 * HOUR)
        await town.set(0)
    assert len(town.server.reported(ENERGY)) == 1
    await town.clock.advance(3 * HOUR // 2)
    assert len(town.server.reported(ENERGY)) == 1


async def test_an_override_ends_when_the_clock_jumps_ahead_and_goes_on_when_it_is_put_right(town: Town) -> None:
    await known(town)
    body = cbor.encode([{-2: "/3416/0/", 0: "1", 2: 30}, {0: "51", 2: UTC_MS // 1000 + 7200}, {0: "52", 2: 0}])
    await town.clock.run(town.server.ask(coap.IPATCH, "", body))
    lit = []
    for wrong_ms in (0, 5 * YEAR, 0, 3 * HOUR, -HOUR, -2 * YEAR, 0):
        await town.set(wrong_ms)
        lit.append(town.board.driven[-1][1])
    assert lit == [300, 1000, 300, 1000, 300, 1000, 300]
    body = cbor.encode([{-2: "/3416/0/", 0: "51", 2: UTC_MS // 1000 + 600}])
    await town.clock.run(town.server.ask(coap.IPATCH, "", body))
    await town.clock.advance(HOUR // 6)
    assert town.board.driven[-1][1] == 1000


async def test_reports_never_share_a_second_while_the_clock_is_put_right(town: Town) -> None:
    town.app.parts.settings.set({"report_interval_s": 10})
    await known(town)
    for wrong_ms in (3_000, -2_000, 20_000, 0, 45_000, 0):
        await town.set(wrong_ms)
        for level in (10, 90):
            body = cbor.encode([{-2: "/3416/0/", 0: "1", 2: level}, {0: "51", 2: UTC_MS // 1000 + 7200}])
            await town.clock.run(town.server.ask(coap.IPATCH, "", body))
            await town.clock.advance(300)
    await town.clock.advance(60_000)
    times = town.times_of(LEVEL)
    assert len(times) > 20
    assert len(set(times)) == len(times)


async def test_a_fault_found_without_a_clock_has_its_true_time_when_there_is_one(town: Town) -> None:
    town.board.reading = Reading(180.0, 0.45, 100.0, 0.97, 50.0, 1.0)
    await town.start(with_server=False)
    await town.clock.advance(HOUR // 4)
    assert town.app.parts.health.is_raised(faults.LOW_VOLTAGE.code)
    town.tasks.append(asyncio.create_task(town.server.endpoint.run()))
    path = paths.format(faults.LOW_VOLTAGE.path)
    await town.until(lambda: town.server.reported(path), HOUR)
    [at_s] = town.times_of(path)
    assert 0 <= at_s - UTC_MS // 1000 <= 120


async def test_hours_and_energy_are_counted_by_the_rtc_whatever_the_clock_says(town: Town) -> None:
    await known(town)
    for wrong_ms in (5 * YEAR, -YEAR, 0, HOUR):
        await town.set(wrong_ms)
        await town.clock.advance(HOUR // 12)
    passed_h = town.clock.now_ms / HOUR
    assert abs(town.app.parts.meter.lamp_hours - passed_h) < 0.01
    assert town.app.parts.meter.energy_wh == 1.0


async def test_the_error_bound_is_told_and_is_minus_one_without_a_clock(town: Town) -> None:
    assert town.app.parts.clock.error_bound_ms(town.board.rtc_ms()) == -1
    await known(town)
    assert 0 < town.server.reported("/42769/0/6")[-1] < 100


async def test_a_schedule_is_followed_at_once_when_the_clock_is_put_right(town: Town) -> None:
    parts = town.app.parts
    parts.program.prepare(changes())()
    assert isinstance(parts.program, Program)
    await known(town)
    levels = []
    # Noon of UTC is half past two in the night there; the clock is turned through day and night and back.
    for wrong_ms in (0, 8 * HOUR, 0, -8 * HOUR, 0):
        await town.set(wrong_ms)
        levels.append(town.board.driven[-1][1])
    assert levels[0] == levels[2] == levels[4]
    assert 0 in levels
    assert max(levels) >= 500


def test_the_last_day_of_the_clock_has_a_dawn() -> None:
    for latitude in (48_000_000, 0, 78_000_000):
        assert next_dawn_ms(LATEST_MS - 1, latitude, 0, TimeZone("", 0, ())) > LATEST_MS - 1
