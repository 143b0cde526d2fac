"""Power cuts at any moment, while a schedule is written and reports are on their way."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code

from tests.system.town import Town, running_town
from tests.system.waiting import until

SEED = 20
LAMPS, ROUNDS = 7, 3
RATE = 20
# Real seconds after a new schedule or power-up within which the supply goes: registration, writing, first reports.
LONGEST_S = 0.8


def schedule(level: int) -> dict[str, Any]:
    return {
        "name": "Level",
        "programs": [{"name": f"Level {level}", "switch_points": [{"at": "12:00", "level": level}]}],
        "calendar": [{"program": f"Level {level}", "type": "night"}],
    }


@pytest.fixture(scope="module")
def cut_town(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Lamps that report every half second of real time."""
    settings = {number: {"report_interval_s": 10} for number in range(LAMPS)}
    directory = tmp_path_factory.mktemp("cuts")
    with running_town(directory, image, LAMPS, RATE, schedule=schedule(90), settings=settings, relayed=True) as town:
        yield town


def cut(town: Town, number: int, moment: float, before: str) -> str | None:
    """Cut a lamp's power `moment` s from now, look into its flash, and give the power back; what was wrong, or None.

    `before` is the digest that it had verified before the one that is being written.
    """
    end = time.monotonic() + moment
    until(lambda: time.monotonic() >= end, moment + 5, "the moment of the cut")
    desired = town.api.get(f"/lamps/{town.ids[number]}/schedule")
    town.lamps[number].power_off()
    town.relay.forget(town.poles[number].mac)
    held = town.held_on_flash(number)
    allowed = {desired["digest_desired"]} | (set() if desired["status"] == "verified" else {before})
    begun_ns = town.power_on(number)
    first = next(edge for edge in town.edges(number) if edge.at_ns > begun_ns)
    if first.level == 0:
        return f"lamp {number} came up dark"
    return None if held in allowed else f"lamp {number} holds {held}, allowed are {allowed} ({desired['status']})"


def test_twenty_power_cuts_cost_no_light_no_schedule_and_no_number(cut_town: Town) -> None:
    town, source, wrong = cut_town, random.Random(SEED), []
    with ThreadPoolExecutor(LAMPS) as hands:
        for turn in range(ROUNDS):
            before = [town.api.get(f"/lamps/{identifier}/schedule")["digest_desired"] for identifier in town.ids]
            level = 40 + turn
            # Some are cut while they run, the others while they start.
            for number in range(turn % 2, LAMPS, 2):
                town.lamps[number].power_off()
                town.relay.forget(town.poles[number].mac)
            town.api.put(f"/schedules/{town.schedule}", schedule(level))
            for number in range(LAMPS):
                town.lamps[number].power_on()
            moments = [source.uniform(0, LONGEST_S) for _ in range(LAMPS)]
            wrong += [word for word in hands.map(cut, [town] * LAMPS, range(LAMPS), moments, before) if word]
            until(town.is_verified, 30, "every lamp holds the new schedule")
            for number in range(LAMPS):
                town.shines(number, level)
    assert wrong == []
    used: dict[bytes, bytes] = {}
    for datagram in town.relay.seen:
        message = Message.decode(datagram.data)
        if datagram.up and datagram.is_request:
            # The option of a request is its key id and its number: one number, one message.
            assert used.setdefault(message.opt.oscore, message.payload) == message.payload
        elif not datagram.up:
            assert (message.code, message.payload) != (Code.UNAUTHORIZED, b"Replay detected")
    assert len(used) > 200
    for number, lamp in enumerate(town.lamps):
        assert town.faults(number) == []
        assert lamp.exit_codes == []
        assert set(town.acknowledged(number)) <= town.stored(number)
