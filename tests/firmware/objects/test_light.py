"""3416, 3417, 3418, 3419 and 42769 over the real tree: what a server reads, writes and executes of the light."""

import pytest

from contract import faults
from contract.objects import lamp_status, outdoor_lamp_controller
from firmware.lwm2m.errors import BadRequest, LwM2MError, NotAllowed, Unavailable
from firmware.lwm2m.node import Change
from firmware.settings import Settings
from firmware.store import Store
from tests.firmware.nights import EVENING, changes
from tests.firmware.objects.pole import Pole

NOW_S = EVENING // 1000


def test_every_resource_of_the_minimum_list_is_there() -> None:
    pole = Pole()
    pole.decide()
    pole.measure()
    present = set(pole.tree.node(3416).present(0))
    assert present >= {
        *range(1, 8),
        *range(9, 16),
        17,
        18,
        19,
        28,
        29,
        30,
        35,
        36,
        37,
        41,
        42,
        43,
        *range(49, 55),
        5518,
    }
    present = set(pole.tree.node(3418).present(0))
    assert present >= {*range(1, 11), 12, 13, *range(15, 24), 35, 5518}
    assert set(pole.tree.node(42769).present(0)) == {resource.id for resource in lamp_status.OBJECT.resources}


def test_every_readable_resource_can_be_read_before_and_after_the_first_decision() -> None:
    pole = Pole(lux=4.0)
    for object in pole.tree.objects():
        for instance in pole.tree.instances(object):
            for id in pole.tree.node(object).present(instance):
                pole.tree.node(object).read(instance, id)
    assert (
        pole.read("/3416/0/3") is pole.read("/42769/0/0") is pole.read("/3419/0/3") is pole.read("/3418/0/35") is None
    )
    pole.decide()
    pole.measure()
    assert pole.read("/3416/0/3") == pole.read("/3418/0/35") == 100
    assert pole.read("/3416/0/5518") == pole.read("/3418/0/5518") == pole.read("/3419/0/5518") == NOW_S


def test_what_a_server_writes_is_counted_in_the_bytes_that_flash_was_given() -> None:
    pole = Pole()
    begun = pole.read("/42769/0/20")
    pole.read("/42769/0/1")
    assert pole.read("/42769/0/20") == begun, "to look writes nothing"
    pole.write({"/42769/0/16": 55})
    grown = pole.read("/42769/0/20")
    assert grown - begun == sum(len(content) for content in pole.flash.files.values()), "both slots of the first save"
    pole.write({"/42769/0/16": 55})
    assert pole.read("/42769/0/20") == grown, "what is on flash already is not written again"
    with pytest.raises(NotAllowed):
        pole.write({"/42769/0/20": 0})


def test_an_override_in_one_composite_write() -> None:
    pole = Pole()
    pole.decide()
    pole.write({"/3416/0/1": 35, "/3416/0/50": NOW_S - 5, "/3416/0/51": NOW_S + 600, "/3416/0/52": 2.0})
    assert pole.read("/3416/0/54") is True
    pole.decide()
    pole.wait(2000)
    decision = pole.decide()
    assert (decision.level, decision.permille, decision.rung) == (35, 350, "override")
    expected = {1: 35, 2: 35, 3: 35, 50: NOW_S - 5, 51: NOW_S + 600, 52: 2.0}
    assert {resource: pole.read(f"/3416/0/{resource}") for resource in expected} == expected
    assert pole.read("/42769/0/7") == EVENING
    assert pole.read("/42769/0/0") == "override"
    assert pole.read("/42769/0/1") == "manual command [3416/0/1]"
    assert pole.read("/42769/0/2") == NOW_S + 600
    pole.write({"/3416/0/51": 0})
    assert pole.read("/3416/0/54") is False
    assert pole.read("/3416/0/1") == 35


def test_a_command_alone_lasts_for_the_default_duration_in_the_same_request() -> None:
    pole = Pole()
    pole.decide()
    assert pole.read("/3416/0/1") == 100
    pole.write({"/3416/0/1": 10})
    assert pole.read("/3416/0/51") == NOW_S + 7200
    pole.write({"/3416/0/53": 60})
    pole.write({"/3416/0/1": 10})
    assert pole.read("/3416/0/51") == NOW_S + 60


def test_without_a_clock_a_command_is_in_force_and_has_no_end_to_show() -> None:
    pole = Pole(clock=False)
    pole.decide()
    pole.write({"/3416/0/1": 10})
    assert pole.decide().level == 10
    assert pole.read("/3416/0/51") is None
    assert pole.read("/3416/0/54") is True
    assert pole.read("/42769/0/6") == -1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"/3416/0/1": 101}, "100"),
        ({"/3416/0/1": 5, "/3416/0/51": NOW_S - 9}, "ended already"),
        ({"/3416/0/1": 5, "/3416/0/52": float("inf")}, "fade|number|finite"),
        ({"/3416/0/1": 5, "/3416/0/52": 4000.0}, "3600 s"),
        ({"/3416/0/49": -1.0}, "0 s or longer"),
        ({"/3416/0/49": 4000.0}, "default_fade_ms"),
        ({"/3416/0/35": {0: 10, 1: 11}}, "one output"),
        ({"/3416/0/35": {1: 10}}, "one output"),
        ({"/3416/0/13": {0: 70000}}, "scheduler_ids"),
        ({"/3418/0/20": 260.0}, "contradicts"),
        ({"/3418/0/20": float("nan")}, "/3418/0"),
        ({"/3416/0/41": 0}, "virtual_power_output"),
        ({"/42769/0/15": 5}, "/42769/0/15"),
    ],
)
def test_a_senseless_write_is_refused_with_a_reason_and_changes_nothing(values: dict, reason: str) -> None:
    pole = Pole()
    pole.decide()
    with pytest.raises(BadRequest, match=reason) as caught:
        pole.write({"/3416/0/4": 12, "/3416/0/1": 50, **values})
    assert str(caught.value).startswith("/")
    assert pole.read("/3416/0/4") == 100
    assert pole.read("/3416/0/54") is False


def test_a_fade_that_is_no_time_is_ignored() -> None:
    pole = Pole()
    pole.decide()
    pole.write({"/3416/0/1": 50, "/3416/0/52": -1.0})
    assert pole.read("/3416/0/52") == 0.0
    assert pole.read("/3416/0/54") is True


def test_a_request_over_several_objects_is_one_record_or_nothing() -> None:
    pole = Pole()
    values = {"/3416/0/4": 20, "/3418/0/20": 100.0, "/3418/0/22": 120.0, "/42769/0/16": 80, "/1/0/1": 600}
    pole.flash.steps = 0
    pole.write(values)
    assert {path: pole.read(path) for path in values} == values
    names = {name.split(".")[0] for name in pole.flash.files}
    assert names == {"settings"}
    again = Settings(Store("", files=pole.flash))
    assert (again.get("default_level"), again.get("lifetime_s")) == (20, 600)


def test_flash_that_takes_nothing_is_unavailable_and_no_override_slips_through() -> None:
    pole = Pole()
    pole.decide()
    pole.flash.refuse = True
    with pytest.raises(Unavailable):
        pole.write({"/3416/0/4": 20, "/3416/0/1": 5})
    assert pole.read("/3416/0/4") == 100
    assert pole.read("/3416/0/54") is False


def test_a_replace_brings_what_is_not_given_back_to_its_default() -> None:
    pole = Pole()
    pole.write({"/3416/0/4": 20, "/3416/0/49": 9.5, "/3416/0/35": {0: 10}, "/3416/0/13": {0: 3, 1: 4}})
    assert pole.read("/3416/0/13") == {0: 3, 1: 4}
    assert pole.read("/3416/0/49") == 9.5
    pole.write({"/3416/0/1": 60, "/3416/0/36": 80}, kind="replace")
    assert (pole.read("/3416/0/4"), pole.read("/3416/0/49"), pole.read("/3416/0/36")) == (100, 2.0, 80)
    assert pole.read("/3416/0/35") == {0: 11}
    assert pole.read("/3416/0/13") == {}


def test_the_schedulers_are_those_that_are_held_unless_others_are_assigned() -> None:
    pole = Pole()
    pole.tree.apply(changes())
    assert pole.read("/3416/0/13") == {0: 0}


def test_readings_show_what_the_meter_says_and_nothing_else() -> None:
    pole = Pole()
    assert pole.read("/3418/0/1") is None
    pole.measure(frequency_hz=1e9)
    shown = {resource: pole.read(f"/3418/0/{resource}") for resource in (1, 2, 3, 4, 5, 6)}
    assert shown == {1: 230.5, 2: 0.44, 3: None, 4: 100.25, 5: 0.97, 6: 12.5}
    pole.execute("/3418/0/7")
    assert pole.read("/3418/0/6") == 0.0
    assert pole.read("/3416/0/21") == 31.5
    pole.board.heat = None
    assert pole.read("/3416/0/21") is None


def test_hours_and_switchings_are_read_and_reset() -> None:
    pole = Pole()
    pole.measure()
    pole.wait(3_600_000)
    pole.parts.meter.update(None, False, pole.board.ticks)
    assert (pole.read("/3416/0/15"), pole.read("/3416/0/18"), pole.read("/3416/0/17")) == (1.0, 1, NOW_S)
    pole.execute("/3416/0/16")
    pole.execute("/3416/0/19")
    assert (pole.read("/3416/0/15"), pole.read("/3416/0/18")) == (0.0, 0)


def test_every_fault_that_a_lamp_can_raise_shows_where_the_contract_says() -> None:
    pole = Pole()
    for fault in faults.ALL:
        if fault.path is None:
            continue
        assert pole.tree.value(fault.path) is False, fault.name
        if fault is faults.INVALID_SCHEDULE:
            pole.parts.program.refusal = "no"
        else:
            pole.parts.health._faults[fault.code].raised = True
        assert pole.tree.value(fault.path) is True, fault.name
    assert pole.read("/42769/0/17") == len([f for f in faults.ALL if f.path is not None]) - 1
    assert pole.read("/3416/0/8") == 1


def test_why_and_how_good_the_evidence_is() -> None:
    pole = Pole()
    pole.tree.apply(changes())
    pole.decide()
    assert pole.read("/42769/0/0") == "schedule"
    assert "Program 'night'" in pole.read("/42769/0/1")
    assert pole.read("/42769/0/1").endswith("[3452/0]")
    assert pole.read("/42769/0/3") == pole.parts.program.digest
    assert (pole.read("/42769/0/4"), pole.read("/42769/0/5"), pole.read("/42769/0/6")) == (0, "watchdog", 1)
    assert (pole.read("/42769/0/7"), pole.read("/42769/0/8")) == (0, EVENING)
    assert (pole.read("/42769/0/13"), pole.read("/42769/0/14")) == (0, 0)
    assert pole.read("/42769/0/9") == 48_137_000


def test_a_photocell_is_an_object_only_where_there_is_one() -> None:
    assert 3419 not in Pole().tree.objects()
    pole = Pole(lux=500.0)
    pole.decide()
    assert pole.read("/3419/0/3") is False
    pole.board.light = 3.0
    pole.decide()
    assert pole.read("/3419/0/3") is True
    pole.write({"/3419/0/1": 80.0, "/3419/0/2": 120.0})
    assert (pole.read("/3419/0/1"), pole.read("/3419/0/2")) == (80.0, 120.0)
    with pytest.raises(BadRequest):
        pole.write({"/3419/0/1": 130.0})


def test_the_plate_of_the_luminaire() -> None:
    pole = Pole()
    assert (pole.read("/3417/0/1"), pole.read("/3417/0/7"), pole.read("/3417/0/8")) == ("", 100.0, None)
    pole.write({"/3417/0/2": 2027, "/3417/0/6": "RAL 7016", "/3416/0/38": 12})
    assert (pole.read("/3417/0/2"), pole.read("/3417/0/6"), pole.read("/3417/0/8")) == (2027, "RAL 7016", 12.0)


@pytest.mark.parametrize("path", ["/3416/0/2", "/3416/0/54", "/3418/0/1", "/42769/0/3"])
def test_what_is_read_only_cannot_be_written(path: str) -> None:
    with pytest.raises(NotAllowed):
        Pole().write({path: 1})


def test_instances_of_the_light_come_and_go_with_the_hardware_only() -> None:
    pole = Pole()
    for object, kind, instance in ((3416, "create", 1), (3416, "delete", 0), (3417, "create", 1)):
        with pytest.raises(LwM2MError):
            pole.tree.apply([Change(object, instance, {1: 5} if object == 3416 else {}, kind)])


def test_only_what_can_be_executed_is() -> None:
    pole = Pole()
    for path in ("/3416/0/1", "/3418/0/1", "/3410/0/3"):
        with pytest.raises(NotAllowed):
            pole.execute(path)
    for object, resource in ((3416, 1), (3418, 1), (3410, 3), (1, 1), (3, 0)):
        with pytest.raises(NotAllowed):
            pole.tree.node(object).execute(0, resource, "")


def test_the_own_object_keeps_its_number() -> None:
    assert (lamp_status.ID, outdoor_lamp_controller.ID) == (42769, 3416)
