"""Everything writable is checked, taken as a whole, and survives a restart."""

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from firmware.codec import cbor
from firmware.errors import SettingError, StorageError
from firmware.settings import RECORD, Settings
from firmware.settings_rules import ORDERED, PROVISIONED, TABLE, check_value
from firmware.store import Store
from tests.firmware.flash import Flash


def fresh(flash: Flash | None = None, start: dict | None = None) -> Settings:
    return Settings(Store("", files=flash or Flash()), start)


def test_every_default_is_acceptable_and_agrees_with_the_others() -> None:
    settings = fresh()
    settings.check({name: row[3] for name, row in TABLE.items() if name not in PROVISIONED})
    assert all(check_value(name, TABLE[name][3]) == TABLE[name][3] for name in PROVISIONED)
    for low, high in ORDERED:
        assert settings.get(low) < settings.get(high)


def test_a_value_comes_from_the_table_then_the_identity_then_the_air() -> None:
    flash = Flash()
    settings = fresh(flash, {"nominal_power_w": 40})
    assert (settings.get("default_level"), settings.get("nominal_power_w")) == (100, 40)
    settings.set({"nominal_power_w": 60})
    again = fresh(flash, {"nominal_power_w": 45, "default_level": 30})
    assert (again.get("nominal_power_w"), again.get("default_level")) == (60, 30)


def test_a_factory_reset_brings_the_start_values_back_for_good() -> None:
    flash = Flash()
    settings = fresh(flash, {"nominal_power_w": 40})
    settings.set({"nominal_power_w": 60, "asset_id": "pole 7"})
    told: list[list[str]] = []
    settings.listen(lambda names: told.append(sorted(names)))
    settings.factory_reset()
    assert settings.get("nominal_power_w") == 40
    assert fresh(flash).get("asset_id") == ""
    assert told == [["asset_id", "nominal_power_w"]]
    settings.factory_reset()
    assert len(told) == 1


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("default_level", 101, "0 to 100"),
        ("default_level", -1, "0 to 100"),
        ("default_level", True, "whole number"),
        ("default_level", 50.0, "whole number"),
        ("default_level", None, "whole number"),
        ("standby_mode", 1, "true or false"),
        ("low_voltage_v", "230", "number"),
        ("low_voltage_v", float("nan"), "0.0 to 500.0"),
        ("high_voltage_v", float("inf"), "0.0 to 500.0"),
        ("asset_id", "x" * 65, "64 characters"),
        ("asset_id", b"x", "text"),
        ("scheduler_ids", 3, "list"),
        ("scheduler_ids", [70000], "0 to 65535"),
        ("scheduler_ids", [0] * 99, "entries"),
        ("time_zone_exceptions", [(1, 2)], "three integers"),
        ("time_zone_exceptions", [(1, 2, "x")], "three integers"),
        ("time_zone_exceptions", [7], "three integers"),
        ("time_zone_exceptions", [(5, 5, 3600)], "does not end after"),
        ("time_zone_exceptions", [(5, 1 << 33, 3600)], "does not end after"),
        ("time_zone_exceptions", [(5, 9, 20000)], "four hours"),
        ("time_zone_exceptions", [(5, 9, 3600), (8, 12, 3600)], "overlap"),
        ("colour_of_the_moon", 1, "does not exist"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_reason(name: str, value: object, reason: str) -> None:
    with pytest.raises(SettingError, match=reason) as caught:
        fresh().check({name: value})
    assert caught.value.name == name
    assert "correct the value" in caught.value.advice


@pytest.mark.parametrize(("low", "high"), ORDERED)
def test_contradicting_values_are_refused_and_change_nothing(low: str, high: str) -> None:
    settings = fresh()
    before = (settings.get(low), settings.get(high))
    with pytest.raises(SettingError, match="contradicts"):
        settings.set({low: before[1], "default_level": 5})
    with pytest.raises(SettingError, match="contradicts"):
        settings.set({high: before[0] if before[0] >= TABLE[high][1] else before[1], low: before[1]})
    assert (settings.get(low), settings.get(high), settings.get("default_level")) == (*before, 100)


def test_two_thresholds_may_move_together_past_their_old_values() -> None:
    settings = fresh()
    settings.set({"low_voltage_v": 300.0, "high_voltage_v": 350.0})
    settings.set({"high_voltage_v": 130, "low_voltage_v": 90})
    assert (settings.get("low_voltage_v"), settings.get("high_voltage_v")) == (90.0, 130.0)
    assert isinstance(settings.get("low_voltage_v"), float)


def test_daylight_saving_periods_are_put_in_order() -> None:
    settings = fresh()
    settings.set({"time_zone_exceptions": [[50, 60, 3600], [10, 20, -1800]]})
    assert settings.get("time_zone_exceptions") == [(10, 20, -1800), (50, 60, 3600)]


def test_flash_that_takes_nothing_leaves_the_old_values_in_force() -> None:
    flash = Flash()
    settings = fresh(flash)
    told: list[object] = []
    settings.listen(told.append)
    flash.refuse = True
    with pytest.raises(StorageError):
        settings.set({"default_level": 5})
    assert settings.get("default_level") == 100
    assert told == []


def test_writing_what_is_there_already_does_not_wear_the_flash() -> None:
    flash = Flash()
    settings = fresh(flash)
    settings.set({"default_level": 5})
    flash.refuse = True
    settings.set({"default_level": 5})


def test_stored_and_start_values_that_no_longer_fit_fall_back_by_name() -> None:
    flash = Flash()
    store = Store("", files=flash)
    store.save(RECORD, cbor.encode({"default_level": 400, "asset_id": "pole", "gone": 1, "low_voltage_v": 400.0}))
    settings = fresh(flash, {"nominal_power_w": "many", "high_voltage_v": 260.0})
    assert settings.get("asset_id") == "pole"
    assert (settings.get("default_level"), settings.get("nominal_power_w")) == (100, 100)
    assert (settings.get("low_voltage_v"), settings.get("high_voltage_v")) == (200.0, 260.0)
    assert sorted(settings.ignored) == ["default_level", "gone", "low_voltage_v", "nominal_power_w"]


@pytest.mark.parametrize("record", [b"\xff\xff", cbor.encode([1, 2]), b""])
def test_a_record_that_is_no_map_gives_the_defaults(record: bytes) -> None:
    flash = Flash()
    Store("", files=flash).save(RECORD, record)
    settings = fresh(flash)
    assert settings.get("default_level") == 100
    assert settings.ignored == [RECORD]


def test_an_unknown_name_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError):
        fresh().get("colour_of_the_moon")


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=3)
)


@given(st.dictionaries(st.sampled_from(sorted(TABLE)), values, max_size=4))
@examples(max_examples=200)
def test_whatever_is_taken_is_the_same_after_a_restart(changes: dict) -> None:
    flash = Flash()
    settings = fresh(flash)
    try:
        settings.set(changes)
    except SettingError:
        assert all(settings.get(name) == row[3] for name, row in TABLE.items())
        return
    again = fresh(flash)
    assert again.ignored == []
    for name in changes:
        assert check_value(name, changes[name]) == settings.get(name) == again.get(name)
