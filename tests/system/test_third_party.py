"""A lamp of another make against `streetlight serve` in laboratory mode: LwM2M 1.0 or 1.1, TLV only, no OSCORE."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code

from contract.senml import TLV
from hil.street import city
from hil.street.backend import Api, Backend
from hil.street.plan import plan
from tests.backend.device_server.peers import Lamp
from tests.system.waiting import free_ports

COMMAND, START, END, FADE = 1, 50, 51, 52
LEVEL = 25


class Strange:
    """What a simple controller knows: 3416/0, written and read as TLV; everything else is 4.04, and no composites."""

    def __init__(self) -> None:
        self.written: dict[int, bytes] = {}

    def answer(self, request: Message) -> Message:
        path = request.opt.uri_path
        if request.code in (Code.FETCH, Code.iPATCH):
            return Message(code=Code.METHOD_NOT_ALLOWED)
        if path[:2] != ("3416", "0"):
            return Message(code=Code.NOT_FOUND)
        if request.code in (Code.POST, Code.PUT):
            if request.opt.content_format != TLV:
                return Message(code=Code.UNSUPPORTED_CONTENT_FORMAT)
            self.written |= resources(request.payload)
            return Message(code=Code.CHANGED)
        return Message(code=Code.CONTENT, payload=b"\xc1\x01\x19", content_format=TLV)


def resources(data: bytes) -> dict[int, bytes]:
    """Resources with a value, as LwM2M Core 1.1, 7.4.3 has them; ids and lengths of one byte or two."""
    found = {}
    while data:
        kind, data = data[0], data[1:]
        assert kind >> 6 == 3, "a resource with a value"
        width = 1 + (kind >> 5 & 1)
        number, data = int.from_bytes(data[:width], "big"), data[width:]
        lengths = kind >> 3 & 3
        length = int.from_bytes(data[:lengths], "big") if lengths else kind & 7
        found[number], data = data[lengths : lengths + length], data[lengths + length :]
    return found


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, Api]]:
    http_port, coap_port = free_ports()
    directory: Path = tmp_path_factory.mktemp("laboratory")
    backend = Backend(directory, http_port, coap_port, environment={"STREETLIGHT_ALLOW_INSECURE": "true"})
    backend.start()
    api = Api(backend.url, backend.command("token", "create", "--name", "tests", "--role", "admin").strip())
    yield backend, api
    api.close()
    backend.stop()


@pytest.mark.parametrize("number, version", [(0, "1.0"), (1, "1.1")])
async def test_a_lamp_of_another_make_is_seen_and_obeys(
    laboratory: tuple[Backend, Api], number: int, version: str
) -> None:
    backend, api = laboratory
    pole, strange = plan(2)[number], Strange()
    identifiers = await asyncio.to_thread(city.enrol, api, [pole])
    identifier = identifiers[pole.endpoint]
    lamp = await Lamp.open(backend.coap_port)
    try:
        lamp.tree.answer = strange.answer
        links = b'</>;rt="oma.lwm2m";ct=11542,</3416/0>'
        answer = await lamp.register(pole.endpoint, f"&lt=60&lwm2m={version}&b=U", payload=links)
        assert answer.code == Code.CREATED
        seen = await asyncio.to_thread(api.get, f"/lamps/{identifier}")
        assert (seen["status"], seen["lifetime_s"]) == ("online", 60)
        body = {"lamp_id": identifier, "level": LEVEL, "fade_s": 2, "duration_s": 600, "reason": "another make"}
        override = (await asyncio.to_thread(api.post, "/overrides", body))["id"]
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(_is, api, override, "received"):
                await asyncio.sleep(0.02)
        assert strange.written[COMMAND] == bytes([LEVEL])
        assert int.from_bytes(strange.written[END], "big") > 1_700_000_000
        assert set(strange.written) == {COMMAND, START, END, FADE}
        await asyncio.to_thread(api.delete, f"/overrides/{override}")
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(_is, api, override, "cancelled"):
                await asyncio.sleep(0.02)
        assert int.from_bytes(strange.written[END], "big") == 0
    finally:
        await lamp.close()


def _is(api: Api, override: int, state: str) -> bool:
    return bool(api.get(f"/overrides/{override}/outcomes")["items"][0]["state"] == state)
