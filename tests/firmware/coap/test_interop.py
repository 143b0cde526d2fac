"""Our endpoint against aiocoap, as client and as server, over UDP on 127.0.0.1 and in real time."""

import asyncio
import contextlib
import os
import socket
import time

import aiocoap
import pytest
from aiocoap import resource

from firmware.coap import message as coap
from firmware.coap.endpoint import Endpoint, Plain
from firmware.coap.message import ACK, CON, OBSERVE, Message
from firmware.coap.tuning import Tuning

BODY = bytes(range(256)) * 12


class Host:
    """The board's verbs that an endpoint needs, in real time."""

    def ticks_ms(self):
        return time.monotonic_ns() // 1_000_000

    async def sleep_ms(self, ms):
        await asyncio.sleep(ms / 1000)

    def random(self, n):
        return os.urandom(n)


class HostUdp:
    """The UDP seam over a socket of the host."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self.address = self._socket.getsockname()

    def send(self, data, address):
        self._socket.sendto(data, address)

    async def receive(self):
        return await asyncio.get_running_loop().sock_recvfrom(self._socket, 1280)

    def close(self):
        self._socket.close()


@contextlib.asynccontextmanager
async def lamp(handler=None):
    """A running endpoint of ours, in a hurry: a slow request is acknowledged after 50 ms."""
    udp = HostUdp()
    endpoint = Endpoint(Host(), udp, Plain(), handler, Tuning(ack_timeout_ms=100, max_retransmit=6))
    endpoint.address = udp.address
    task = asyncio.create_task(endpoint.run())
    yield endpoint
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    udp.close()


class Large(resource.Resource):
    async def render_get(self, request):
        return aiocoap.Message(payload=BODY)

    async def render_post(self, request):
        return aiocoap.Message(code=aiocoap.CHANGED, payload=request.payload[::-1])


class Slow(resource.Resource):
    async def render_get(self, request):
        await asyncio.sleep(0.3)
        return aiocoap.Message(payload=b"at last")


class Echoing(resource.Resource):
    async def render_get(self, request):
        if request.opt.echo != b"12345678":
            return aiocoap.Message(code=aiocoap.UNAUTHORIZED, echo=b"12345678")
        return aiocoap.Message(payload=b"fresh")


@contextlib.asynccontextmanager
async def server():
    """A running server of theirs: yields its address."""
    site = resource.Site()
    for name, made in (("large", Large()), ("slow", Slow()), ("echo", Echoing())):
        site.add_resource([name], made)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    context = await aiocoap.Context.create_server_context(site, bind=address, transports=["udp6"])
    yield address
    await context.shutdown()


@contextlib.asynccontextmanager
async def client():
    """A client of theirs."""
    context = await aiocoap.Context.create_client_context(transports=["udp6"])
    yield context
    await context.shutdown()


def uri(endpoint, path):
    host, port = endpoint.address
    return f"coap://{host}:{port}/{path}"


async def test_we_read_and_post_bodies_of_many_blocks():
    async with server() as address, lamp() as ours:
        response = await ours.request(coap.GET, "large", address)
        assert (response.code, response.payload) == (coap.CONTENT, BODY)
        response = await ours.request(coap.POST, "large", address, payload=BODY)
        assert (response.code, response.payload) == (coap.CHANGED, BODY[::-1])
        assert (await ours.request(coap.GET, "missing", address)).code == coap.NOT_FOUND
        await ours.ping(address)


async def test_we_wait_for_a_separate_response_and_answer_an_echo():
    async with server() as address, lamp() as ours:
        response = await ours.request(coap.GET, "slow", address)
        assert (response.type, response.payload) == (CON, b"at last")
        response = await ours.request(coap.GET, "echo", address)
        assert (response.type, response.payload) == (ACK, b"fresh")


async def test_they_read_and_post_bodies_of_many_blocks():
    def handler(request):
        if request.code == coap.POST:
            return Message(coap.CHANGED, payload=request.payload[::-1])
        return Message(coap.CONTENT, payload=BODY)

    async with lamp(handler) as ours, client() as theirs:
        response = await theirs.request(aiocoap.Message(code=aiocoap.GET, uri=uri(ours, "large"))).response
        assert response.payload == BODY
        request = aiocoap.Message(code=aiocoap.POST, uri=uri(ours, "large"), payload=BODY)
        assert (await theirs.request(request).response).payload == BODY[::-1]
        too_large = aiocoap.Message(code=aiocoap.POST, uri=uri(ours, "large"), payload=BODY * 4)
        response = await theirs.request(too_large).response
        assert response.code == aiocoap.REQUEST_ENTITY_TOO_LARGE


async def test_they_wait_for_our_separate_response():
    async def slow():
        await asyncio.sleep(0.2)
        return Message(coap.CHANGED, payload=b"flashed")

    async with lamp(lambda request: slow()) as ours, client() as theirs:
        response = await theirs.request(aiocoap.Message(code=aiocoap.POST, uri=uri(ours, "slow"))).response
        assert response.payload == b"flashed"


async def test_they_observe_what_we_notify():
    observations = []

    def handler(request):
        observations.append(request.observation)
        return Message(coap.CONTENT, payload=b"0").add(OBSERVE, 0)

    async with lamp(handler) as ours, client() as theirs:
        request = theirs.request(aiocoap.Message(code=aiocoap.GET, uri=uri(ours, "3/0/13"), observe=0))
        assert (await asyncio.wait_for(request.response, 5)).payload == b"0"
        notifications = aiter(request.observation)
        for confirmable, payload in ((False, b"1"), (True, b"2"), (False, BODY)):
            assert ours.notify(observations[0], Message(coap.CONTENT, payload=payload), confirmable)
            notification = await asyncio.wait_for(anext(notifications), 5)
            assert notification.payload == payload
        request.observation.cancel()
        for number in range(10):  # aiocoap takes one more, and then rejects confirmable ones only
            ours.notify(observations[0], Message(coap.CONTENT, payload=b"%d" % number), confirmable=True)
            await asyncio.sleep(0.02)
        assert not observations[0].is_active


@pytest.fixture(autouse=True)
def _no_second_instance(monkeypatch):
    monkeypatch.setenv("AIOCOAP_REUSE_PORT", "0")
