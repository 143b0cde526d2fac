"""A true lamp whose every start ends after seconds, against a true device server: safe mode, and the way out of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from backend.db import Database
from backend.device_server import repository
from backend.device_server.ports import Report
from backend.device_server.server import DeviceServer
from backend.device_server.settings import DeviceServerSettings
from contract import faults
from firmware.counters import LOOP
from hil.street import trace
from hil.street.lamp import Lamp
from hil.street.plan import plan
from tests.backend.device_server.peers import FakeClock

LAMP_ID = 7
NOW_MS = 1_804_679_000_000  # 2027-03-10


class Pole:
    """One lamp on the VM, and the server that it joins."""

    def __init__(self, server: DeviceServer, lamp: Lamp, reports: list[Report]) -> None:
        self.server = server
        self.lamp = lamp
        self.reports = reports

    async def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s: {what}; its log:\n{self.lamp.log()[-2000:]}"
            await asyncio.sleep(0.05)

    def told(self, path: object) -> list[object]:
        return [record.value for report in self.reports for record in report.records if record.path == path]


@pytest.fixture
async def pole(image: Path, tmp_path: Path) -> AsyncIterator[Pole]:
    database = Database(f"sqlite:///{tmp_path / 'device.db'}")
    for table in (repository.credentials, repository.bootstraps, repository.registrations):
        table.create(database.engine)
    reports: list[Report] = []
    settings = DeviceServerSettings(host="127.0.0.1", port=0)
    clock = FakeClock()
    clock.lighting = NOW_MS
    server = DeviceServer(database, clock, settings, [lambda _, group: reports.extend(group)], lambda *_: None)
    await server.start()
    place = plan(1)[0]
    with database.session(writes=True) as session:
        server.credentials.add(
            session, LAMP_ID, place.endpoint, place.mac, secret=place.master_secret, salt=place.master_salt
        )
    lamp = Lamp(place, tmp_path / "lamp", image, ("127.0.0.1", server.port), {}, {"registration_jitter_s": 0})
    yield Pole(server, lamp, reports)
    lamp.power_off()
    await server.stop()
    database.close()


async def test_a_lamp_that_dies_of_measuring_comes_to_rest_answers_and_is_rebooted_to_health(pole: Pole) -> None:
    lamp, gateway = pole.lamp, pole.server.gateway
    loop = faults.RESET_LOOP.path
    lamp.fail("reset_loop")
    lamp.power_on()
    # The first start is by power and counts for none.
    await pole.until(lambda: pole.told(loop) == [True], 60, "fault 33")
    assert lamp.resets == LOOP
    explanation = await gateway.read(LAMP_ID, "/42769/0/1")
    assert explanation == "safe mode: restarted 5 times in a row; lit [42769/0/4]"
    assert await gateway.read(LAMP_ID, "/42769/0/4") == LOOP + 1
    assert (await gateway.read(LAMP_ID, "/42769/0/12"))[33] is True
    await asyncio.sleep(4)
    assert lamp.resets == LOOP, "it rests"
    # The cause is gone: an operator reboots it.
    lamp.fail()
    await gateway.execute(LAMP_ID, "/3/0/4")
    await pole.until(lambda: pole.told(loop) == [True, False], 30, "the fault is cleared")
    assert await gateway.read(LAMP_ID, "/42769/0/4") == LOOP + 2
    assert await gateway.read(LAMP_ID, "/3418/0/4") > 0
    assert lamp.resets == LOOP + 1
    assert lamp.exit_codes == [] and lamp.watchdog_bites == 0
    edges = trace.load(lamp.trace_file)
    assert edges and all(edge.level > 0 for edge in edges), "lit throughout"
