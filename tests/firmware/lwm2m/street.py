"""A client in virtual time, with a server that keeps the rules of LwM2M, and fails in every way that servers do."""

import asyncio

import pytest

from contract import limits
from firmware.clock import Clock
from firmware.coap import message as coap
from firmware.coap.errors import Timeout, Unverified
from firmware.codec import cbor
from firmware.log import Log
from firmware.lwm2m.client import Client
from firmware.lwm2m.queue import Queue
from firmware.settings import Settings
from tests.firmware.lwm2m.fakes import FakeStore, Lamp

UTC_MS = 1_800_000_000_000


class Board:
    """Virtual time: sleeping is what moves it. The RTC runs at the rate of the ticks."""

    rtc_rate = 1

    def __init__(self):
        self.now_ms = 0
        self.end_ms = 0
        self.cause = "power"
        self.is_up = False
        self.can_connect = True
        self.ip = "10.0.0.2"
        self.drawn = 0

    def ticks_ms(self):
        return self.now_ms

    def rtc_ms(self):
        return self.now_ms + 777

    async def sleep_ms(self, ms):
        self.now_ms += ms
        await asyncio.sleep(0)
        if self.now_ms >= self.end_ms:
            raise asyncio.CancelledError

    def random(self, n):
        return self.drawn.to_bytes(n, "big")

    async def connect(self):
        await self.sleep_ms(1000)
        self.is_up = self.can_connect
        return self.can_connect

    def is_connected(self):
        return self.is_up

    def address(self):
        return self.ip

    def reset_cause(self):
        return self.cause


class Server:
    """The endpoint of the lamp and the server behind it. `seen` lists (seconds, method and path)."""

    def __init__(self, board):
        self.board = board
        self.observations = Observations()
        self.seen = []
        self.registrations = {}
        self.reports = []
        self.resolved = 0
        self.is_silent = False
        self.refusal = None  # code of an error in the open
        self.tampered = set()  # paths whose requests are changed on their way: 4.00 in the open
        self.answers = {}  # path: [(code, max age or None)], used up before the ordinary ones
        self.closes_after_ms = None  # a NAT between them that forgets what is quiet for longer
        self.port = 40000  # of that NAT, where the lamp is seen
        self.passed_ms = 0
        self.tells_port = True
        self.loses = False  # all that is sent only once
        self.repeated_ms = 0  # how late the answer to what is sent again comes; it was made before that
        self.clock = None  # payload of /time instead of the true one

    def resolve(self, host, port):
        assert (host, port) == ("server.example", 5683)
        self.resolved += 1
        return ("198.51.100.1", port)

    async def request(self, code, path, address, options, payload, timeout_ms, confirmable):
        assert address == ("198.51.100.1", 5683)
        request = coap.Message(code, options=list(options), payload=payload).add_path(path)
        method = {coap.GET: "GET", coap.POST: "POST", coap.DELETE: "DELETE"}[code]
        self.seen.append((self.board.now_ms // 1000, f"{method} {path}"))
        if self.closes_after_ms is not None and self.board.now_ms - self.passed_ms > self.closes_after_ms:
            self.port += 1
        self.passed_ms = self.board.now_ms
        if self.is_silent:
            await self.board.sleep_ms(timeout_ms)
            raise Timeout("no acknowledgement after 4 transmissions")
        if confirmable:
            await self.board.sleep_ms(self.repeated_ms)
        elif self.loses:
            await self.board.sleep_ms(timeout_ms)
            raise Timeout("no answer")
        await self.board.sleep_ms(40)
        if path in self.tampered:
            raise Unverified(coap.BAD_REQUEST, "the peer answered without protection")
        if self.refusal is not None:
            raise Unverified(self.refusal, "the peer answered without protection")
        if self.answers.get(path):
            answer, max_age_s = self.answers[path].pop(0)
            response = coap.Message(answer)
            return response if max_age_s is None else response.add(coap.MAX_AGE, max_age_s)
        return getattr(self, path.split("/")[0])(request)

    def rd(self, request):
        response = self.registered(request)
        if request.option(limits.SEEN_OPTION) is not None and self.tells_port:
            response.add(limits.SEEN_OPTION, self.port.to_bytes(4, "big"))
        return response

    def registered(self, request):
        path = request.path()
        if path == "rd":
            self.registrations = {f"rd/{len(self.seen)}": request}
            response = coap.Message(coap.CREATED)
            for segment in next(iter(self.registrations)).split("/"):
                response.add(coap.LOCATION_PATH, segment)
            return response
        if path not in self.registrations:
            return coap.Message(coap.NOT_FOUND)
        if request.code == coap.DELETE:
            del self.registrations[path]
            return coap.Message(coap.DELETED)
        return coap.Message(coap.CHANGED)

    def time(self, request):
        assert request.uint(coap.ACCEPT) == 60
        payload = (
            cbor.encode(UTC_MS + self.board.now_ms - self.repeated_ms * self.loses)
            if self.clock is None
            else self.clock
        )
        return coap.Message(coap.CONTENT, payload=payload)

    def dp(self, request):
        if not self.registrations:
            return coap.Message(coap.NOT_FOUND)
        assert request.uint(coap.CONTENT_FORMAT) == 112
        self.reports.append(request.payload)
        return coap.Message(coap.CHANGED)


class Observations(list):
    def end(self, observation):
        self.remove(observation)


class Identity:
    endpoint = "urn:dev:x"
    server_host = "server.example"
    server_port = 5683
    account = None


class Street:
    """One lamp's client and its server."""

    def __init__(self, jitter_s=0):
        self.board = Board()
        self.server = Server(self.board)
        self.lamp = Lamp()
        self.clock = Clock()
        self.queue = Queue(FakeStore())
        self.settings = Settings(FakeStore())
        self.log = Log()
        self.client = Client(
            self.board,
            self.server,
            self.server.resolve,
            self.lamp.tree,
            self.clock,
            self.queue,
            self.settings,
            Identity(),
            self.log,
            jitter_s,
        )

    async def run(self, seconds):
        """Let the client run; returns what the server saw meanwhile."""
        before = len(self.server.seen)
        self.board.end_ms = self.board.now_ms + seconds * 1000
        with pytest.raises(asyncio.CancelledError):
            await self.client.run()
        return [what for _, what in self.server.seen[before:]]
