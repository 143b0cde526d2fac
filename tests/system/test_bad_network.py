"""Thirty datagrams in a hundred lost, others doubled, late or from a new port: nothing acknowledged is lost, no command
executes twice, nobody is locked out. And nobody is deafened by garbage, by nothing at all, or by what never ends.
"""

import random
import re
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hil.street import city, trace
from hil.street.impairment import Rules
from hil.street.rough import RoughStreet, rough_street
from hil.street.walltime import WallTime
from tests.system.waiting import until

LAMPS = 5
# 2027-03-10 13:00 in Ho Chi Minh City.
AFTERNOON_MS = 1_804_658_400_000
REBIND_MS = 10_000
BAD = Rules(drop=0.3, duplicate=0.2, reorder=0.2, corrupt=0.02, jitter_ms=20, late_ms=400)
GOOD = Rules()

ALWAYS_80: dict[str, Any] = {
    "name": "Always 80",
    "programs": [{"name": "Always 80", "switch_points": [{"at": "12:00", "level": 80}]}],
    "calendar": [{"program": "Always 80", "type": "night"}],
}
SETTINGS = {
    "lifetime_s": 60,
    "report_interval_s": 10,
    "registration_jitter_s": 0,
    "default_fade_ms": 0,
    "time_zone": "Asia/Ho_Chi_Minh",
    "standard_offset_s": 25200,
}
# Reports come each ten seconds of the lamp's time, which runs five times as fast.
RATE = 5
ACKNOWLEDGED = re.compile(r"\breport acknowledged kind=(\w+) at_s=(\d+)")


@pytest.fixture(scope="module")
def street(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoughStreet]:
    """Five lamps that have joined through a good network; each test leaves it good."""
    wall = WallTime.starting(AFTERNOON_MS, RATE)
    place = tmp_path_factory.mktemp("rough")
    with rough_street(
        RoughStreet(place, LAMPS, wall, seed=3, settings=SETTINGS, rebind_ms=REBIND_MS, image=image), ALWAYS_80, 30
    ) as running:
        yield running


def level(street: RoughStreet, number: int) -> int:
    return trace.load(street.lamps[number].trace_file)[-1].level


def acknowledged(street: RoughStreet, number: int) -> set[int]:
    """Seconds (UTC) of the telemetry of which the lamp says that it was acknowledged."""
    found = ACKNOWLEDGED.findall(street.lamps[number].log())
    return {int(at_s) for kind, at_s in found if kind == "telemetry"}


def stored(street: RoughStreet, number: int) -> set[int]:
    times = city.telemetry_times(street.api, street.ids[number])
    return {int(datetime.fromisoformat(at).timestamp()) for at in times}


def entries(street: RoughStreet, number: int, wanted: int) -> int:
    """How often the light went to a level."""
    levels = [edge.level for edge in trace.load(street.lamps[number].trace_file)]
    return sum(now == wanted != before for before, now in zip([None, *levels], levels, strict=False))


def was_bad(street: RoughStreet) -> bool:
    """Whether every kind of harm was done, both ways, and every lamp has moved to another address."""
    counters = street.network.counters()
    harm = [f"{way} {deed}" for way in ("up", "down") for deed in ("dropped", "duplicated", "reordered")]
    return all(counters.get(deed) for deed in harm) and counters.get("rebound", 0) >= LAMPS


def test_nothing_acknowledged_is_lost_and_no_command_executes_twice(street: RoughStreet) -> None:
    before = [len(acknowledged(street, number)) for number in range(LAMPS)]
    street.network.set_rules(BAD)
    wanted = {}
    try:
        for number, identifier in enumerate(street.ids):
            wanted[number] = 20 + number
            street.api.post(
                "/overrides", {"lamp_id": identifier, "level": 20 + number, "duration_s": 3600, "reason": "bad network"}
            )
        for number, value in wanted.items():
            until(lambda n=number, v=value: level(street, n) == v, 45, f"lamp {number} shines at {value} %")
        # A fast machine is through before the network has done its worst.
        until(lambda: was_bad(street), 60, "the network lost, doubled, reordered and rebound")
    finally:
        street.network.set_rules(GOOD)
    until(lambda: not street.absent(), 25, "nobody is locked out")
    for override in street.api.get("/overrides")["items"]:
        street.api.delete(f"/overrides/{override['id']}")
    for number in wanted:
        until(lambda n=number: level(street, n) == 80, 20, f"lamp {number} is back at 80 %")
    for number, value in wanted.items():
        assert entries(street, number, value) == 1
        # A fast machine is through before the lamp's next report is due.
        until(
            lambda n=number: len(acknowledged(street, n)) > before[n], 45, f"a report of lamp {number} is acknowledged"
        )
        kept = acknowledged(street, number)
        assert kept <= stored(street, number)
    print(f"\nthe network: {street.network.counters()}")
    for lamp in street.lamps:
        assert not lamp.exit_codes and not lamp.resets and not lamp.watchdog_bites


def garbage(draw: random.Random) -> bytes:
    """Noise, or noise that begins like a CoAP message."""
    data = draw.randbytes(draw.randrange(1, 200))
    return data if draw.random() < 0.5 else bytes([0x40 | draw.randrange(48)]) + data


def drip(port: int, moments: int, pause_s: float) -> None:
    """A confirmable block-wise request of which one block comes now and then, each from a sender of its own: what a
    server might keep, waiting for the rest."""
    for number in range(moments):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            # CON POST, one byte of token, Uri-Path "rd", Block1 number n of more, 16 bytes each.
            head = bytes([0x41, 0x02]) + number.to_bytes(2, "big") + bytes([number & 0xFF])
            sender.sendto(
                head + b"\xb2rd\xd1\x03" + bytes([number << 4 & 0xF0 | 8]) + b"\xff" + bytes(16), ("127.0.0.1", port)
            )
        time.sleep(pause_s)


def test_nothing_garbage_and_a_slow_drip_deafen_neither_side(street: RoughStreet) -> None:
    draw = random.Random(5)
    network = street.network
    lamp = network.lamp_address(0)
    assert lamp is not None
    backend_port = street.backend.coap_port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for target in (lamp, ("127.0.0.1", backend_port)):
            sender.sendto(b"", target)
            for shot in range(3000):
                sender.sendto(garbage(draw), target)
                if shot % 100 == 0:
                    sender.sendto(b"", target)
                    time.sleep(0.002)
    drip(backend_port, 8, 0.05)
    drip(lamp[1], 8, 0.05)
    had = len(acknowledged(street, 0))
    begun = time.monotonic()
    identifier = street.api.post(
        "/overrides", {"lamp_id": street.ids[0], "level": 33, "duration_s": 3600, "reason": "after the flood"}
    )["id"]
    until(lambda: level(street, 0) == 33, 15, "the lamp obeys after the flood")
    print(f"\nobeyed {time.monotonic() - begun:.2f} s after the flood")
    until(lambda: len(acknowledged(street, 0)) > had, 15, "the backend takes the lamp's reports after the flood")
    street.api.delete(f"/overrides/{identifier}")
    until(lambda: level(street, 0) == 80, 15, "and the end of it")
    assert not street.lamps[0].exit_codes and not street.lamps[0].resets and not street.lamps[0].watchdog_bites
    until(lambda: not street.absent(), 10, "everybody is there")
