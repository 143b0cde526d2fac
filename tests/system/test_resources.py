"""What the true lamp says when it is asked, and that it starts again when it is told to."""

import time
from typing import Any

import pytest

from hil.street.backend import BackendFailed
from tests.system.town import LIFETIME_S, Town
from tests.system.waiting import until

FREE, TIME, BOOTS, WRITTEN = "/3/0/10", "/3/0/13", "/42769/0/4", "/42769/0/20"


def read(town: Town, number: int, *paths: str) -> dict[str, Any]:
    answer = town.api.get(f"/lamps/{town.ids[number]}/resources", path=list(paths))
    return {item["path"]: item["value"] for item in answer["items"]}


def test_a_lamp_tells_its_memory_its_time_and_what_it_wrote(town: Town) -> None:
    said = read(town, 0, FREE, TIME, WRITTEN)
    assert 0 < said[FREE] < 512
    assert abs(said[TIME] * 1000 - town.wall.utc_ms(time.monotonic_ns())) < 5000
    override = town.override(30, 0, fade_s=0, duration_s=600)
    town.shines(0, 30)
    town.becomes(override, 0, "executed")
    assert read(town, 0, WRITTEN)[WRITTEN] > said[WRITTEN], "an override is kept on flash"
    town.cancel(override, 0)
    town.shines(0, 80)


def test_a_lamp_that_is_told_to_restart_starts_again_and_comes_back(town: Town) -> None:
    boots = read(town, 0, BOOTS)[BOOTS]
    town.api.post(f"/lamps/{town.ids[0]}/restart", {})
    until(lambda: boots + 1 == _boots(town), 30, "the lamp has started once more")
    town.shines(0, 80)


@pytest.mark.parametrize("path", ["/0/0/5", "/21/0/3", "/23/0/0"])
def test_keys_are_not_read_over_the_api(town: Town, path: str) -> None:
    with pytest.raises(BackendFailed, match="refused with 422"):
        read(town, 0, path)


def test_a_lamp_without_supply_is_refused_at_once_when_it_counts_as_offline(town: Town) -> None:
    town.lamps[2].power_off()
    try:
        # What the API shows of the last sign of life is some seconds older than what the device server knows.
        until(lambda: "is offline: last heard" in _refusal(town), 3 * LIFETIME_S + 30, "lamp 2 counts as offline")
        with pytest.raises(BackendFailed, match=r"refused with 503.*offline: last heard"):
            town.api.post(f"/lamps/{town.ids[2]}/restart", {})
    finally:
        town.power_on(2)
    until(lambda: town.is_online(2), 30, "lamp 2 is back")
    assert read(town, 2, FREE)[FREE] > 0


def _refusal(town: Town) -> str:
    try:
        return str(read(town, 2, FREE))
    except BackendFailed as refused:
        return str(refused)


def _boots(town: Town) -> int | None:
    try:
        return int(read(town, 0, BOOTS)[BOOTS])
    except RuntimeError:  # it is on its way
        return None
