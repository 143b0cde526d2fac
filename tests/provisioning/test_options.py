"""Values of the command line: what they become, and one line of advice for what they cannot be."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from firmware.settings import Settings
from firmware.store import Store
from provisioning import options
from provisioning.errors import Failure
from provisioning.options import Wrong
from provisioning.plate import Plate

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FACTS = {"latitude": 10.762622, "longitude": 106.660172, "time_zone": "Asia/Ho_Chi_Minh", "nominal_power_w": 90.4}


def test_the_lamp_takes_every_setting_that_its_plate_becomes(tmp_path: Path) -> None:
    settings = options.settings_of(Plate("A", facts={**FACTS, "control_type": 10}), 30, NOW)
    held = Settings(Store(str(tmp_path)), settings)
    assert {name: held.get(name) for name in settings} == settings
    assert settings == {
        "latitude_e6": 10_762_622,
        "longitude_e6": 106_660_172,
        "time_zone": "Asia/Ho_Chi_Minh",
        "standard_offset_s": 25200,
        "safety_floor": 30,
        "nominal_power_w": 90,
        "control_type": 10,
    }


@pytest.mark.parametrize("month", [1, 7])
def test_the_standard_offset_is_that_without_daylight_saving_whatever_the_date(month: int) -> None:
    plate = Plate("A", facts={**FACTS, "time_zone": "Europe/Berlin"})
    assert options.settings_of(plate, 0, datetime(2026, month, 1, tzinfo=UTC))["standard_offset_s"] == 3600


def test_the_lamp_reports_to_the_backends_host_unless_another_is_named() -> None:
    assert options.server_host(None, "https://lights.example:8443/api") == "lights.example"
    assert options.server_host("10.0.0.1", "https://lights.example") == "10.0.0.1"
    for given, backend in ((None, None), ("coap://x", None), ("two words", None), ("", "http://a")):
        with pytest.raises(Wrong, match="--server-host"):
            options.server_host(given, backend)


def test_a_bad_plate_names_each_option() -> None:
    with pytest.raises(Wrong) as caught:
        options.read_plate({"asset_id": "", "latitude": "91", "longitude": "0", "time_zone": "Mars"})
    assert str(caught.value).count("--") >= 3
    assert "--time-zone" in str(caught.value)


def test_the_plate_of_a_batch_is_one_line() -> None:
    plate = Plate("A", "S", "24:0a:c4:00:be:ef", FACTS)
    assert options.plate_of_line(json.dumps(plate.document())) == plate
    for line, code in (("\n", "interrupted"), ("[]", "manifest_invalid"), ("{", "manifest_invalid")):
        with pytest.raises(Failure) as caught:
            options.plate_of_line(line)
        assert caught.value.code == code


def test_a_wifi_password_comes_from_environment_file_or_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(options.WIFI_VARIABLE, raising=False)
    assert options.wifi(None, None) == {}
    assert options.wifi("street", None) == {"wifi_ssid": "street", "wifi_password": ""}
    assert options.wifi("street", None, lambda: "of lamps and lanes")["wifi_password"] == "of lamps and lanes"
    path = tmp_path / "password"
    path.write_text("from a file\n")
    assert options.wifi("street", path)["wifi_password"] == "from a file"
    monkeypatch.setenv(options.WIFI_VARIABLE, "from the environment")
    assert options.wifi("street", None, lambda: "no")["wifi_password"] == "from the environment"


@pytest.mark.parametrize(("ssid", "password"), [("s" * 33, ""), ("street", "short"), ("street", "x" * 65)])
def test_wifi_that_cannot_be_is_refused_without_telling_the_password(
    ssid: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(options.WIFI_VARIABLE, password)
    with pytest.raises(Wrong) as caught:
        options.wifi(ssid, None)
    assert not password or password not in str(caught.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    calls: list[Any] = [
        lambda: options.read_base(None),
        lambda: options.read_base(tmp_path / "none.bin"),
        lambda: options.read_base(tmp_path),
        lambda: options.read_wiring(tmp_path / "none.json"),
        lambda: options.wifi(None, tmp_path / "x"),
    ]
    for call in calls:
        with pytest.raises(Wrong, match="--"):
            call()
    (tmp_path / "board.json").write_text("[]")
    with pytest.raises(Wrong, match="JSON"):
        options.read_wiring(tmp_path / "board.json")
    (tmp_path / "board.json").write_text('{"meter": "hlw8012"}')
    assert options.read_wiring(tmp_path / "board.json") == b'{"meter":"hlw8012"}'


def test_a_base_that_finished_a_board_is_known_from_then_on(tmp_path: Path) -> None:
    assert options.known_bases(tmp_path) == {}
    options.remember_base(tmp_path, b"an image", "ESP32.bin")
    options.remember_base(tmp_path, b"another", "ESP32-2.bin")
    assert sorted(options.known_bases(tmp_path).values()) == ["ESP32-2.bin", "ESP32.bin"]
    (tmp_path / options.BASES).write_text("{")
    assert options.known_bases(tmp_path) == {}


def test_an_operator_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options.operator("Lan") == "Lan"
    monkeypatch.setenv(options.OPERATOR_VARIABLE, "Minh")
    assert options.operator(None) == "Minh"
    for bad in ("x" * 81, "a\nb"):
        with pytest.raises(Wrong):
            options.operator(bad)
