"""Two endpoints and the network between them, for the tests of this folder."""

import asyncio
import contextlib

from firmware.coap import message as coap
from firmware.coap.endpoint import Endpoint, Plain
from firmware.coap.message import Message
from tests.firmware.fakes.board import FakeBoard
from tests.firmware.fakes.clock import VirtualClock
from tests.firmware.fakes.network import FakeNetwork

LAMP = ("192.0.2.1", 5683)
SERVER = ("192.0.2.2", 5683)


class Resource:
    """A handler that answers everything, and remembers what it was asked."""

    def __init__(self):
        self.seen = []
        self.response = None
        self.error = None

    def __call__(self, request):
        self.seen.append(request)
        if self.error is not None:
            raise self.error
        return self.response or Message(coap.CONTENT, payload=b"got " + request.payload)


class Street:
    """`lamp` and `server` are running Endpoints with their `.board` and `.udp`; `asked` is the server's Resource."""

    def __init__(self, lamp_security=None, server_security=None, tuning=None, server_tuning=None, **network):
        self.clock = VirtualClock()
        self.network = FakeNetwork(self.clock, **network)
        self.asked = Resource()
        self.lines = []
        self.lamp = self._make(LAMP, lamp_security, Resource(), tuning, 1)
        self.server = self._make(SERVER, server_security, self.asked, server_tuning or tuning, 2)

    def _make(self, address, security, handler, tuning, seed):
        board = FakeBoard(self.clock, self.network, address, seed=seed)
        udp = board.open_udp()
        endpoint = Endpoint(board, udp, security or Plain(), handler, tuning, log=self._log)
        endpoint.board, endpoint.udp = board, udp
        return endpoint

    def _log(self, words, **values):
        self.lines.append((words, values))

    async def __aenter__(self):
        self._tasks = [asyncio.create_task(end.run()) for end in (self.lamp, self.server)]
        await self.clock.settle()
        return self

    async def __aexit__(self, *_):
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.sleep(0)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await self.clock.settle()
        assert all(task.done() for task in others), "a task was left behind"

    async def ask(self, code=coap.POST, path="dp", payload=b"", **more):
        """A request of the lamp's, in as much virtual time as it takes."""
        return await self.clock.run(self.lamp.request(code, path, SERVER, payload=payload, **more))

    def messages(self, source, target):
        """What one has sent the other, decoded."""
        pairs = [(item.source, item.target) for item in self.network.trace]
        return [
            coap.decode(item.data)
            for item, pair in zip(self.network.trace, pairs, strict=True)
            if pair == (source, target)
        ]
