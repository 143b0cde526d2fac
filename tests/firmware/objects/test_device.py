"""The core objects, 3410 and 3415 over the real tree."""

import pytest

from contract import faults
from contract.paths import Path
from firmware import heap
from firmware.lwm2m.errors import BadRequest, NotAllowed, NotFound
from firmware.version import VERSION
from tests.firmware.nights import EVENING
from tests.firmware.objects.pole import Pole

NOW_S = EVENING // 1000
HOUR_S = 3600


def test_keys_and_server_accounts_are_neither_listed_nor_readable() -> None:
    pole = Pole()
    assert not {0, 21} & set(pole.tree.objects())
    for object in (0, 21):
        with pytest.raises(NotFound):
            pole.tree.read(Path(object, 0, None, None))


def test_who_the_controller_is() -> None:
    pole = Pole()
    shown = {resource: pole.read(f"/3/0/{resource}") for resource in (0, 2, 3, 6, 10, 16, 18, 21, 22)}
    assert shown == {
        0: "Streetlight",
        2: "SL-000001",
        3: VERSION,
        6: {0: 6},
        10: 60,
        16: "U",
        18: "Simulated lamp",
        21: 128,
        22: {0: (3410, 0)},
    }


def test_garbage_is_collected_before_free_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pole = Pole()
    free = [61_440]
    monkeypatch.setattr(pole.board, "memory", lambda: (free[-1], 131_072))
    monkeypatch.setattr(heap, "collect", lambda: free.append(71_680))
    assert pole.read("/3/0/21") == 128
    assert free == [61_440], "the total needs no collection"
    assert pole.read("/3/0/10") == 70


def test_the_version_is_that_of_the_distribution() -> None:
    import tomllib
    from pathlib import Path

    text = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    assert tomllib.loads(text)["project"]["version"] == VERSION


def test_restarts_are_left_to_the_lamp_so_that_the_answer_gets_out() -> None:
    pole = Pole()
    pole.execute("/3/0/4")
    pole.execute("/3/0/5")
    pole.execute("/1/0/4")
    pole.execute("/1/0/8")
    assert pole.client.asked == ["restart", "factory reset", "disable", "update"]


def test_error_codes_follow_the_faults() -> None:
    pole = Pole()
    assert pole.read("/3/0/11") == {0: 0}
    for fault in (faults.LAMP_FAILURE, faults.LOW_VOLTAGE, faults.STORAGE_ERROR):
        pole.parts.health._faults[fault.code].raised = True
    assert pole.read("/3/0/11") == {0: 8, 1: 16}
    pole.parts.program.refusal = "no"
    pole.execute("/3/0/12")
    assert pole.parts.program.is_valid


def test_a_server_may_set_the_time() -> None:
    pole = Pole(clock=False)
    assert pole.read("/3/0/13") is None
    pole.write({"/3/0/13": NOW_S})
    assert abs(pole.read("/3/0/13") - NOW_S) <= 2
    for absurd in (0, 1_000_000, 1 << 40):
        with pytest.raises(BadRequest, match="no time in which"):
            pole.write({"/3/0/13": absurd})


def test_the_offset_shown_is_the_one_in_force_and_the_one_kept_is_the_standard_one() -> None:
    pole = Pole()
    assert pole.read("/3/0/14") == "+01:00"
    pole.write(
        {"/3410/0/11": {0: NOW_S - HOUR_S}, "/3410/0/12": {0: NOW_S + HOUR_S}, "/3410/0/13": {0: "01:00"}},
    )
    assert pole.read("/3/0/14") == "+02:00"
    pole.write({"/3/0/14": "+08:00", "/3/0/15": "Asia/Shanghai"})
    assert pole.read("/42769/0/11") == 7 * HOUR_S
    assert (pole.read("/3/0/14"), pole.read("/3/0/15")) == ("+08:00", "Asia/Shanghai")
    with pytest.raises(BadRequest, match="offset"):
        pole.write({"/3/0/14": "eight"})
    assert Pole(clock=False).read("/3/0/14") == "+01:00"


def test_the_table_of_daylight_saving_is_written_whole() -> None:
    pole = Pole()
    rows = {"/3410/0/11": {0: 100, 1: 500}, "/3410/0/12": {0: 200, 1: 600}, "/3410/0/13": {0: "01:00", 1: "-00:30"}}
    pole.write(rows)
    assert {path: pole.read(path) for path in rows} == rows
    assert pole.parts.settings.get("time_zone_exceptions") == [(100, 200, 3600), (500, 600, -1800)]
    for bad in (
        {"/3410/0/11": {0: 100, 1: 500, 2: 700}},
        {"/3410/0/13": {0: "one hour", 1: "01:00"}},
        {"/3410/0/12": {0: 50, 1: 600}},
        {"/3410/0/12": {0: 550, 1: 600}},
    ):
        with pytest.raises(BadRequest):
            pole.write(bad)
    assert {path: pole.read(path) for path in rows} == rows
    pole.write({"/3410/0/4": "asset 9"}, kind="replace")
    assert pole.read("/3410/0/11") == {}


def test_more_about_the_controller() -> None:
    pole = Pole()
    assert (pole.read("/3410/0/2"), pole.read("/3410/0/14"), pole.read("/3410/0/9")) == ("0024be", 100, 0)
    pole.parts.identity.endpoint = "lamp-7"
    assert pole.read("/3410/0/2") == "000000"
    pole.write({"/3410/0/3": "by the bridge", "/3410/0/7": True})
    assert pole.read("/3410/0/7") is True
    pole.execute("/3410/0/8")
    assert (pole.read("/3410/0/3"), pole.read("/3410/0/7")) == ("", False)


def test_the_server_account() -> None:
    pole = Pole()
    assert (pole.read("/1/0/0"), pole.read("/1/0/1"), pole.read("/1/0/7"), pole.read("/1/0/23")) == (1, 300, "U", False)
    pole.write({"/1/0/1": 600, "/1/0/2": 10, "/1/0/3": 60, "/1/0/7": "U"})
    for bad in ({"/1/0/7": "UQ"}, {"/1/0/1": 4}, {"/1/0/3": 9}, {"/1/0/2": 61}):
        with pytest.raises(BadRequest):
            pole.write(bad)
    pole.write({"/1/0/3": 0})
    assert pole.read("/1/0/2") == 10


def test_the_network_as_the_lamp_sees_it() -> None:
    pole = Pole()
    assert {r: pole.read(f"/4/0/{r}") for r in (0, 1, 2, 4)} == {0: 21, 1: {0: 21}, 2: -61, 4: {0: "192.0.2.7"}}
    pole.board.rssi = pole.board.ip = None
    assert {r: pole.read(f"/4/0/{r}") for r in (0, 1, 2, 4)} == {0: 41, 1: {0: 41}, 2: 0, 4: {}}


def test_the_place_is_what_the_lamp_was_told() -> None:
    pole = Pole()
    assert (pole.read("/6/0/0"), pole.read("/6/0/1"), pole.read("/6/0/5")) == (48.137, 11.575, 0)


def test_a_firmware_update_is_answered_honestly() -> None:
    pole = Pole()
    assert {r: pole.read(f"/5/0/{r}") for r in (1, 3, 5, 8, 9)} == {1: "", 3: 0, 5: 0, 8: {}, 9: 0}
    pole.write({"/5/0/1": "coap://example.org/image"})
    assert (pole.read("/5/0/3"), pole.read("/5/0/5"), pole.read("/5/0/1")) == (0, 9, "")
    pole.write({"/5/0/1": ""})
    assert pole.read("/5/0/5") == 0
    pole.write({"/5/0/0": b"image"})
    assert pole.read("/5/0/5") == 9
    with pytest.raises(NotAllowed, match="cannot update"):
        pole.execute("/5/0/2")


def test_time_synchronization() -> None:
    pole = Pole()
    assert (pole.read("/3415/0/4"), pole.read("/3415/0/5")) == (NOW_S // 3600, False)
    assert Pole(clock=False).read("/3415/0/4") is None
    pole.write({"/3415/0/1": "ntp.example.org", "/3415/0/3": 6})
    assert pole.read("/3415/0/1") == "ntp.example.org"
    with pytest.raises(BadRequest):
        pole.write({"/3415/0/3": 0})


def test_what_a_lamp_does_not_have_is_not_found() -> None:
    with pytest.raises(NotFound):
        Pole().write({"/3410/0/6": True})
