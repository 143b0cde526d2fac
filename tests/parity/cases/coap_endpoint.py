"""Two endpoints on the interpreter's own asyncio: requests, blocks, a slow handler, a notification."""

import asyncio

from firmware.coap import message as coap
from firmware.coap.endpoint import Endpoint, Plain
from firmware.coap.errors import RequestError
from firmware.coap.message import OBSERVE, Message
from firmware.coap.tuning import Tuning


class Board:
    """A tick passes with every turn that a sleeper waits: quick, and the same everywhere."""

    def __init__(self):
        self.ticks = 0

    def ticks_ms(self):
        return self.ticks

    async def sleep_ms(self, ms):
        for _ in range(ms):
            self.ticks += 1
            await asyncio.sleep(0)

    def random(self, n):
        return bytes(range(n))


class Udp:
    def __init__(self):
        self.peer = None
        self.lose = 0
        self._arrived = []
        self._readable = asyncio.Event()

    def send(self, data, address):
        if self.lose:
            self.lose -= 1
            raise OSError(12)
        self.peer._arrived.append((data, "peer"))
        self.peer._readable.set()

    async def receive(self):
        while not self._arrived:
            self._readable.clear()
            await self._readable.wait()
        return self._arrived.pop(0)


kept = []


async def slow(board):
    await board.sleep_ms(2000)
    return Message(coap.CHANGED, payload=b"done")


async def main():
    board = Board()
    here, there = Udp(), Udp()
    here.peer, there.peer = there, here

    def handler(request):
        if request.path() == "slow":
            return slow(board)
        if request.path() == "broken":
            raise KeyError(request.path())
        if request.observation is not None:
            kept.append(request.observation)
        return Message(coap.CONTENT, payload=bytes(reversed(request.payload))).add(OBSERVE, 0)

    tuning = Tuning(ack_timeout_ms=200, max_retransmit=2, max_latency_ms=100000)
    lines = []

    def log(words, **values):
        lines.append(words)

    lamp = Endpoint(board, here, Plain(), None, tuning)
    server = Endpoint(board, there, Plain(), handler, tuning, log=log)
    tasks = [asyncio.create_task(lamp.run()), asyncio.create_task(server.run())]
    for path, payload in (("a", b"123"), ("b", bytes(range(250)) * 8), ("slow", b""), ("broken", b"")):
        here.lose = 1
        response = await lamp.request(coap.POST, path, "peer", payload=payload)
        print(path, coap.format_code(response.code), response.type, len(response.payload), response.payload[:16])
    await lamp.ping("peer")
    response = await lamp.request(coap.GET, "c", "peer", options=[(OBSERVE, b"")])
    print(response.uint(OBSERVE), len(server.observations))
    print(server.notify(kept[0], Message(coap.CONTENT, payload=b"new")))
    await board.sleep_ms(50)
    print(len(server.observations), "the lamp knows no observation and rejected it")
    here._arrived.append((b"", "peer"))
    here._readable.set()
    here.lose = 100
    try:
        await lamp.request(coap.GET, "d", "peer")
    except RequestError as error:
        print(error)
    print(lines, lamp.counters.malformed, server.counters.failed)
    for task in tasks:
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
    await board.sleep_ms(5)


asyncio.run(main())
