"""A true lamp that knows only the bootstrap server, against `streetlight serve`; and a client of another make in the
laboratory, on nothing but aiocoap and the standard."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.oscore import NotAProtectedMessage

from contract.senml import TLV
from hil.street import city
from hil.street.backend import Api, Backend
from hil.street.lamp import Lamp
from hil.street.plan import Pole, plan
from tests.backend.device_server.peers import Context
from tests.backend.device_server.peers import Lamp as Peer
from tests.system.relay import Datagram, Relay
from tests.system.test_third_party import resources
from tests.system.waiting import free_ports, until

FAR = 1 << 30
"""A sequence number that the lamp itself never reaches: it is not heard with these keys any more."""
SETTINGS: dict[str, object] = {"registration_jitter_s": 0}


class Invited:
    """A backend, the relay in front of it, and a lamp that knows the bootstrap server only."""

    def __init__(self, directory: Path, image: Path) -> None:
        http_port, coap_port = free_ports()
        self.relay = Relay(coap_port)
        self.relay.start()
        uri = f"coap://127.0.0.1:{self.relay.port}"
        self.backend = Backend(directory, http_port, coap_port, environment={"STREETLIGHT_COAP_URI": uri})
        self.backend.start()
        token = self.backend.command("token", "create", "--name", "tests", "--role", "admin").strip()
        self.api = Api(self.backend.url, token)
        self.pole: Pole = plan(1)[0]
        self.identifier = enrol(self.api, self.pole, bootstrap=True)
        self.lamp = Lamp(self.pole, directory / "lamp", image, ("127.0.0.1", self.relay.port), {}, SETTINGS)
        identity = self.lamp.flash / "identity.json"
        identity.write_text(json.dumps({**json.loads(identity.read_text()), "bootstrap": True}))

    def bootstraps(self) -> int:
        return self.backend.log_file.read_text().count(f"lamp={self.pole.endpoint} bootstrapped")

    def registrations(self) -> int:
        return self.backend.log_file.read_text().count(f"lamp={self.pole.endpoint} registered")

    def close(self) -> None:
        self.lamp.power_off()
        self.relay.close()
        self.api.close()
        self.backend.stop()


def enrol(api: Api, pole: Pole, **changes: Any) -> int:
    body = {
        "endpoint": pole.endpoint,
        "sender_id": pole.mac.hex(),
        "master_secret": pole.master_secret.hex(),
        "master_salt": pole.master_salt.hex(),
        "latitude": pole.latitude,
        "longitude": pole.longitude,
        "time_zone": "Asia/Ho_Chi_Minh",
        **changes,
    }
    return int(api.post("/enrolments", body)["lamp"]["id"])


@pytest.fixture(scope="module")
def invited(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Invited]:
    made = Invited(tmp_path_factory.mktemp("invited"), image)
    yield made
    made.close()


def test_a_lamp_that_knows_the_bootstrap_server_only_registers_with_keys_that_nobody_had(invited: Invited) -> None:
    invited.lamp.power_on()
    until(invited.registrations, 20, "the lamp is registered")
    until(lambda: invited.api.get(f"/lamps/{invited.identifier}")["status"] == "online", 10, "the API says so")
    assert invited.bootstraps() == 1
    kept = (invited.lamp.flash / "account.a").read_bytes()
    assert invited.pole.master_secret.hex().encode() not in kept
    log = invited.backend.log_file.read_text() + invited.lamp.log()
    assert invited.pole.master_secret.hex() not in log
    # The next start needs no bootstrap any more.
    invited.lamp.power_off()
    invited.lamp.power_on()
    until(lambda: invited.registrations() == 2, 20, "registered with the account that was kept")
    assert invited.bootstraps() == 1


def cut_after(invited: Invited, count: int) -> Callable[[Datagram], bytes | None]:
    """Lets `count` datagrams of a bootstrap pass; with the next the lamp loses its power."""
    seen = [0]

    def change(datagram: Datagram) -> bytes | None:
        seen[0] += 1
        if seen[0] <= count:
            return datagram.data
        if seen[0] == count + 1:
            invited.lamp.power_off()
        return None

    return change


@pytest.mark.parametrize("count", range(14))
def test_a_lamp_whose_power_is_cut_at_any_step_of_the_bootstrap_is_bootstrapped_by_its_next_start(
    invited: Invited, count: int
) -> None:
    invited.lamp.power_off()
    for name in ("account.a", "account.b"):
        (invited.lamp.flash / name).unlink(missing_ok=True)
    invited.relay.forget()
    invited.relay.change = cut_after(invited, count)
    invited.lamp.power_on()
    until(lambda: not invited.lamp.alive, 20, f"power is cut after {count} datagrams")
    invited.relay.change = lambda datagram: datagram.data
    before = invited.registrations()
    invited.lamp.power_on()
    until(lambda: invited.registrations() > before, 40, "registered after all")
    assert invited.lamp.exit_codes == []


def test_the_bootstrap_keys_open_the_bootstrap_only(invited: Invited) -> None:
    async def ask() -> list[Code]:
        context = Context(invited.pole.mac, invited.pole.master_secret, FAR)
        context.derive_keys(invited.pole.master_salt, invited.pole.master_secret)
        peer = await Peer.open(invited.backend.coap_port, context)
        try:
            answers = [await peer.register(invited.pole.endpoint), await peer.report()]
            return [answer.code for answer in answers]
        finally:
            await peer.close()

    assert asyncio.run(ask()) == [Code.FORBIDDEN, Code.FORBIDDEN]


def test_a_lamp_that_is_revoked_is_neither_registered_nor_bootstrapped(invited: Invited) -> None:
    invited.lamp.power_off()
    replaced = plan(1)[0]
    enrol(
        invited.api,
        invited.pole,
        master_secret=replaced.master_secret.hex(),
        master_salt=replaced.master_salt.hex(),
        bootstrap=True,
        replace=True,
    )

    async def ask() -> None:
        context = Context(invited.pole.mac, invited.pole.master_secret, 2 * FAR)
        context.derive_keys(invited.pole.master_salt, invited.pole.master_secret)
        peer = await Peer.open(invited.backend.coap_port, context)
        try:
            await peer.request(Code.POST, f"/bs?ep={invited.pole.endpoint}")
        finally:
            await peer.close()

    with pytest.raises(NotAProtectedMessage):
        asyncio.run(ask())


class Strange:
    """A client of LwM2M 1.0's age: TLV, no Discover in its bootstrap, one server."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, bytes]] = {}
        self.finished = asyncio.Event()

    def answer(self, request: Message) -> Message:
        path = "/".join(request.opt.uri_path)
        if request.code == Code.DELETE and not path:
            self.objects.clear()
            return Message(code=Code.DELETED)
        if request.code == Code.PUT:
            if request.opt.content_format != TLV:
                return Message(code=Code.UNSUPPORTED_CONTENT_FORMAT)
            self.objects[path] = resources(request.payload)
            return Message(code=Code.CHANGED)
        if request.code == Code.POST and path == "bs":
            is_whole = any(path.startswith("0/") for path in self.objects) and "1/0" in self.objects
            self.finished.set()
            return Message(code=Code.CHANGED if is_whole else Code.NOT_ACCEPTABLE)
        return Message(code=Code.METHOD_NOT_ALLOWED)


@pytest.fixture
def laboratory(tmp_path: Path) -> Iterator[tuple[Backend, Api]]:
    http_port, coap_port = free_ports()
    environment = {"STREETLIGHT_ALLOW_INSECURE": "true", "STREETLIGHT_COAP_URI": f"coap://127.0.0.1:{coap_port}"}
    backend = Backend(tmp_path, http_port, coap_port, environment=environment)
    backend.start()
    api = Api(backend.url, backend.command("token", "create", "--name", "tests", "--role", "admin").strip())
    yield backend, api
    api.close()
    backend.stop()


@pytest.mark.parametrize("preferred", ["", "&pct=11542", "&pct=112"])
async def test_a_client_of_another_make_is_bootstrapped_in_the_laboratory(
    laboratory: tuple[Backend, Api], preferred: str
) -> None:
    backend, api = laboratory
    pole, strange = plan(1)[0], Strange()
    identifier = (await asyncio.to_thread(city.enrol, api, [pole]))[pole.endpoint]
    peer = await Peer.open(backend.coap_port)
    try:
        peer.tree.answer = strange.answer
        answer = await peer.request(Code.POST, f"/bs?ep={pole.endpoint}{preferred}")
        assert answer.code == Code.CHANGED
        async with asyncio.timeout(10):
            await strange.finished.wait()
        where = strange.objects["0/1"]
        assert where[0].decode() == f"coap://127.0.0.1:{backend.coap_port}"
        assert (where[1], where[2], where[10]) == (b"\0", b"\3", strange.objects["1/0"][0])
        lifetime_s = int.from_bytes(strange.objects["1/0"][1], "big")
        answer = await peer.register(pole.endpoint, f"&lt={lifetime_s}&lwm2m=1.0&b=U")
        assert answer.code == Code.CREATED
        seen = await asyncio.to_thread(api.get, f"/lamps/{identifier}")
        assert (seen["status"], seen["lifetime_s"]) == ("online", lifetime_s)
    finally:
        await peer.close()
