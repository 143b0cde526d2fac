"""The bootstrap server against a scripted lamp that does OSCORE with stock aiocoap."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import cbor2
import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.oscore import NotAProtectedMessage
from sqlalchemy import select

from backend.db import Database
from backend.device_server import repository
from backend.device_server.server import DeviceServer
from contract.limits import SERVER_ID
from tests.backend.device_server.conftest import LAMP_ID, enrol
from tests.backend.device_server.peers import ENDPOINT, SALT, SECRET, SENDER_ID, Context, FakeClock, Lamp
from tests.backend.waiting import PATIENCE_S, until

KNOCK_ID, KNOCK_SECRET = b"\x77\x01", bytes(range(30, 46))
URI = "coap://lights.example.org:5683"
ASK = f"/bs?ep={ENDPOINT}&pct=112"


class Client:
    """What a lamp does while it is bootstrapped: takes everything, and remembers it."""

    def __init__(self, lamp: Lamp) -> None:
        self.lamp = lamp
        self.steps: list[str] = []
        self.written: dict[tuple[str, ...], dict[int, Any]] = {}
        self.fate: Callable[[Message], Message | None] = lambda request: None
        self.finished = asyncio.Event()
        lamp.tree.answer = self._answer

    def _answer(self, request: Message) -> Message:
        path = request.opt.uri_path
        self.steps.append(f"{request.code.name} /{'/'.join(path)}")
        fate = self.fate(request)
        if fate is not None:
            return fate
        if request.code == Code.DELETE:
            self.written.clear()
            return Message(code=Code.DELETED)
        if request.code == Code.GET:
            return Message(code=Code.CONTENT, payload=b"</>;lwm2m=1.1,</0/0>,</0/1>,</21/2>", content_format=40)
        if request.code == Code.PUT:
            assert request.opt.content_format == 112
            base, values = "", {}
            for record in cbor2.loads(request.payload):
                base = record.get(-2, base)
                name = base + record.get(0, "")
                values[int(name.rpartition("/")[2])] = next(
                    value for label, value in record.items() if label not in (-2, 0)
                )
            self.written[path] = values
            return Message(code=Code.CHANGED)
        self.finished.set()
        return Message(code=Code.CHANGED)

    async def bootstrap(self) -> Context:
        """Ask, be written to, and come back with the keys that were given."""
        self.finished.clear()
        answer = await self.lamp.request(Code.POST, ASK)
        assert answer.code == Code.CHANGED
        async with asyncio.timeout(PATIENCE_S):
            await self.finished.wait()
        return self.context()

    def context(self) -> Context:
        keys = next(values for path, values in self.written.items() if path[0] == "21")
        assert keys[5] != SALT
        context = Context(keys[1], keys[0])
        context.derive_keys(keys[5], keys[0])
        return context


def invite(server: DeviceServer, database: Database, **changes: Any) -> None:
    """Let lamp 7 bootstrap."""
    keys = {"endpoint": ENDPOINT, "sender_id": KNOCK_ID, "secret": KNOCK_SECRET, "salt": SALT, **changes}
    with database.session(writes=True) as session:
        server.credentials.add_bootstrap(session, LAMP_ID, **keys)


@pytest.fixture
async def inviting(make_server: Any, database: Database) -> DeviceServer:
    server: DeviceServer = await make_server(server_uri=URI)
    invite(server, database)
    return server


@pytest.fixture
async def client(inviting: DeviceServer, make_lamp: Any) -> Client:
    return Client(await make_lamp(inviting, Context(KNOCK_ID, KNOCK_SECRET)))


def row(database: Database) -> Any:
    with database.reading() as connection:
        return connection.execute(select(repository.bootstraps)).mappings().one()


def fleet_row(database: Database) -> Any:
    with database.reading() as connection:
        return connection.execute(select(repository.credentials)).mappings().first()


async def is_unknown(asking: Any) -> bool:
    """Whether the server does not know the keys: what it says then is in the open."""
    try:
        await asking
    except NotAProtectedMessage as error:
        return bool(error.plain_message.code == Code.UNAUTHORIZED)
    return False


@pytest.fixture
async def registered(inviting: DeviceServer, make_lamp: Any) -> AsyncIterator[Callable[[Context], Any]]:
    async def register(context: Context) -> Message:
        lamp: Lamp = await make_lamp(inviting, context)
        return await lamp.register()

    yield register


async def test_a_lamp_gets_its_account_and_registers_with_it(
    client: Client, inviting: DeviceServer, database: Database, registered: Any
) -> None:
    context = await client.bootstrap()
    assert client.steps == ["DELETE /", "GET /", "PUT /0/3", "PUT /21/3", "PUT /1/0", "POST /bs"]
    where = client.written["0", "3"]
    assert (where[0], where[1], where[2], where[10], where[17]) == (URI, False, 3, 1, "21:3")
    assert client.written["21", "3"][2] == SERVER_ID
    assert client.written["1", "0"] == {0: 1, 1: 300, 6: True, 7: "U"}
    await until(lambda: inviting.counters.bootstraps == 1)
    assert row(database)["pending_secret"] is None
    assert fleet_row(database)["secret"] == client.written["21", "3"][0]
    assert (await registered(context)).code == Code.CREATED


async def test_bootstrap_keys_open_nothing_else_and_fleet_keys_no_bootstrap(
    client: Client, inviting: DeviceServer, make_lamp: Any
) -> None:
    context = await client.bootstrap()
    assert (await client.lamp.register()).code == Code.FORBIDDEN
    assert (await client.lamp.report()).code == Code.FORBIDDEN
    assert (await client.lamp.request(Code.GET, "/time")).code == Code.FORBIDDEN
    assert (await client.lamp.request(Code.GET, ASK)).code == Code.METHOD_NOT_ALLOWED
    assert (await client.lamp.request(Code.POST, "/bs?ep=another")).code == Code.FORBIDDEN
    assert (await client.lamp.request(Code.POST, "/bs")).code == Code.BAD_REQUEST
    assert len(inviting.sessions) == 0, "the bootstrap is no sign of life of the lamp"
    fleet = await make_lamp(inviting, context)
    assert (await fleet.request(Code.POST, ASK)).code == Code.NOT_FOUND
    assert (await fleet.register()).code == Code.CREATED


async def test_nobody_bootstraps_without_protection_on_a_street(inviting: DeviceServer, make_lamp: Any) -> None:
    stranger = await make_lamp(inviting)
    assert (await stranger.request(Code.POST, ASK)).code == Code.UNAUTHORIZED


async def test_a_lamp_whose_last_word_was_lost_comes_in_with_its_new_keys(
    client: Client, inviting: DeviceServer, database: Database, registered: Any
) -> None:
    client.fate = lambda request: Message(code=Code.INTERNAL_SERVER_ERROR) if request.code == Code.POST else None
    assert (await client.lamp.request(Code.POST, ASK)).code == Code.CHANGED
    await until(lambda: inviting.counters.bootstrap_failures == 1)
    assert fleet_row(database) is None and row(database)["pending_secret"] is not None
    assert (await registered(client.context())).code == Code.CREATED
    assert row(database)["pending_secret"] is None
    assert fleet_row(database)["secret"] == client.written["21", "3"][0]
    # Number by number the server goes on, beyond all that bootstrap and pending keys may have used.
    assert fleet_row(database)["ssn_reserved"] >= row(database)["ssn_reserved"] > 0


async def test_the_keys_before_hold_until_the_new_ones_were_used(
    client: Client, inviting: DeviceServer, database: Database, make_lamp: Any
) -> None:
    first = await client.bootstrap()
    await until(lambda: inviting.counters.bootstraps == 1)
    lamp = await make_lamp(inviting, first)
    assert (await lamp.register()).code == Code.CREATED
    client.fate = lambda request: Message(code=Code.INTERNAL_SERVER_ERROR) if request.code == Code.POST else None
    await client.lamp.request(Code.POST, ASK)
    await until(lambda: inviting.counters.bootstrap_failures == 1)
    assert (await lamp.report()).code == Code.CHANGED, "a bootstrap that failed takes nothing away"
    second = client.context()
    assert second.sender_id != first.sender_id
    again = await make_lamp(inviting, second)
    assert (await again.register()).code == Code.CREATED
    assert await is_unknown(lamp.report()), "and now the old ones are gone"


async def test_each_bootstrap_draws_anew_and_only_the_last_keys_are_good(
    client: Client, inviting: DeviceServer, registered: Any, make_lamp: Any
) -> None:
    client.fate = lambda request: Message(code=Code.INTERNAL_SERVER_ERROR) if request.code == Code.POST else None
    await client.lamp.request(Code.POST, ASK)
    await until(lambda: inviting.counters.bootstrap_failures == 1)
    first = client.context()
    client.fate = lambda request: None
    second = await client.bootstrap()
    assert first.sender_id != second.sender_id
    await until(lambda: inviting.counters.bootstraps == 1)
    assert (await registered(second)).code == Code.CREATED
    assert await is_unknown(registered(first))


async def test_a_lamp_that_asks_again_in_the_middle_is_written_to_from_the_beginning(
    client: Client, inviting: DeviceServer, registered: Any
) -> None:
    asked = asyncio.Event()

    def fate(request: Message) -> Message | None:
        if request.code == Code.PUT and not asked.is_set():
            asked.set()
            return Message(code=Code.SERVICE_UNAVAILABLE)
        return None

    client.fate = fate
    await client.lamp.request(Code.POST, ASK)
    await asked.wait()
    context = await client.bootstrap()
    assert (await registered(context)).code == Code.CREATED


async def test_a_lamp_that_refuses_the_account_keeps_what_it_had(
    client: Client, inviting: DeviceServer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = Message(code=Code.NOT_ACCEPTABLE, payload=b"no such lifetime")
    client.fate = lambda request: refusal if request.code == Code.POST else None
    await client.lamp.request(Code.POST, ASK)
    await until(lambda: inviting.counters.bootstrap_failures == 1)
    assert "no such lifetime" in caplog.text
    assert fleet_row(database) is None


async def test_a_revocation_takes_effect_at_once_also_for_bootstrap_and_pending_keys(
    client: Client, inviting: DeviceServer, database: Database, registered: Any
) -> None:
    client.fate = lambda request: Message(code=Code.INTERNAL_SERVER_ERROR) if request.code == Code.POST else None
    await client.lamp.request(Code.POST, ASK)
    await until(lambda: inviting.counters.bootstrap_failures == 1)
    with database.session(writes=True) as session:
        inviting.credentials.revoke(session, LAMP_ID)
    assert await is_unknown(client.lamp.request(Code.POST, ASK))
    assert await is_unknown(registered(client.context()))


async def test_keys_of_the_lamp_itself_end_its_bootstrap_and_other_bootstrap_keys_end_its_own(
    client: Client, inviting: DeviceServer, database: Database, registered: Any
) -> None:
    context = await client.bootstrap()
    await until(lambda: inviting.counters.bootstraps == 1)
    invite(inviting, database)
    assert (await registered(context)).code == Code.CREATED, "the same again changes nothing"
    invite(inviting, database, sender_id=b"other", secret=bytes(range(60, 76)))
    assert await is_unknown(registered(context)), "another controller: what this one had is over"
    assert await is_unknown(client.lamp.request(Code.POST, ASK))
    enrol(inviting, database)
    assert (await registered(Context(SENDER_ID, SECRET))).code == Code.CREATED
    with database.reading() as connection:
        assert repository.find_keys(connection, b"other") is None


async def test_a_city_that_asks_together_is_served_in_turn(
    make_server: Any, database: Database, make_lamp: Any
) -> None:
    server = await make_server(server_uri=URI, bootstraps=0)
    invite(server, database)
    lamp = await make_lamp(server, Context(KNOCK_ID, KNOCK_SECRET))
    answer = await lamp.request(Code.POST, ASK)
    assert (answer.code, answer.opt.max_age) == (Code.SERVICE_UNAVAILABLE, 30)


async def test_a_server_that_does_not_know_its_address_says_so_and_bootstraps_nobody(
    make_server: Any, database: Database, make_lamp: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = await make_server()
    invite(server, database)
    lamp = await make_lamp(server, Context(KNOCK_ID, KNOCK_SECRET))
    assert (await lamp.request(Code.POST, ASK)).code == Code.SERVICE_UNAVAILABLE
    assert "STREETLIGHT_COAP_URI" in caplog.text


async def test_no_key_is_logged(client: Client, inviting: DeviceServer, caplog: pytest.LogCaptureFixture) -> None:
    await client.bootstrap()
    await until(lambda: inviting.counters.bootstraps == 1)
    secret = client.written["21", "3"][0]
    for spelling in (secret.hex(), repr(secret), KNOCK_SECRET.hex()):
        assert spelling not in caplog.text


async def test_a_restart_between_the_finish_and_the_first_message_loses_nothing(
    client: Client, inviting: DeviceServer, make_server: Any, make_lamp: Any, clock: FakeClock
) -> None:
    client.fate = lambda request: Message(code=Code.INTERNAL_SERVER_ERROR) if request.code == Code.POST else None
    await client.lamp.request(Code.POST, ASK)
    await until(lambda: inviting.counters.bootstrap_failures == 1)
    await inviting.stop()
    again = await make_server(server_uri=URI)
    lamp = await make_lamp(again, client.context())
    assert (await lamp.register()).code == Code.CREATED
