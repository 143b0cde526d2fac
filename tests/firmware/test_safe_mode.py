"""A lamp whose every start is its end comes to rest: lit, on the network, and somebody can ask it why."""

from pathlib import Path
from typing import Any

import pytest

from contract import faults
from firmware import safe_mode
from firmware.app import App, Parts
from firmware.coap import message as coap
from firmware.codec import cbor, senml
from firmware.counters import LOOP, STABLE_MS
from firmware.store import Store
from tests.firmware.fakes.board import Restarted
from tests.firmware.test_app import IDENTITY, World

LOOP_FAULT = faults.RESET_LOOP.path


class Poison(Exception):
    """What kills a start."""


class Doomed(World):
    """A lamp that dies of a record (`poisoned`) as often as it starts normally."""

    poisoned = True

    def power(self, cause: str = "watchdog", **identity: Any) -> App:
        self.network.close(("192.0.2.1", 5683))
        return super().power(cause, **identity)

    def die(self, times: int, cause: str = "watchdog") -> None:
        for _ in range(times):
            with pytest.raises(Poison):
                self.power(cause)

    async def reach_safe_mode(self) -> None:
        self.die(LOOP - 1)
        self.power()
        await self.start()
        await self.until(lambda: self.server.reported("/42769/0/4"))

    async def read(self, path: str) -> Any:
        answer = await self.clock.run(self.server.ask(coap.GET, path))
        assert answer.code == coap.CONTENT, answer.payload
        return senml.decode_cbor(answer.payload)[0].value

    async def restart(self, path: str) -> None:
        assert (await self.clock.run(self.server.ask(coap.POST, path))).code == coap.CHANGED
        await self.clock.advance(600)
        with pytest.raises(Restarted):
            await self.app._last_words[0]
        self.tasks.pop().cancel()


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Doomed(tmp_path)
    furnish = Parts.furnish

    def poisoned(parts: Parts) -> Any:
        if made.poisoned:
            raise Poison
        return furnish(parts)

    monkeypatch.setattr(Parts, "furnish", poisoned)
    yield made
    await made.end()


async def test_the_fifth_start_that_dies_is_lit_registered_and_says_why(world: Doomed) -> None:
    await world.reach_safe_mode()
    assert world.board.driven[0] == (0, 1000) and world.board.switched[0] == (0, True)
    assert world.server.registrations[0] == "rd"
    assert world.server.reported("/42769/0/0") == ["failsafe"]
    assert world.server.reported("/42769/0/1")[0].startswith("safe mode: restarted 5 times in a row; lit")
    await world.until(lambda: world.server.reported("/42769/0/12/33"))
    assert await world.read("42769/0/1") == "safe mode: restarted 5 times in a row; lit [42769/0/4]"
    assert await world.read("42769/0/4") == 5
    assert await world.read("3/0/11/0") == 19
    everything = await world.clock.run(world.server.ask(coap.GET, "3"))
    assert everything.code == coap.CONTENT
    whole = await world.clock.run(world.server.ask(coap.GET, "42769"))
    assert whole.code == coap.CONTENT
    assert LOOP_FAULT in [record.path for record in senml.decode_cbor(whole.payload)]
    await world.clock.advance(600_000)
    assert {permille for _, permille in world.board.driven} == {1000}
    assert all(later - fed <= 8000 for fed, later in zip(world.board.fed, world.board.fed[1:], strict=False))


async def test_nothing_of_flash_is_touched_but_starts_and_numbers(
    world: Doomed, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    for verb in ("load", "view", "save", "delete"):
        act = getattr(Store, verb)

        def note(store: Store, name: str, *rest: Any, act: Any = act, **named: Any) -> Any:
            seen.add(name)
            return act(store, name, *rest, **named)

        monkeypatch.setattr(Store, verb, note)
    await world.reach_safe_mode()
    await world.clock.advance(600_000)
    assert seen == {"counters", "sequence"}
    world.board.measure = world.board.lux = world.board.celsius = None  # type: ignore[assignment, method-assign]
    await world.clock.advance(600_000)
    assert not any("task failed" in line for line in world.lines)


async def test_a_reboot_by_the_server_starts_normally_and_clears_the_fault(world: Doomed) -> None:
    await world.reach_safe_mode()
    world.poisoned = False
    await world.restart("3/0/4")
    world.power("software")
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/12/33") == [True, False])
    assert world.app.parts.counters.boots == LOOP + 1
    assert world.server.reported("/42769/0/3"), "it is a lamp with a schedule again"


async def test_after_a_reboot_it_counts_anew(world: Doomed) -> None:
    await world.reach_safe_mode()
    await world.restart("3/0/4")
    world.die(LOOP - 1, "software")
    assert world.power().parts.counters.is_looping


async def test_the_loss_of_power_starts_normally(world: Doomed) -> None:
    await world.reach_safe_mode()
    world.tasks.pop().cancel()
    world.die(1, "power")
    world.die(LOOP - 1)
    assert world.power().parts.counters.is_looping


async def test_after_an_hour_it_tries_once_and_no_more_than_once(world: Doomed) -> None:
    await world.reach_safe_mode()
    await world.clock.advance(safe_mode.LENGTH_MS - 10_000)
    assert not world.board.resets
    await world.clock.advance(20_000)
    assert world.board.resets
    world.tasks.pop().cancel()
    world.die(1, "software")
    assert world.power().parts.counters.is_looping


async def test_a_try_that_lasts_is_the_end_of_the_fault(world: Doomed) -> None:
    await world.reach_safe_mode()
    world.app.parts.counters.short = LOOP - 2
    world.app.parts.counters.save()
    world.tasks.pop().cancel()
    world.poisoned = False
    world.power("software")
    await world.start()
    await world.clock.advance(STABLE_MS - 10_000)
    assert world.server.reported("/42769/0/12/33") == [True], "it has not proven itself yet"
    await world.until(lambda: world.server.reported("/42769/0/12/33") == [True, False])


async def test_what_is_written_in_safe_mode_is_refused_with_advice(world: Doomed) -> None:
    await world.reach_safe_mode()
    body = cbor.encode([{-2: "/42769/0/", 0: "16", 2: 55}])
    answer = await world.clock.run(world.server.ask(coap.IPATCH, "", body))
    assert answer.code == coap.SERVICE_UNAVAILABLE
    assert b"reboot the lamp" in answer.payload


async def test_a_factory_reset_forgets_whatever_may_be_the_cause(world: Doomed) -> None:
    store = Store(str(world.directory))
    keep = {"meter": b"counters", "counters": b""}
    lost = {"settings", "program", "override", "faults", "crystal", "reports_faults", "reports_summaries", "reports_29"}
    for name in lost | {"meter"}:
        store.save(name, b"poison")
    await world.reach_safe_mode()
    await world.restart("3/0/5")
    assert [name for name in sorted(lost) if store.load(name) is not None] == []
    assert all(store.load(name) is not None for name in keep)
    world.poisoned = False
    assert world.power("software").parts.counters.boots == LOOP + 1


async def test_a_provisioned_failsafe_level_is_kept_but_never_dark(world: Doomed) -> None:
    world.die(LOOP - 1)
    for level, permille in ((40, 400), (0, 1000)):
        world.power(settings={**IDENTITY["settings"], "failsafe_level": level})
        world.app.light.refresh()
        assert world.board.driven[-1][1] == permille
