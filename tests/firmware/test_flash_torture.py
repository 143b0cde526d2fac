"""Power is cut at every byte of everything that the composed lamp ever writes, and it boots on what is left.

One lamp lives through all that makes it write: first start, bootstrap, reservation of numbers, settings, a whole
schedule, a command and its end, faults, a night without server that overflows to flash, the return of the server, dawn,
a reboot, a factory reset. Its flash is a journal (tests.firmware.disk); from each cut point a new lamp is built from
what may be left.

Boots are shared between images of which the store reads the same, slot by slot: nothing else reads the flash.
"""

import ast
import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from contract import limits
from firmware import app as composition
from firmware import store as module
from firmware.app import App
from firmware.coap import message as coap
from firmware.codec import cbor
from firmware.lwm2m.queue import FAULT, SUMMARY, TELEMETRY, Queue
from firmware.oscore.context import Context
from firmware.store import DATA_AT, Store, inspect
from tests.bench.heap import full_schedule, write_composite
from tests.firmware.disk import Cut, Disk, cuts
from tests.firmware.fakes.board import FakeBoard, Reading, Restarted
from tests.firmware.fakes.network import FakeNetwork
from tests.firmware.test_app import IDENTITY, UTC_MS, World
from tests.firmware.test_bootstrapping import BOOTSTRAPPED, Knocking, plan

FIRMWARE = Path(module.__file__).parent
QUARTER_MS = 15 * 60_000
LOOK_MS = 2000
# The sun rises at about 15:20 UTC: 80 minutes after the start.
SETTINGS = {**IDENTITY["settings"], "longitude_e6": -143_000_000, "report_interval_s": 60}
PROVISIONED = {**IDENTITY, **BOOTSTRAPPED, "settings": SETTINGS}


class Moment(NamedTuple):
    """What was so at a step of the flash: time, record being written, numbers used, reports made and acknowledged."""

    now_ms: int
    record: str
    numbers: int
    made: int
    acknowledged: int


class Counted(NamedTuple):
    now_ms: int
    powered_ms: int
    lit_ms: int
    switches: int
    energy_mwh: int


class Held(NamedTuple):
    """What was written over the air and is in force."""

    settings: dict[str, Any]
    digest: str
    override: tuple[int, ...] | None


class Watched(Queue):
    """The queue of reports, and who went through it."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.made: list[tuple[str, bytes]] = []
        self.acknowledged: list[bytes] = []

    def put(self, kind: str, payload: bytes, subject: int = 0) -> None:
        super().put(kind, payload, subject)
        self.made.append((kind, payload))

    def acknowledge(self, key: int) -> None:
        payload = self.next()[1]
        super().acknowledge(key)
        self.acknowledged.append(payload)


class Numbered(Context):
    last: "Numbered | None" = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        Numbered.last = self


class Board(FakeBoard):
    """Draws 100 W while it is lit, or nothing when the lamp is `broken`."""

    broken = False

    def measure(self) -> Reading:
        watts = 1.0 if self.broken or not self.driven[-1][1] else 100.0
        return Reading(230.0, watts / 220, watts, 0.97, 50.0, 100.0 * self.ticks_ms() / 3_600_000)


def held_by(app: App) -> Held:
    parts = app.parts
    override = parts.override
    command = None
    if override.level is not None and override.end_s:
        command = (override.level, override.start_s, override.end_s, override.fade_ms)
    return Held(dict(parts.settings._written), parts.program.digest, command)


def counted_by(app: App, now_ms: int) -> Counted:
    meter = app.parts.meter
    return Counted(now_ms, meter._powered_ms, meter._lit_ms, meter.switches, meter._energy_mwh)


class Life(World):
    """Of one lamp: `run` makes it write everything that it can."""

    def __init__(self, monkeypatch: Any) -> None:
        super().__init__(Path("flash"))
        self.disk = Disk(note=self._moment)
        self.disk.attach(monkeypatch)
        Numbered.last = None
        monkeypatch.setattr(composition, "Context", Numbered)
        monkeypatch.setattr(composition, "Queue", self._queue)
        self._note_saves(monkeypatch)
        self.record = ""
        self.sites: set[tuple[str, int]] = set()
        # Bytes of each record: [(steps of the journal when it was begun, when it was done, data or None)].
        self.values: dict[str, list[tuple[int, int, bytes | None]]] = {}
        self.held: list[tuple[int, Held]] = []
        self.counted: list[Counted] = []
        self.boots: list[int] = []
        self.made: list[tuple[str, bytes]] = []
        self.acknowledged: list[bytes] = []
        self.queue: Watched | None = None
        self.knocking = Knocking(self, plan())

    async def start(self, with_server: bool = True) -> None:
        if not self.tasks:
            self.look()
            self.tasks.append(asyncio.create_task(self.knocking.endpoint.run()))
            self.tasks.append(asyncio.create_task(self.server.endpoint.run()))
        await super().start(with_server)

    def _queue(self, store: Store) -> Watched:
        self.queue = Watched(store)
        self.queue.made, self.queue.acknowledged = self.made, self.acknowledged
        return self.queue

    def _moment(self) -> Moment:
        numbers = Numbered.last._next if Numbered.last else 0
        return Moment(self.clock.now_ms, self.record, numbers, len(self.made), len(self.acknowledged))

    def _note_saves(self, monkeypatch: Any) -> None:
        save, delete, life = Store.save, Store.delete, self

        def note(store: Store, act: Any, name: str, data: bytes | None, *rest: Any) -> None:
            caller = sys._getframe(2)
            life.sites.add((str(Path(caller.f_code.co_filename).relative_to(FIRMWARE)), caller.f_lineno))
            life.record, begun = name, len(life.disk.journal)
            act(store, name, *(() if data is None else (data, *rest)))
            life.values.setdefault(name, []).append(
                (begun, len(life.disk.journal), data and (b"".join(data) if isinstance(data, list) else bytes(data)))
            )

        monkeypatch.setattr(Store, "save", lambda store, name, data, both=False: note(store, save, name, data, both))
        monkeypatch.setattr(Store, "delete", lambda store, name: note(store, delete, name, None))

    def power(self, cause: str = "power", **identity: Any) -> App:
        self.network.close(("192.0.2.1", 5683))
        self.starts += 1
        self.board = Board(self.clock, self.network, rtc_epoch_ms=77, seed=self.starts)
        self.board.cause = cause
        self.board.provisioned = PROVISIONED
        self.board.sync = self.disk.sync  # type: ignore[method-assign]
        self.app = App(self.board, self.lines.append)
        self.boots.append(len(self.disk.journal))
        return self.app

    async def pass_(self, ms: int) -> None:
        for _ in range(ms // LOOK_MS):
            await self.clock.advance(LOOK_MS)
            self.look()

    def look(self) -> None:
        """A moment between two doors: remember what is in force."""
        now = len(self.disk.journal)
        held = held_by(self.app)
        if not self.held or self.held[-1][1] != held:
            self.held.append((now, held))
        self.counted.append(counted_by(self.app, self.clock.now_ms))

    async def write(self, body: bytes) -> None:
        answer = await self.clock.run(self.server.ask(coap.IPATCH, "", body))
        assert answer.code == coap.CHANGED, answer.payload
        self.look()

    async def restart(self, path: str, cause: str) -> None:
        await self.clock.run(self.server.ask(coap.POST, path))
        await self.clock.advance(600)
        with pytest.raises(Restarted):
            await self.app._last_words[0]
        self.tasks.pop().cancel()
        self.power(cause)
        if cause == "power":
            # A night was learnt; power that comes by day takes it back.
            self.app.parts.night._nights = 1
        await self.start()
        await self.pass_(20_000)

    async def run(self) -> None:
        self.power("watchdog")
        await self.start()
        await self.pass_(20_000)
        await self.write(cbor.encode([{-2: "/3416/0/", 0: "4", 2: 55}, {0: "37", 2: 12}]))
        for level in (90, 80):
            await self.write(write_composite(full_schedule(level)))
        end_s = UTC_MS // 1000 + 7200
        for level in (30, 0):
            await self.write(cbor.encode([{-2: "/3416/0/", 0: "1", 2: level}, {0: "51", 2: end_s}]))
            await self.pass_(4_000)
        await self.write(cbor.encode([{-2: "/3416/0/", 0: "51", 2: 0}]))
        self.network.drop = lambda datagram: True
        self.board.broken = True
        await self.pass_(50 * 60_000)
        self.board.broken = False
        # The sun rises, and the summary waits as well.
        await self.pass_(35 * 60_000)
        self.network.drop = lambda datagram: False
        await self.pass_(8 * 60_000)
        await self.restart("3/0/4", "software")
        await self.write(cbor.encode([{-2: "/3416/0/", 0: "1", 2: 40}, {0: "51", 2: end_s + 7200}]))
        await self.restart("3/0/5", "power")
        await self.write(cbor.encode([{-2: "/3416/0/", 0: "4", 2: 55}, {0: "1", 2: 40}, {0: "51", 2: end_s + 7200}]))
        await self.write(write_composite(full_schedule(70)))
        await self.loop()

    async def loop(self) -> None:
        """Start again and again until it is in safe mode, and forget everything from there."""
        self.tasks.pop().cancel()
        while not self.power("watchdog").parts.counters.is_looping:
            pass
        await self.start()
        await self.clock.advance(20_000)
        await self.restart("3/0/5", "software")

    def moment(self, cut: Cut) -> Moment:
        steps = self.disk.journal
        return steps[min(cut.step, len(steps) - 1)].note

    def bytes_at(self, name: str, step: int) -> set[bytes | None]:
        """What may be on flash as record `name` when power is cut after `step` steps of the journal."""
        latest: bytes | None = None
        for begun, done, data in self.values.get(name, []):
            if done <= step:
                latest = data
            elif begun <= step:
                return {latest, data}
        return {latest}

    def held_at(self, step: int) -> list[Held]:
        """What was in force at the looks before and after a step."""
        before = [held for at, held in self.held if at <= step][-1:]
        return before + [held for at, held in self.held if at > step][:1]

    def counted_at(self, now_ms: int) -> Counted:
        before = [counted for counted in self.counted if counted.now_ms <= now_ms]
        return before[-1] if before else Counted(0, 0, 0, 0, 0)


class Booted(NamedTuple):
    app: App
    board: Board
    records: dict[str, bytes | None]
    numbers: int
    waiting: list[bytes]


def boot(files: dict[str, bytes], names: set[str], clock: Any, monkeypatch: Any) -> Booted:
    """Build the lamp anew on `files`, decide for the first time, and see what it knows."""
    disk = Disk(files)
    disk.attach(monkeypatch)
    board = Board(clock, FakeNetwork(clock), rtc_epoch_ms=77, seed=1)
    board.provisioned = PROVISIONED
    store = Store("")
    records = {name: store.load(name) for name in names}
    assert store.lost == 0
    app = App(board)
    app.light.refresh()
    assert Numbered.last is not None
    numbers = Numbered.last._next
    queue, waiting = app.parts.queue, []
    while (report := queue.next()) is not None:
        waiting.append(report[1])
        queue.acknowledge(report[0])
    return Booted(app, board, records, numbers, waiting)


def is_telemetry(payload: bytes, made: list[tuple[str, bytes]]) -> bool:
    return (TELEMETRY, payload) in made


def judge(life: Life, cut: Cut, found: Booted) -> None:
    moment = life.moment(cut)
    parts = found.app.parts
    assert found.board.driven[0][1] > 0 and found.board.switched[0][1], "lit"
    assert parts.store.is_healthy()
    # At the store: each record is the old one or the new one, and only the one that was being written.
    for name, data in found.records.items():
        assert data in life.bytes_at(name, cut.step), name
    # At the lamp: what was written over the air is in force as before or after.
    held = held_by(found.app)
    for field, value in held._asdict().items():
        assert not life.held or value in [getattr(known, field) for known in life.held_at(cut.step)], field
    started = sum(at <= cut.step for at in life.boots)
    assert parts.counters.boots - 1 in (started, started + 1)
    assert found.numbers >= moment.numbers, "no sequence number is used twice"
    judge_counters(life, moment.now_ms, found)
    judge_reports(life, moment, found)


def judge_counters(life: Life, now_ms: int, found: Booted) -> None:
    """Hours, energy and switchings: nothing invented, and at most a quarter of an hour lost."""
    counted = counted_by(found.app, now_ms)
    least, most = life.counted_at(now_ms - QUARTER_MS - LOOK_MS), life.counted_at(now_ms + LOOK_MS)
    for field in Counted._fields[1:]:
        assert getattr(least, field) <= getattr(counted, field) <= getattr(most, field), field


def judge_reports(life: Life, moment: Moment, found: Booted) -> None:
    """Of the reports: what is made once stands in the queue until it is acknowledged, but for telemetry in memory."""
    made = life.made[: moment.made]
    waiting = Counter(found.waiting)
    acknowledged = Counter(life.acknowledged[: moment.acknowledged])
    lost = Counter(payload for _, payload in made) - acknowledged - waiting
    # The one whose acknowledgement was being kept may be gone, the one that was being queued may be there.
    lost -= Counter(life.acknowledged[moment.acknowledged : moment.acknowledged + 1])
    assert all(is_telemetry(payload, made) for payload in lost), "no fault and no summary is lost"
    assert lost.total() <= limits.REPORTS_IN_RAM
    known = Counter(payload for _, payload in life.made[: moment.made + 1])
    assert not waiting - known, "nothing is invented or doubled"
    again = waiting - (known - acknowledged)
    assert all(is_telemetry(payload, made) for payload in again), "what was acknowledged and is on flash once is gone"
    assert again.total() < 20, "but for a segment of telemetry that was not empty yet"


def sees(left: bytes | None) -> bytes | None:
    """What the store reads of a slot: all that is not whole is the same to it."""
    if left is None:
        return None
    pieces = (left[at : at + module.PIECE_BYTES] for at in range(0, len(left), module.PIECE_BYTES))
    return b"" if inspect(pieces) is None else left


def save_sites() -> Iterator[tuple[str, int]]:
    """Every place of the firmware that changes a record: calls of save and delete on something named store."""
    for path in FIRMWARE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = ast.unparse(node.func.value).rpartition(".")[2].lstrip("_")
            if node.func.attr in ("save", "delete") and owner == "store":
                yield str(path.relative_to(FIRMWARE)), node.lineno


def kind_of(name: str) -> str:
    """Telemetry has thirty records that are one."""
    return "reports_telemetry" if name[-1].isdigit() else name


@pytest.fixture
async def life(monkeypatch: Any) -> Any:
    made = Life(monkeypatch)
    await made.run()
    yield made
    await made.end()


async def test_every_cut_point_of_every_record_leaves_a_lamp_that_recovers(life: Life, monkeypatch: Any) -> None:
    assert set(save_sites()) == life.sites, "a place that writes is not tortured (or this test does not see it)"
    names = set(life.values)
    points: dict[str, set[tuple[int, int]]] = {}
    images: Counter[str] = Counter()
    boots: dict[Any, Booted] = {}
    booted: Counter[str] = Counter()
    judged: set[Any] = set()
    step, rest = -1, frozenset[Any]()
    for cut in cuts(life.disk):
        kind = kind_of(cut.name.rpartition(".")[0])
        points.setdefault(kind, set()).add((cut.step, cut.byte))
        images[kind] += 1
        if cut.step != step:
            step, rest = cut.step, frozenset(item for item in cut.files.items() if item[0] != cut.name)
        key = (cut.name, sees(cut.left), rest)
        if (step, key) in judged:
            continue
        judged.add((step, key))
        if key not in boots:
            booted[kind] += 1
            boots[key] = boot(cut.content(), names, life.clock, monkeypatch)
        try:
            judge(life, cut, boots[key])
        except AssertionError as error:
            raise AssertionError(f"cut of {cut.name} at step {cut.step}, byte {cut.byte}: {error}") from error
    for kind in sorted(points):
        print(f"\n{kind}: {len(points[kind])} cut points, {images[kind]} images, {booted[kind]} boots", end="")
    total = sum(map(len, points.values()))
    print(f"\nall {len(points)} records: {total} cut points, {images.total()} images, {booted.total()} boots, all lit")
    assert set(points) == {kind_of(name) for name in names}
    assert min(map(len, points.values())) > 2 * DATA_AT
    assert {FAULT, SUMMARY, TELEMETRY} <= {kind.removeprefix("reports_") for kind in points}
