import json
from pathlib import Path

import pytest

from firmware.hal.esp32_wiring import DEFAULTS, load


def wired(folder: Path, board: object, **overrides: object) -> tuple[dict[str, object], list[str]]:
    (folder / "board.json").write_text(board if isinstance(board, str) else json.dumps(board))
    return load(str(folder), overrides)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(str(tmp_path), {}) == (DEFAULTS, [])


def test_the_file_comes_before_the_defaults_and_the_arguments_before_the_file(tmp_path: Path) -> None:
    wiring, complaints = wired(tmp_path, {"relay_pin": 18, "dimming_pin": 19}, relay_pin=21, directory="/lamp")
    assert (wiring["relay_pin"], wiring["dimming_pin"], complaints) == (21, 19, [])


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_a_damaged_file_is_told_and_the_lamp_is_wired_by_default(tmp_path: Path, text: str) -> None:
    wiring, complaints = wired(tmp_path, text)
    assert wiring == DEFAULTS
    assert "write it again" in complaints[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dimming", "dali"),
        ("meter", None),
        ("dimming_inverted", 1),
        ("wifi_country", "VNM"),
        ("wifi_country", 84),
        ("relay_pin", "27"),
        ("relay_pin", True),
        ("relay_pin", 6),
        ("relay_pin", 40),
        ("relay_pin", -1),
        ("relay_pin", 4.5),
        ("relay_pin", 34),
        ("photocell_pin", 25),
        ("photocell_pin", -2),
        ("meter_sel_voltage", 2),
        ("voltage_at_min", 11),
        ("meter_cf_pin", 77),
        ("meter_cf_pin", False),
        ("full_scale_v", 0),
        ("meter_shunt_ohm", float("nan")),
        ("ntc_beta", float("inf")),
    ],
)
def test_a_value_that_cannot_be_is_named_and_left_out(tmp_path: Path, name: str, value: object) -> None:
    wiring, complaints = wired(tmp_path, {name: value})
    assert wiring == DEFAULTS
    assert len(complaints) == 1
    assert complaints[0].startswith(name)


def test_what_is_not_fitted_can_be_said(tmp_path: Path) -> None:
    wiring, complaints = wired(tmp_path, {"photocell_pin": 36, "ntc_pin": -1}, photocell_pin=-1)
    assert (wiring["photocell_pin"], wiring["ntc_pin"], complaints) == (-1, -1, [])


def test_a_name_that_is_none_is_told(tmp_path: Path) -> None:
    assert wired(tmp_path, {"relais_pin": 27})[1] == ["relais_pin is no name of the wiring"]


def test_good_values_are_taken(tmp_path: Path) -> None:
    given = {
        "dimming": "0-10v-dac",
        "meter": "bl0937",
        "photocell_pin": 36,
        "ntc_pin": 39,
        "relay_active_low": True,
        "wifi_country": "VN",
        "voltage_at_min": 0,
        "meter_sel_voltage": 0,
    }
    wiring, complaints = wired(tmp_path, given)
    assert complaints == []
    assert {name: wiring[name] for name in given} == given


@pytest.mark.parametrize(
    ("given", "name", "settled"),
    [
        ({"dimming": "0-10v-dac", "dimming_pin": 18}, "dimming", "0-10v-pwm"),
        ({"voltage_at_min": 9, "voltage_at_max": 9}, "voltage_at_min", 1.0),
        ({"relay_pin": 18, "dimming_pin": 18}, "relay_pin", 27),
        ({"relay_pin": 32, "photocell_pin": 32}, "photocell_pin", -1),
        ({"ntc_pin": 36, "photocell_pin": 36}, "ntc_pin", -1),
        ({"meter": "hlw8012", "relay_pin": 32}, "meter", "none"),
        ({"meter": "hlw8012", "meter_cf_pin": 33}, "meter", "none"),
    ],
)
def test_where_two_want_one_pin_the_light_wins(
    tmp_path: Path, given: dict[str, object], name: str, settled: object
) -> None:
    wiring, complaints = wired(tmp_path, given)
    assert wiring[name] == settled
    assert len(complaints) == 1
