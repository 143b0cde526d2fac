"""The lamp's own codecs and OSCORE against the server's: two implementations that share nothing but the contract."""

import asyncio
import os

import pytest

from contract.paths import parse
from contract.senml import Record
from firmware.coap import message as coap
from firmware.codec import cbor, senml
from firmware.oscore.context import Context
from firmware.oscore.errors import Refused
from firmware.oscore.protect import Oscore
from tests.backend.device_server.conftest import enrol
from tests.backend.device_server.peers import ENDPOINT, OBJECTS, SALT, SECRET, SENDER_ID
from tests.backend.waiting import PATIENCE_S


class Station:
    """One socket with the firmware's security and messages over it."""

    def __init__(self, raw):
        self._raw = raw
        self.security = Oscore(Context(SENDER_ID, b"\x01", SECRET, lambda limit: None, SALT), os.urandom)
        self._mid = 0

    async def request(self, code, path, options=(), payload=b""):
        request = coap.Message(code, options=list(options), payload=payload)
        request.add_path(path)
        response = await self._once(request)
        echo = response.option(coap.ECHO)
        if echo is not None:
            request.add(coap.ECHO, echo)
            response = await self._once(request)
        return response

    async def _once(self, request):
        self._mid += 1
        outer, binding = self.security.protect_request(request)
        outer.mid, outer.token = self._mid, bytes([self._mid])
        self._raw.transport.sendto(coap.encode(outer))
        return self.security.unprotect_response(coap.decode(await self._raw.received.get()), binding)

    async def serve(self, answer):
        """Answer one request of the server, with Echo when this station wants it."""
        while True:
            outer = coap.decode(await self._raw.received.get())
            try:
                request, binding = self.security.unprotect_request(outer)
            except Refused as refused:
                self._send(refused.response, outer)
                continue
            self._send(self.security.protect_response(answer(request), binding), outer)
            return request

    def _send(self, response, outer):
        response.type, response.mid, response.token = coap.ACK, outer.mid, outer.token
        self._raw.transport.sendto(coap.encode(response))


@pytest.fixture
async def station(server, make_raw):
    return Station(await make_raw(server))


def query(*texts):
    return [(coap.URI_QUERY, text.encode()) for text in texts]


def content_format(number):
    return (coap.CONTENT_FORMAT, coap.encode_uint(number))


async def test_the_firmware_registers_asks_the_time_and_reports(make_server, database, make_raw, clock):
    reports = []
    server = await make_server([lambda connection, group: reports.extend(group)])
    enrol(server, database)
    station = Station(await make_raw(server))
    options = [content_format(40), *query(f"ep={ENDPOINT}", "lt=300", "lwm2m=1.1", "b=U")]
    async with asyncio.timeout(PATIENCE_S):
        registered = await station.request(coap.POST, "rd", options, OBJECTS)
        assert registered.code == coap.CREATED and registered.location().startswith("rd/")
        now = await station.request(coap.GET, "time")
        assert cbor.decode(now.payload) == clock.lighting
        records = [
            Record(parse("/3418/0/1"), 1_700_000_000, 231.5),
            Record(parse("/3416/0/54"), 1_700_000_060, True),
            Record(parse("/42769/0/0"), 1_700_000_060, "schedule"),
        ]
        body = senml.encode_cbor(records, 1_700_000_000)
        assert (await station.request(coap.POST, "dp", [content_format(112)], body)).code == coap.CHANGED
    assert reports[0].records == records


async def test_the_server_writes_and_reads_the_firmware(server, station):
    async with asyncio.timeout(PATIENCE_S):
        await station.request(coap.GET, "time")
        serving = asyncio.ensure_future(station.serve(lambda request: coap.Message(coap.CHANGED)))
        await server.gateway.write_composite(7, {"/3416/0/1": 40, "/3416/0/51": 1_800_000_000})
        request = await serving
        assert senml.decode_cbor(request.payload) == [
            Record(parse("/3416/0/1"), None, 40),
            Record(parse("/3416/0/51"), None, 1_800_000_000),
        ]
        body = senml.encode_cbor([Record(parse("/42769/0/3"), None, "0123456789abcdef")])
        answer = coap.Message(coap.CONTENT, options=[content_format(112)], payload=body)
        serving = asyncio.ensure_future(station.serve(lambda request: answer))
        assert await server.gateway.read(7, "/42769/0/3") == "0123456789abcdef"
        await serving
