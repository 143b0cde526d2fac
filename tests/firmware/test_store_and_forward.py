"""The composed lamp without a backend for 72 hours: what it made arrives when the backend returns, once and as made."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contract import limits
from firmware import app as composition
from firmware.app import App
from firmware.coap import message as coap
from firmware.coap.message import Message
from firmware.codec import cbor
from firmware.lwm2m.queue import FAULT, SUMMARY, TELEMETRY
from firmware.store import Store
from tests.firmware.disk import Disk
from tests.firmware.fakes.board import FakeBoard, Reading
from tests.firmware.test_app import IDENTITY, UTC_MS, Server, World
from tests.firmware.test_flash_torture import Watched

RATE = 300
HOUR_MS = 3_600_000 // RATE
GOOD = Reading(230.0, 0.45, 100.0, 0.97, 50.0, 1.0)
DEAD = Reading(230.0, 0.01, 1.0, 0.5, 50.0, 2.0)


class Remote(World):
    """A lamp whose RTC runs fast, and a server that keeps its reports as they came."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._answer = Server._handle
        monkeypatch.setattr(Server, "_handle", lambda server, request: self._take(server, request))
        super().__init__(Path("flash"))
        self.made: list[tuple[str, bytes]] = []
        self.bodies: list[bytes] = []
        Disk().attach(monkeypatch)
        monkeypatch.setattr(composition, "Queue", self._queue)

    def _queue(self, store: Store) -> Watched:
        queue = Watched(store)
        queue.made = self.made
        return queue

    def _take(self, server: Server, request: Message) -> Message:
        if request.path() == limits.TIME_PATH:
            return Message(coap.CONTENT, payload=cbor.encode(UTC_MS + self.clock.now_ms * RATE))
        if request.path() == limits.DP_PATH:
            self.bodies.append(bytes(request.payload))
        return self._answer(server, request)

    def power(self, cause: str = "power", **identity: Any) -> App:
        self.network.close(("192.0.2.1", 5683))
        self.starts += 1
        self.board = FakeBoard(self.clock, self.network, rtc_rate=RATE, seed=self.starts)
        self.board.cause = cause
        self.board.provisioned = {**IDENTITY, "settings": {**IDENTITY["settings"], "longitude_e6": -143_000_000}}
        self.board.reading = GOOD
        self.app = App(self.board, self.lines.append)
        return self.app


@pytest.mark.parametrize("is_cut", [False, True])
async def test_72_hours_of_reports_arrive_once_and_as_they_were_made(
    monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    world = Remote(monkeypatch)
    world.power()
    await world.start()
    await world.until(lambda: world.bodies and not world.app.parts.queue.waiting())
    world.network.drop = lambda datagram: True
    for hour in range(72):
        # A fault every six hours, and its end.
        world.board.reading = DEAD if hour % 6 == 3 else GOOD
        await world.clock.advance(HOUR_MS)
    if is_cut:
        world.tasks.pop().cancel()
        world.power()
        await world.start()
    kinds = Counter(kind for kind, _ in world.made)
    assert kinds[TELEMETRY] >= 72 * 4 and kinds[FAULT] >= 24 and kinds[SUMMARY] == 3, kinds
    world.network.drop = lambda datagram: False
    await world.until(lambda: not world.app.parts.queue.waiting(), 1_200_000)
    arrived, made = Counter(world.bodies), Counter(payload for _, payload in world.made)
    assert set(arrived) <= set(made), "nothing is invented"
    lost = [(kind, payload) for kind, payload in world.made if payload not in arrived]
    assert {kind for kind, _ in lost} <= {TELEMETRY}
    assert len(lost) <= (limits.REPORTS_IN_RAM if is_cut else 0)
    assert max(arrived.values()) == 1, "none came twice"
    assert world.app.parts.queue.dropped == 0
    await world.end()
