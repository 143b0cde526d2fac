"""The composed lamp on virtual time, with a server on the other side of an in-memory network."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from contract import faults, limits
from firmware.app import SEQUENCE, App
from firmware.coap import message as coap
from firmware.coap.endpoint import Endpoint
from firmware.coap.message import Message
from firmware.codec import cbor, senml
from firmware.errors import IdentityError
from firmware.oscore.context import Context
from firmware.oscore.protect import Oscore
from firmware.oscore.window import ReplayWindow
from firmware.store import Store
from tests.firmware.fakes.board import FakeBoard, Reading, Restarted
from tests.firmware.fakes.clock import VirtualClock
from tests.firmware.fakes.network import FakeNetwork

UTC_MS = 1_795_356_000_000  # 2026-11-22 14:00 UTC
SERVER = ("192.0.2.9", 5683)
SECRET, SALT, LAMP_ID = bytes(range(16)), bytes(range(8)), b"\x02\x5c\x00\x00\x00\x01"
IDENTITY: dict[str, Any] = {
    "endpoint": "urn:dev:mac:025c00fffe000001",
    "serial": "1",
    "server_host": SERVER[0],
    "server_port": SERVER[1],
    "sender_id": LAMP_ID.hex(),
    "recipient_id": limits.SERVER_ID.hex(),
    "master_secret": SECRET.hex(),
    "master_salt": SALT.hex(),
    "settings": {"registration_jitter_s": 0, "lifetime_s": 300, "report_interval_s": 900},
}


class Server:
    """A backend as small as it can be: it registers, tells the time, takes reports, and asks."""

    def __init__(self, network: FakeNetwork) -> None:
        self.board = FakeBoard(network.clock, network, SERVER, seed=7)
        context = Context(limits.SERVER_ID, LAMP_ID, SECRET, lambda limit: None, SALT, window=ReplayWindow())
        self.endpoint = Endpoint(self.board, self.board.open_udp(), Oscore(context, self.board.random), self._handle)
        self.wrong_ms = 0
        self.registrations: list[str] = []
        self.reports: list[Any] = []

    def _handle(self, request: Message) -> Message:
        path = request.path()
        if path == limits.TIME_PATH:
            return Message(coap.CONTENT, payload=cbor.encode(UTC_MS + self.board.clock.now_ms + self.wrong_ms))
        if path == limits.DP_PATH:
            self.reports.append(senml.decode_cbor(request.payload))
            return Message(coap.CHANGED)
        self.registrations.append(path)
        answer = Message(coap.CREATED if path == "rd" else coap.CHANGED)
        if path == "rd":
            answer.add(coap.LOCATION_PATH, b"rd")
            answer.add(coap.LOCATION_PATH, b"1")
        return answer

    async def ask(self, code: int, path: str, payload: bytes = b"") -> Message:
        options = ((coap.CONTENT_FORMAT, b"\x70"),) if payload else ()
        response: Message = await self.endpoint.request(code, path, ("192.0.2.1", 5683), options, payload)
        return response

    def reported(self, path: str) -> list[Any]:
        """Every value that was reported of a resource."""
        from contract.paths import parse

        return [record.value for report in self.reports for record in report if record.path == parse(path)]


class World:
    """One lamp, one server, one clock. `start` powers the lamp."""

    def __init__(self, directory: Path) -> None:
        self.clock = VirtualClock()
        self.network = FakeNetwork(self.clock, delay_ms=(5, 5))
        self.directory = directory
        self.server = Server(self.network)
        self.tasks: list[asyncio.Task[Any]] = []
        self.lines: list[str] = []
        self.starts = 0

    def power(self, cause: str = "power", **identity: Any) -> App:
        self.network.close(("192.0.2.1", 5683))
        self.starts += 1
        # Each start draws other message ids and tokens: the server remembers those of the start before.
        self.board = FakeBoard(
            self.clock, self.network, directory=str(self.directory), rtc_epoch_ms=77, seed=self.starts
        )
        self.board.cause = cause
        self.board.provisioned = {**IDENTITY, **identity}
        self.board.reading = Reading(230.0, 0.45, 100.0, 0.97, 50.0, 1.0)
        self.app = App(self.board, self.lines.append)
        return self.app

    async def start(self, with_server: bool = True) -> None:
        if with_server and len(self.tasks) == 0:
            self.tasks.append(asyncio.create_task(self.server.endpoint.run()))
        self.tasks.append(asyncio.create_task(self.app.run()))
        await self.clock.settle()

    async def until(self, condition: Any, limit_ms: int = 60_000) -> None:
        for _ in range(limit_ms // 50):
            if condition():
                return
            await self.clock.advance(50)
        raise AssertionError("it did not come to this: " + "\n".join(self.lines[-10:]))

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    made = World(tmp_path)
    yield made
    await made.end()


async def test_the_light_follows_the_ladder_before_the_network_is_tried(world: World) -> None:
    world.power()
    await world.start(with_server=False)
    assert world.board.driven == [(0, 1000)]
    assert world.board.switched == [(0, True)]
    assert world.clock.now_ms == 0
    await world.clock.advance(600_000)
    assert world.board.driven == [(0, 1000)], "without a server for ten minutes it stays as it is: lit"


async def test_a_photocell_that_is_known_to_be_stuck_darkens_no_lamp_from_the_first_moment_on(world: World) -> None:
    Store(str(world.directory)).save("faults", cbor.encode([[faults.PHOTOCELL_STUCK.code], 0]))
    world.power()
    world.board.lux_now = 5000.0
    await world.start(with_server=False)
    await world.clock.advance(600_000)
    assert world.board.driven == [(0, 1000)]
    assert world.app.parts.lamp.decision.words == "no clock to trust: lit"


async def test_a_lamp_that_wakes_without_a_server_shines_as_in_the_last_good_night(world: World) -> None:
    levels = bytes([80] * 4 + [30] * 40)
    Store(str(world.directory)).save("night", cbor.encode([2, 0, 20_000, levels]))
    world.power()
    await world.start(with_server=False)
    assert world.board.driven == [(0, 800)]
    await world.clock.advance(3_700_000)
    assert world.board.driven[-1][1] == 300
    assert world.app.parts.lamp.decision.rung == "failsafe"


async def test_a_lamp_registers_takes_the_time_and_introduces_itself(world: World) -> None:
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    assert world.server.registrations[0] == "rd"
    assert world.server.reported("/42769/0/4") == [1]
    assert world.server.reported("/42769/0/5") == ["power"]
    assert world.server.reported("/42769/0/3") == [world.app.parts.program.digest]
    assert abs(world.app.parts.clock.now_ms(world.board.rtc_ms()) - UTC_MS - world.clock.now_ms) <= 10
    assert world.server.reports[0][0].time_s is not None


async def test_a_command_is_light_at_once_and_evidence_afterwards(world: World) -> None:
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    body = cbor.encode([{-2: "/3416/0/", 0: "1", 2: 40}, {0: "51", 2: UTC_MS // 1000 + 3600}, {0: "52", 2: 0}])
    asked_ms = world.clock.now_ms
    answer = await world.clock.run(world.server.ask(coap.IPATCH, "", body))
    assert answer.code == coap.CHANGED
    at_ms, permille = world.board.driven[-1]
    assert permille == 400
    assert at_ms - asked_ms == 5, "with the datagram that carried it, not a wake-up later"
    await world.until(lambda: "override" in world.server.reported("/42769/0/0"))
    changed_ms = world.server.reported("/42769/0/8")[-1]
    assert abs(changed_ms - (UTC_MS + at_ms)) <= 10
    assert world.server.reported("/3416/0/2")[-1] == 40


async def test_an_override_outlives_a_power_cut_until_its_end(world: World) -> None:
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    body = cbor.encode([{-2: "/3416/0/", 0: "1", 2: 30}, {0: "51", 2: UTC_MS // 1000 + 600}])
    await world.clock.run(world.server.ask(coap.IPATCH, "", body))
    world.tasks.pop().cancel()
    world.power()
    await world.start()
    await world.until(lambda: world.board.driven[-1][1] == 300)
    await world.clock.advance(620_000)
    assert world.board.driven[-1][1] == 1000


async def test_sequence_numbers_are_reserved_before_use_and_go_on_after_a_restart(world: World) -> None:
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    reserved = cbor.decode(Store(str(world.directory)).load(SEQUENCE))
    assert reserved == limits.SEQUENCE_CHUNK
    world.tasks.pop().cancel()
    before = len(world.server.registrations)
    world.power()
    await world.start()
    await world.until(lambda: len(world.server.registrations) > before)
    assert cbor.decode(Store(str(world.directory)).load(SEQUENCE)) == 2 * limits.SEQUENCE_CHUNK


async def test_lost_sequence_numbers_go_on_where_the_lamp_never_was(world: World) -> None:
    for slot in ("a", "b"):
        (world.directory / f"{SEQUENCE}.{slot}").write_bytes(b"rotten")
    world.power()
    await world.start()
    await world.until(lambda: world.server.registrations)
    assert cbor.decode(Store(str(world.directory)).load(SEQUENCE)) > 1 << 38
    assert any("sequence numbers lost" in line for line in world.lines)


async def test_a_reboot_is_answered_before_it_happens(world: World) -> None:
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    answer = await world.clock.run(world.server.ask(coap.POST, "3/0/4"))
    assert answer.code == coap.CHANGED
    assert world.board.resets == 0
    await world.clock.advance(400)
    assert world.board.resets == 0
    with pytest.raises(Restarted):
        await asyncio.gather(*[world.clock.advance(200), *world.app._last_words])
    assert world.board.resets == 1


async def test_a_factory_reset_forgets_what_was_written_and_keeps_what_was_provisioned(world: World) -> None:
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    body = cbor.encode([{-2: "/3416/0/", 0: "4", 2: 55}, {0: "1", 2: 30}, {0: "51", 2: UTC_MS // 1000 + 600}])
    await world.clock.run(world.server.ask(coap.IPATCH, "", body))
    assert world.app.parts.settings.get("default_level") == 55
    await world.clock.run(world.server.ask(coap.POST, "3/0/5"))
    with pytest.raises(Restarted):
        await asyncio.gather(*[world.clock.advance(600), *world.app._last_words])
    world.tasks.pop().cancel()
    app = world.power("software")
    assert app.parts.settings.get("default_level") == 100
    assert app.parts.settings.get("report_interval_s") == 900
    assert not app.parts.override.is_active(UTC_MS, world.board.rtc_ms())
    assert app.parts.counters.boots == 2


async def test_a_fault_is_reported_when_it_is_raised_and_when_it_is_cleared(world: World) -> None:
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    path = "/3416/0/5"
    world.board.reading = Reading(230.0, 0.01, 1.0, 0.5, 50.0, 2.0)
    await world.until(lambda: world.server.reported(path) == [True], 120_000)
    world.board.reading = Reading(230.0, 0.45, 100.0, 0.97, 50.0, 3.0)
    await world.until(lambda: world.server.reported(path) == [True, False], 120_000)
    assert not world.app.parts.health.is_raised(faults.LAMP_FAILURE.code)


async def test_telemetry_keeps_its_interval_and_the_night_is_summed_up_at_dawn(world: World) -> None:
    # Where the sun rises at about 15:20 UTC: a little more than an hour after the start.
    world.power(settings={**IDENTITY["settings"], "longitude_e6": -143_000_000})
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    before = len(world.server.reported("/3418/0/4"))
    await world.clock.advance(4 * 900_000)
    assert len(world.server.reported("/3418/0/4")) - before == 4
    assert world.server.reported("/3416/0/18") == []
    await world.clock.advance(3_600_000)
    assert len(world.server.reported("/3416/0/18")) == 1, "one summary a day"


async def test_the_watchdog_starves_when_the_light_hangs(world: World) -> None:
    world.power()

    async def hang() -> None:
        await asyncio.Event().wait()

    world.app.light.run = hang  # type: ignore[method-assign]
    await world.start(with_server=False)
    await world.clock.advance(60_000)
    assert 0 < len(world.board.fed) <= 3, "fed while the hang could still be a pause, and then no more"


async def test_a_light_that_fails_again_and_again_restarts_the_controller(world: World) -> None:
    world.power()
    await world.start(with_server=False)

    def broken() -> None:
        raise OSError("the output is gone")

    world.app.light.refresh = broken  # type: ignore[method-assign]
    await world.clock.advance(600_000)
    assert world.board.resets == 1


@pytest.mark.parametrize("field", ["endpoint", "master_secret", "sender_id"])
def test_a_lamp_without_an_identity_says_what_to_do(tmp_path: Path, field: str) -> None:
    board = FakeBoard(directory=str(tmp_path))
    board.provisioned = {name: value for name, value in IDENTITY.items() if name != field}
    with pytest.raises(IdentityError, match="provision the lamp again"):
        App(board)
