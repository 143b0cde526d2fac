"""A lamp from power-up to a member of the city; and one that lost its schedule."""

from typing import Any

import pytest

from contract import schedule as engine
from contract import talq
from contract.localtime import TimeZone
from firmware.store import SLOTS
from tests.system.town import ALWAYS_80, TIME_ZONE, Town
from tests.system.waiting import until


def test_a_lamp_joins_with_its_own_keys_and_holds_the_schedule_that_was_written_for_its_place(town: Town) -> None:
    for number, pole in enumerate(town.poles):
        held = town.api.get(f"/lamps/{town.ids[number]}/schedule")
        place = round(pole.latitude * 1e6), round(pole.longitude * 1e6), TimeZone(TIME_ZONE, 7 * 3600, ())
        # Compiled here a second time, so that backend and lamp cannot agree on something that nobody asked for.
        assert held["digest_desired"] == engine.digest(talq.compile(ALWAYS_80, *place))
        assert held["status"] == "verified"
        assert town.held_on_flash(number) == held["digest_desired"]
        assert town.is_online(number)
        town.shines(number, 80)


def test_the_introduction_says_how_often_and_why_a_lamp_has_started(town: Town) -> None:
    lamp = town.lamps[2]
    state = until(lambda: town.state(2)["state"], 10, "the introduction is stored")
    before = state["boot_count"]
    assert state["reset_cause"] == "power"
    assert state["clock_error_ms"] is not None and state["clock_error_ms"] < 1000
    lamp.power_off()
    town.power_on(2)
    until(lambda: town.state(2)["state"]["boot_count"] == before + 1, 15, "one more start is reported")
    assert town.state(2)["state"]["rung"] == "schedule"


def test_readings_flow_and_show_what_the_meter_sees(town: Town) -> None:
    def reading() -> dict[str, Any]:
        found: dict[str, Any] = town.api.get(f"/lamps/{town.ids[0]}/telemetry/latest")
        return found

    until(lambda: reading()["level"] == 80 and reading()["power_w"], 30, "a reading since the schedule is in force")
    assert reading()["rung"] == "schedule"
    assert reading()["power_w"] == pytest.approx(65, abs=3)
    assert reading()["voltage_v"] == pytest.approx(230, abs=4)
    assert town.acknowledged(0) and set(town.acknowledged(0)) <= town.stored(0)
    assert town.lamps[0].exit_codes == [] and not town.lamps[0].resets


@pytest.mark.parametrize("harm", ["deleted", "torn"])
def test_a_lamp_that_lost_its_schedule_gets_it_again_without_a_person(town: Town, harm: str) -> None:
    lamp, sent_before = town.lamps[1], town.api.get(f"/lamps/{town.ids[1]}/schedule")["sent_at"]
    lamp.power_off()
    for slot in SLOTS:
        record = lamp.flash / f"program{slot}"
        if harm == "deleted":
            record.unlink()
        else:
            record.write_bytes(record.read_bytes()[:-1])
    town.power_on(1)
    until(
        lambda: town.api.get(f"/lamps/{town.ids[1]}/schedule")["sent_at"] > sent_before and town.is_verified(),
        20,
        "the schedule is sent and verified again",
    )
    town.shines(1, 80)
    # A record that is torn in both places is what flash does when it is worn out: a person has to know.
    wanted = ["storage_error"] if harm == "torn" else []
    until(lambda: [fault["name"] for fault in town.faults(1)] == wanted, 10, f"faults are {wanted}")


def test_a_schedule_that_is_changed_reaches_every_lamp_at_once(town: Town) -> None:
    lower = {**ALWAYS_80, "programs": [{"name": "Always 80", "switch_points": [{"at": "12:00", "level": 60}]}]}
    town.api.put(f"/schedules/{town.schedule}", lower)
    for number in range(3):
        town.shines(number, 60)
    town.api.put(f"/schedules/{town.schedule}", ALWAYS_80)
    for number in range(3):
        town.shines(number, 80)
    until(town.is_verified, 10, "verified again")
