"""Each record of the composed lamp rotten, foreign, or not taken by flash: it boots lit; what is lost is defined."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest

from contract import faults
from firmware.app import SEQUENCE, App
from firmware.coap import message as coap
from firmware.codec import cbor
from firmware.store import DATA_AT, SLOTS, Store
from tests.bench.heap import full_schedule, write_composite
from tests.firmware.disk import Disk
from tests.firmware.fakes.board import FakeBoard, Reading
from tests.firmware.fakes.clock import VirtualClock
from tests.firmware.test_app import UTC_MS, World
from tests.firmware.test_flash_torture import PROVISIONED, Life, kind_of, save_sites

STORAGE = faults.STORAGE_ERROR.code
# Whatever a record's bytes are, these are none that the lamp writes.
INFINITE = float("inf")
FOREIGN = [b"", b"\xff", b"poetry", b"\x9f" * 40, *map(cbor.encode, (
    -7, "a", [[]], {"a": [1, {}]}, {"default_level": INFINITE, 5: 5}, [None] * 8, [[INFINITE], 1], [[1e300], -1],
    [1, 1, [[1e300, 0, b""]]], [1, 1, [[1, INFINITE, b""]]], [1, 1, [[1, 1, 7]]], [INFINITE, 0, []],
    *([value] * count for value in (1e300, INFINITE, float("nan"), -1) for count in (1, 2, 3, 4, 8)),
    [0, 0, INFINITE, 0], [50, 0, 1e300, 0], [3, INFINITE, True],
    [[3452, 0, {1: True}]], [[3452, 0, {0: 5, 1: True, 2: "x", 3: 7, 4: {}, 6: {0: []}}], [3454, 0, {5: 7}]],
    [[3452, 0, {0: "a", 1: True, 2: INFINITE, 3: {0: 0}, 4: {0: 0}, 6: {0: 5}}], [3453, 0, {}], [3454, 0, {}]],
))]  # fmt: skip


class Known(NamedTuple):
    """What the lamp knows of each record."""

    settings: bool
    program: bool
    override: bool
    meter: bool
    faults: bool
    counters: bool
    crystal: bool
    reports_faults: bool
    reports_summaries: bool
    reports_telemetry: bool
    night: bool
    account: bool


def known_to(app: App) -> Known:
    parts = app.parts
    parts.queue.load()
    return Known(
        bool(parts.settings._written),
        bool(parts.program.schedule.programs),
        parts.override.level is not None,
        parts.meter._powered_ms > 0,
        bool(parts.health._told - {faults.RESET_LOOP.code}),
        parts.counters.boots > 3,
        parts.clock.crystal.is_learnt,
        bool(parts.queue._kept["faults"]),
        bool(parts.queue._kept["summaries"]),
        bool(parts.queue._segments),
        bool(parts.night._profile),
        bool(parts.identity.account),
    )


@pytest.fixture(scope="module")
def lived() -> dict[str, bytes]:
    """The last bytes of each record that a lamp wrote in its life (one segment of telemetry for all)."""

    async def live(patch: pytest.MonkeyPatch) -> Life:
        life = Life(patch)
        await life.run()
        await life.end()
        return life

    with pytest.MonkeyPatch.context() as patch:
        life = asyncio.run(live(patch))
    found: dict[str, bytes] = {}
    for name, history in life.values.items():
        # The longest is a full one: faults that are raised, reports that wait.
        written = [data for _, _, data in reversed(history) if data is not None]
        found[kind_of(name)] = max([*written, found.get(kind_of(name), b"")], key=len)
    found["reports_0"] = found.pop("reports_telemetry")
    # That life is too short for two nights that agree.
    found["night"] = cbor.encode([3, 1, 20_780, bytes([80]) * 40])
    return found


RECORDS = ("settings", "program", "override", "sequence", "meter", "faults", "counters", "crystal", "reports_faults",
           "reports_summaries", "reports_0", "night", "account")  # fmt: skip


@pytest.fixture
def disk(lived: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Flash that holds every record, in two slots of the same content."""
    made = Disk()
    made.attach(monkeypatch)
    for name, data in lived.items():
        Store("").save(name, data, both=True)
    return made


def rot(disk: Disk, file: str) -> None:
    content = bytearray(disk.files[file])
    content[DATA_AT + (len(content) - DATA_AT) // 2] ^= 4
    disk.files[file] = bytes(content)


def boot(cause: str = "power") -> tuple[App, FakeBoard]:
    clock = VirtualClock()
    board = FakeBoard(clock, rtc_epoch_ms=77)
    board.cause = cause
    board.provisioned = PROVISIONED
    board.reading = Reading(230.0, 0.45, 100.0, 0.97, 50.0, 1.0)
    app = App(board)
    app.light.refresh()
    assert board.driven[0][1] > 0 and board.switched[0][1], "lit"
    return app, board


def has_storage_fault(app: App) -> bool:
    app.watch.look()
    return bool(app.parts.health.is_raised(STORAGE))


def expected(name: str) -> Known:
    """All is known but the record `name`."""
    return Known(*[field != name.replace("reports_0", "reports_telemetry") for field in Known._fields])


def test_these_are_all_records(lived: dict[str, bytes]) -> None:
    assert set(lived) == set(RECORDS)
    assert len(set(save_sites())) > len(RECORDS)


def test_a_whole_flash_is_known_whole(disk: Disk) -> None:
    app, _ = boot()
    assert all(known_to(app)), known_to(app)
    assert not has_storage_fault(app)


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("name", RECORDS)
def test_one_rotten_slot_of_a_record_costs_nothing(disk: Disk, name: str, slot: str) -> None:
    rot(disk, name + slot)
    app, _ = boot()
    assert all(known_to(app)), known_to(app)
    assert not has_storage_fault(app)


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("name", RECORDS)
def test_one_unreadable_slot_of_a_record_costs_nothing(disk: Disk, name: str, slot: str) -> None:
    disk.unreadable.add(name + slot)
    app, _ = boot()
    assert all(known_to(app)), known_to(app)


@pytest.mark.parametrize("name", RECORDS)
def test_two_rotten_slots_cost_that_record_and_are_a_fault_until_it_is_written_again(
    disk: Disk, lived: dict[str, bytes], name: str
) -> None:
    for slot in SLOTS:
        rot(disk, name + slot)
    app, _ = boot()
    assert known_to(app) == expected(name)
    assert has_storage_fault(app)
    Store("").save(name, lived[name], both=True)
    app, _ = boot()
    known_to(app)
    assert not has_storage_fault(app)


@pytest.mark.parametrize("name", RECORDS)
def test_whole_slots_of_foreign_bytes_cost_that_record_and_nothing_else(disk: Disk, name: str) -> None:
    for foreign in FOREIGN:
        Store("").save(name, foreign, both=True)
        app, board = boot()
        known, wanted = known_to(app), expected(name)
        assert known == wanted, (foreign, known)
        app.parts.clock.set_s(UTC_MS // 1000, board.rtc_ms())
        for _ in range(3):
            app.watch.look()
            board.clock.now_ms += 900_000
        app.light.refresh()
        assert app.parts.reports and app.parts.queue.waiting() > 0
        assert not any("failed" in line for line in app.log.lines()), foreign


@pytest.mark.parametrize("foreign", FOREIGN, ids=range(len(FOREIGN)))
def test_foreign_sequence_numbers_go_on_where_the_lamp_never_was(disk: Disk, foreign: bytes) -> None:
    Store("").save(SEQUENCE, foreign, both=True)
    app, _ = boot()
    assert app.endpoint.security._context._next >= 1 << 38
    assert has_storage_fault(app)


@pytest.mark.parametrize("refusal", ["full", "read_only"])
async def test_flash_that_takes_nothing_costs_no_light_and_says_so(
    monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    disk = Disk()
    disk.attach(monkeypatch)
    world = World(Path("flash"))
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    body = cbor.encode([{-2: "/3416/0/", 0: "4", 2: 55}])
    assert (await world.clock.run(world.server.ask(coap.IPATCH, "", body))).code == coap.CHANGED
    schedule = write_composite(full_schedule(90))
    assert (await world.clock.run(world.server.ask(coap.IPATCH, "", schedule))).code == coap.CHANGED
    digest = world.app.parts.program.digest
    setattr(disk, refusal, True)
    # Settings and schedule are refused with advice, and the old ones hold; a command is followed all the same.
    for payload in (cbor.encode([{-2: "/3416/0/", 0: "4", 2: 66}]), write_composite(full_schedule(70))):
        answer = await world.clock.run(world.server.ask(coap.IPATCH, "", payload))
        assert answer.code == coap.SERVICE_UNAVAILABLE
        assert b"replace the controller" in answer.payload
    assert world.app.parts.settings.get("default_level") == 55
    assert world.app.parts.program.digest == digest
    command = cbor.encode([{-2: "/3416/0/", 0: "1", 2: 30}, {0: "51", 2: UTC_MS // 1000 + 3600}])
    assert (await world.clock.run(world.server.ask(coap.IPATCH, "", command))).code == coap.CHANGED
    assert world.board.driven[-1][1] == 300
    await world.until(lambda: world.server.reported("/42769/0/12/32") == [True])
    # Reports flow on as long as numbers are reserved, and the light follows; nothing restarts.
    await world.clock.advance(3_600_000)
    assert world.board.resets == 0
    world.tasks.pop().cancel()
    # A start without flash: the old records hold.
    world.power()
    assert world.app.parts.settings.get("default_level") == 55
    assert world.app.parts.program.digest == digest
    world.app.light.refresh()
    assert world.board.driven[0][1] > 0
    # Flash that is well again is seen by the next start.
    setattr(disk, refusal, False)
    before = len(world.server.reports)
    world.power()
    await world.start()
    await world.until(lambda: len(world.server.reports) > before)
    assert not world.app.parts.health.is_raised(STORAGE)
    await world.end()


@pytest.mark.parametrize("refusal", ["full", "read_only"])
async def test_a_lamp_that_starts_without_flash_is_lit_for_hours(monkeypatch: pytest.MonkeyPatch, refusal: str) -> None:
    disk = Disk()
    disk.attach(monkeypatch)
    setattr(disk, refusal, True)
    world = World(Path("flash"))
    world.power()
    await world.start()
    await world.clock.advance(3 * 3_600_000)
    assert {permille for _, permille in world.board.driven} == {1000}
    assert world.app.parts.health.is_raised(STORAGE)
    assert world.server.registrations == [], "no number is used that could not be reserved"
    assert world.board.resets == 0
    await world.end()
