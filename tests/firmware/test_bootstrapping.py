"""A lamp that knows a bootstrap server only, composed, on virtual time: it gets its account, whatever is lost, repeated
or cut on the way."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from contract import limits, paths
from contract.senml import LINK_FORMAT, SENML_CBOR, SENML_JSON, TLV, ObjectLink, Record
from firmware.bootstrapping import RECORD
from firmware.coap import message as coap
from firmware.coap.endpoint import Endpoint
from firmware.coap.errors import CoapError
from firmware.coap.message import Message
from firmware.codec import cbor, senml
from firmware.oscore.context import Context
from firmware.oscore.protect import Oscore
from firmware.oscore.window import ReplayWindow
from firmware.store import Store
from tests.firmware.fakes.board import FakeBoard
from tests.firmware.fakes.network import Datagram
from tests.firmware.test_app import IDENTITY, LAMP_ID, SALT, SECRET, SERVER, World

BOOTSTRAP_SERVER = ("192.0.2.8", 5684)
LAMP = ("192.0.2.1", 5683)
KNOCK_ID, KNOCK_SECRET, KNOCK_SALT = b"\x7b\x01", bytes(range(50, 66)), bytes(range(9))
BOOTSTRAPPED = {
    "bootstrap": True,
    "server_host": BOOTSTRAP_SERVER[0],
    "server_port": BOOTSTRAP_SERVER[1],
    "sender_id": KNOCK_ID.hex(),
    "recipient_id": limits.SERVER_ID.hex(),
    "master_secret": KNOCK_SECRET.hex(),
    "master_salt": KNOCK_SALT.hex(),
}
SERVER_URI = f"coap://{SERVER[0]}:{SERVER[1]}"
SECURITY = {0: SERVER_URI, 1: False, 2: 3, 3: b"", 4: b"", 5: b"", 10: 101, 17: ObjectLink(21, 1)}
KEYS = {0: SECRET, 1: LAMP_ID, 2: limits.SERVER_ID, 3: 10, 4: 5, 5: SALT}
ACCOUNT = {0: 101, 1: 240, 6: True, 7: "U"}

Step = tuple[int, str, int | None, bytes]


def pack(format: int, path: str, values: dict[int, Any]) -> bytes:
    """The resources of an instance; TLV is written here from the standard, with lengths of one byte."""
    if format == TLV:
        return b"".join(entry(number, value) for number, value in values.items())
    records = [Record(paths.parse(f"{path}/{number}"), None, value) for number, value in values.items()]
    body: bytes = senml.encode_cbor(records) if format == SENML_CBOR else senml.encode_json(records)
    return body


def entry(number: int, value: Any) -> bytes:
    if isinstance(value, ObjectLink):
        data = value.object.to_bytes(2, "big") + value.instance.to_bytes(2, "big")
    elif isinstance(value, bool):
        data = bytes([value])
    elif isinstance(value, int):
        data = value.to_bytes(2, "big", signed=True)
    else:
        data = value.encode() if isinstance(value, str) else value
    return bytes([0xC8, number, len(data)]) + data


def plan(format: int = SENML_CBOR, **changed: dict[int, Any]) -> list[Step]:
    """What a bootstrap server does after it was asked; `changed` replaces what it writes of an object."""
    written = [("0/1", changed.get("security", SECURITY)), ("21/1", changed.get("keys", KEYS))]
    written.append(("1/0", changed.get("account", ACCOUNT)))
    steps: list[Step] = [(coap.DELETE, "", None, b"")]
    steps += [(coap.PUT, path, format, pack(format, "/" + path, values)) for path, values in written]
    return [*steps, (coap.POST, "bs", None, b"")]


class Knocking:
    """A bootstrap server: who asks is answered, and then written to."""

    def __init__(self, world: World, steps: Sequence[Step]) -> None:
        self.world = world
        self.board = FakeBoard(world.clock, world.network, BOOTSTRAP_SERVER, seed=8)
        context = Context(
            limits.SERVER_ID, KNOCK_ID, KNOCK_SECRET, lambda limit: None, KNOCK_SALT, window=ReplayWindow()
        )
        self.endpoint = Endpoint(self.board, self.board.open_udp(), Oscore(context, self.board.random), self._handle)
        self.steps = list(steps)
        self.asked: list[Sequence[str]] = []
        self.answers: list[int] = []
        self.said = ""
        self.refusal: Message | None = None
        self.writing: asyncio.Task[None] | None = None

    def _handle(self, request: Message) -> Message:
        assert (request.code, request.path()) == (coap.POST, "bs")
        self.asked.append(request.query())
        if self.refusal is not None:
            return self.refusal
        if self.writing is not None:
            self.writing.cancel()
        self.writing = asyncio.create_task(self._write())
        return Message(coap.CHANGED)

    async def _write(self) -> None:
        self.answers.clear()
        for step in self.steps:
            try:
                answer = await self.ask(*step)
            except CoapError:
                return
            self.answers.append(answer.code)
            if not coap.is_success(answer.code):
                self.said = answer.payload.decode()
                return

    async def ask(
        self, code: int, path: str, format: int | None = None, payload: bytes = b"", accept: int | None = None
    ) -> Message:
        message = Message(code)
        if format is not None:
            message.add(coap.CONTENT_FORMAT, format)
        if accept is not None:
            message.add(coap.ACCEPT, accept)
        answer: Message = await self.endpoint.request(code, path, LAMP, message.options, payload)
        return answer


class Bootstrapped(World):
    """`steps` is what the bootstrap server does."""

    def __init__(self, directory: Path, steps: Sequence[Step] | None = None) -> None:
        super().__init__(directory)
        self.knocking = Knocking(self, plan() if steps is None else steps)
        self.tasks += [
            asyncio.create_task(self.server.endpoint.run()),
            asyncio.create_task(self.knocking.endpoint.run()),
        ]

    async def begin(self, cause: str = "power") -> None:
        self.power(cause, **BOOTSTRAPPED)
        await self.start()

    def is_in(self) -> bool:
        return bool(self.server.registrations) and self.app.client.is_registered()

    def kept(self) -> Any:
        data = Store(str(self.directory)).load(RECORD)
        return None if data is None else cbor.decode(data)


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    made = Bootstrapped(tmp_path)
    yield made
    await made.end()


async def test_a_lamp_that_knows_only_the_bootstrap_server_registers_with_the_account_that_it_gives(
    world: Bootstrapped,
) -> None:
    await world.begin()
    await world.until(world.is_in)
    assert world.knocking.asked == [["ep=" + IDENTITY["endpoint"], "pct=112"]]
    assert world.knocking.answers == [coap.DELETED, coap.CHANGED, coap.CHANGED, coap.CHANGED, coap.CHANGED]
    assert world.board.driven[0] == (0, 1000), "lit before anything was asked"
    await world.until(lambda: world.server.reported("/42769/0/4"))
    for path, value in (("1/0/0", 101), ("1/0/1", 240)):
        answer = await world.clock.run(world.server.ask(coap.GET, path))
        assert senml.decode_cbor(answer.payload)[0].value == value


def of_bootstrap(datagram: Datagram) -> bool:
    return BOOTSTRAP_SERVER in (datagram.source, datagram.target)


async def lives(directory: Path, drop: Any = None, cut_at: int | None = None, repeat: float = 0.0) -> Bootstrapped:
    """A lamp that gets its account although `drop(index)` loses datagrams of the bootstrap, or power is cut with the
    datagram number `cut_at`."""
    world = Bootstrapped(directory)
    world.network.repeat = repeat
    seen = [0]

    def fate(datagram: Datagram) -> bool:
        if not of_bootstrap(datagram):
            return False
        seen[0] += 1
        return drop is not None and bool(drop(seen[0] - 1))

    world.network.drop = fate
    await world.begin()
    if cut_at is not None:
        for _ in range(4000):
            if seen[0] > cut_at or world.is_in():
                break
            await world.clock.advance(1)
        world.tasks.pop().cancel()
        await world.clock.settle()
        await world.begin()
    await world.until(world.is_in, 900_000)
    assert world.kept()["account"] == 101
    assert world.board.driven == [(world.board.driven[0][0], 1000)], "lit from the first moment, whatever happens"
    await world.end()
    return world


async def test_each_datagram_of_the_bootstrap_may_be_lost(tmp_path: Path) -> None:
    whole = await lives(tmp_path / "whole")
    count = sum(of_bootstrap(datagram) for datagram in whole.network.trace)
    assert count == 12
    for lost in range(count):
        await lives(tmp_path / f"once{lost}", drop=lambda index, lost=lost: index == lost)
        # A minute and a half of the same direction: repetitions are in vain, and the server gives up.
        await lives(tmp_path / f"long{lost}", drop=lambda index, lost=lost: lost <= index < lost + 6)


async def test_every_datagram_may_come_twice(tmp_path: Path) -> None:
    world = await lives(tmp_path, repeat=1.0)
    assert len(world.knocking.asked) == 1, "what is repeated is executed once"


async def test_power_may_be_cut_at_each_step(tmp_path: Path) -> None:
    for cut_at in range(14):
        await lives(tmp_path / str(cut_at), cut_at=cut_at)


@pytest.mark.parametrize("format", [SENML_CBOR, SENML_JSON, TLV])
async def test_the_account_may_come_in_any_of_three_formats(tmp_path: Path, format: int) -> None:
    world = Bootstrapped(tmp_path, plan(format))
    await world.begin()
    await world.until(world.is_in)
    await world.end()


async def test_tlv_may_wrap_the_instances_of_a_whole_object(tmp_path: Path) -> None:
    body = pack(TLV, "", SECURITY)
    wrapped = bytes([0x08, 1, len(body)]) + body
    world = Bootstrapped(tmp_path, [(coap.PUT, "0", TLV, wrapped), *plan(TLV)[2:]])
    await world.begin()
    await world.until(world.is_in)
    await world.end()


def without(values: dict[int, Any], *names: int, **changed: Any) -> dict[int, Any]:
    kept = {name: value for name, value in values.items() if name not in names}
    return {**kept, **{int(name[1:]): value for name, value in changed.items()}}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"security": without(SECURITY, _2=0)}, "DTLS"),
        ({"security": without(SECURITY, 17)}, "OSCORE only"),
        ({"security": without(SECURITY, _17=ObjectLink(21, 7))}, "OSCORE only"),
        ({"security": without(SECURITY, _17=ObjectLink(0, 1))}, "OSCORE only"),
        ({"security": without(SECURITY, _0="coaps://192.0.2.9")}, "coap://"),
        ({"security": without(SECURITY, _0="coap://")}, "coap://"),
        ({"security": without(SECURITY, _0="coap://a b")}, "server_host"),
        ({"security": without(SECURITY, _0="coap://a:b")}, "port"),
        ({"security": without(SECURITY, _0="coap://a:70000")}, "server_port"),
        ({"security": without(SECURITY, _1=True)}, "0 instances"),
        ({"security": without(SECURITY, 10)}, "short server id"),
        ({"keys": without(KEYS, 0)}, "master_secret"),
        ({"keys": without(KEYS, _0=b"short")}, "master_secret"),
        ({"keys": without(KEYS, _0=bytes(16))}, "never drawn"),
        ({"keys": without(KEYS, _1=limits.SERVER_ID)}, "equal"),
        ({"keys": without(KEYS, _3=24)}, "AES-CCM"),
        ({"keys": without(KEYS, _4=7)}, "HKDF"),
        ({"keys": without(KEYS, _6=b"here")}, "id context"),
        ({"account": without(ACCOUNT, 1)}, "lifetime"),
        ({"account": without(ACCOUNT, _0=102)}, "short server id"),
        ({"account": without(ACCOUNT, _7="T")}, "UDP"),
        ({"account": without(ACCOUNT, _1=1)}, "lifetime"),
    ],
)
async def test_an_account_that_makes_no_sense_is_refused_whole_with_the_reason_and_a_right_one_is_taken_later(
    tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    world = Bootstrapped(tmp_path, plan(**changed))
    await world.begin()
    await world.until(lambda: world.knocking.said)
    assert world.knocking.answers[-1] == coap.NOT_ACCEPTABLE, "at the finish, and not before"
    assert words in world.knocking.said
    assert SECRET.hex() not in world.knocking.said
    assert world.kept() is None and not world.server.registrations
    world.knocking.steps = plan()
    await world.until(world.is_in)
    await world.end()


async def test_what_a_bootstrap_server_may_do_and_what_not(tmp_path: Path) -> None:
    world = Bootstrapped(tmp_path, [])
    await world.begin()
    await world.until(lambda: world.knocking.asked)
    ask = world.knocking.ask

    async def code(*words: Any, **named: Any) -> str:
        return str(coap.format_code((await world.clock.run(ask(*words, **named))).code))

    body = pack(SENML_CBOR, "/0/1", SECURITY)
    assert await code(coap.PUT, "0/1", None, body) == "4.00"
    assert await code(coap.PUT, "0/1", 99, body) == "4.15"
    assert await code(coap.PUT, "0/1", 0, body) == "4.15"
    assert await code(coap.PUT, "0/1", SENML_CBOR, b"\xff") == "4.00"
    assert await code(coap.PUT, "0/1", TLV, b"\xc8\x00\xff") == "4.00"
    assert await code(coap.PUT, "0/1", TLV, entry(2, b"abc")) == "4.00"
    assert await code(coap.PUT, "0/2", SENML_CBOR, body) == "4.00", "a name that the path does not cover"
    assert await code(coap.PUT, "3/0", SENML_CBOR, body) == "4.04"
    assert await code(coap.PUT, "", SENML_CBOR, body) == "4.05"
    assert await code(coap.PUT, "nonsense", SENML_CBOR, body) == "4.04"
    assert await code(coap.POST, "0/1", SENML_CBOR, body) == "4.05"
    assert await code(coap.GET, "0/1") == "4.05", "keys are not readable, by anybody"
    assert await code(coap.GET, "3/0") == "4.05"
    assert await code(coap.DELETE, "0/1/0") == "4.05"
    assert await code(coap.IPATCH, "", SENML_CBOR, body) == "4.05"
    assert await code(coap.POST, "bs") == "4.06", "nothing is there yet"
    for number in range(8):
        values = {**SECURITY, 999: 5}
        assert await code(coap.PUT, f"0/{number}", SENML_CBOR, pack(SENML_CBOR, f"/0/{number}", values)) == "2.04"
    assert await code(coap.PUT, "21/0", SENML_CBOR, pack(SENML_CBOR, "/21/0", KEYS)) == "4.13", "memory has an end"
    assert await code(coap.DELETE, "0") == "2.02"
    assert await code(coap.PUT, "0/1", SENML_CBOR, body) == "2.04"
    assert await code(coap.PUT, "0/1/10", 0, b"102") == "2.04"
    assert await code(coap.PUT, "1/0", SENML_CBOR, pack(SENML_CBOR, "/1/0", without(ACCOUNT, _0=102))) == "2.04"
    answer = await world.clock.run(ask(coap.GET, "", accept=LINK_FORMAT))
    assert answer.payload == b"</>;lwm2m=1.1,</0/0>,</0/1>;ssid=102,</1/0>;ssid=102,</21/0>"
    answer = await world.clock.run(ask(coap.GET, "1", accept=LINK_FORMAT))
    assert answer.payload == b"</>;lwm2m=1.1,</1/0>;ssid=102"
    assert await code(coap.PUT, "21/1", SENML_CBOR, pack(SENML_CBOR, "/21/1", KEYS)) == "2.04"
    assert await code(coap.POST, "bs") == "2.04"
    await world.until(world.is_in)
    assert world.kept()["account"] == 102
    await world.end()


async def test_each_side_is_heard_over_its_own_keys_only(world: Bootstrapped) -> None:
    world.knocking.steps = []
    await world.begin()
    await world.until(lambda: world.knocking.asked)
    with pytest.raises(CoapError):
        await world.clock.run(world.server.ask(coap.GET, "3/0/0"))
    world.knocking.writing = asyncio.create_task(world.knocking._write())
    world.knocking.steps = plan()
    await world.until(world.is_in)
    assert (await world.clock.run(world.server.ask(coap.GET, "3/0/0"))).code == coap.CONTENT
    for code, path in ((coap.DELETE, ""), (coap.GET, "3/0/0"), (coap.POST, "bs")):
        with pytest.raises(CoapError):
            await world.clock.run(world.knocking.ask(code, path))
    answer = await world.clock.run(world.server.ask(coap.POST, "bs"))
    assert answer.code == coap.METHOD_NOT_ALLOWED


async def test_an_account_is_kept_over_a_power_cut_and_no_number_meets_its_keys_twice(world: Bootstrapped) -> None:
    await world.begin()
    await world.until(world.is_in)
    before = len(world.server.registrations)
    world.tasks.pop().cancel()
    await world.begin()
    await world.until(lambda: len(world.server.registrations) > before)
    assert len(world.knocking.asked) == 1
    used: dict[bytes, bytes] = {}
    for datagram in world.network.trace:
        if datagram.source == LAMP:
            message = coap.decode(datagram.data)
            option = message.option(coap.OSCORE)
            if option:
                assert used.setdefault(option[: 1 + (option[0] & 7)], message.payload) == message.payload, (
                    "a number for two messages"
                )
    assert world.app.endpoint.security._context._next >= 2 * limits.SEQUENCE_CHUNK


async def refuse(world: Bootstrapped) -> None:
    """The account is revoked: the server does not know the lamp any more."""

    def refuse(request: Message) -> Message:
        world.server.registrations.append("refused")
        return Message(coap.FORBIDDEN)

    world.server.endpoint._server._handler = refuse


async def test_an_account_that_is_refused_five_times_leads_back_to_the_bootstrap_server(world: Bootstrapped) -> None:
    await world.begin()
    await world.until(world.is_in)
    handler = world.server.endpoint._server._handler
    await refuse(world)
    await world.until(lambda: len(world.knocking.asked) == 2, 1_800_000)
    assert world.server.registrations.count("refused") == 6, "an update, and five registrations"
    world.server.endpoint._server._handler = handler
    await world.until(lambda: world.app.client.is_registered())
    assert world.board.driven[-1][1] == 1000


async def test_without_a_bootstrap_server_the_old_account_is_tried_again(world: Bootstrapped) -> None:
    await world.begin()
    await world.until(world.is_in)
    handler = world.server.endpoint._server._handler
    await refuse(world)
    world.network.drop = of_bootstrap
    await world.until(
        lambda: any("bootstrap ends" in line and "account=old" in line for line in world.lines), 3_600_000
    )
    assert world.kept()["account"] == 101
    world.server.endpoint._server._handler = handler
    await world.until(lambda: world.app.client.is_registered(), 300_000)


async def test_a_busy_bootstrap_server_is_left_alone_as_long_as_it_says(world: Bootstrapped) -> None:
    world.knocking.refusal = Message(coap.SERVICE_UNAVAILABLE)
    world.knocking.refusal.add(coap.MAX_AGE, 100)
    await world.begin()
    await world.until(lambda: world.knocking.asked)
    await world.clock.advance(95_000)
    assert len(world.knocking.asked) == 1
    world.knocking.refusal = None
    await world.until(world.is_in)


async def test_the_server_may_send_a_lamp_to_the_bootstrap_server(world: Bootstrapped) -> None:
    await world.begin()
    await world.until(world.is_in)
    answer = await world.clock.run(world.server.ask(coap.POST, "1/0/9"))
    assert answer.code == coap.CHANGED
    await world.until(lambda: len(world.knocking.asked) == 2)
    await world.until(world.app.client.is_registered)


async def test_a_lamp_without_a_bootstrap_server_cannot_be_sent_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.power()
    await world.start()
    await world.until(lambda: world.server.reported("/42769/0/4"))
    assert (await world.clock.run(world.server.ask(coap.POST, "1/0/9"))).code == coap.NOT_FOUND
    assert Store(str(tmp_path)).load(RECORD) is None
    await world.end()


async def test_flash_that_does_not_take_the_account_is_told_and_the_bootstrap_may_be_finished_again(
    world: Bootstrapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    from firmware.errors import StorageError

    save = Store.save

    def fail(store: Store, name: str, data: Any, both: bool = False) -> None:
        if name == RECORD:
            raise StorageError("flash did not take it", "replace the controller")
        save(store, name, data, both)

    monkeypatch.setattr(Store, "save", fail)
    await world.begin()
    await world.until(lambda: world.knocking.said)
    assert world.knocking.answers[-1] == coap.SERVICE_UNAVAILABLE
    monkeypatch.setattr(Store, "save", save)
    await world.clock.run(world.knocking.ask(coap.POST, "bs"))
    await world.until(world.is_in)
