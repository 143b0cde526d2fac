"""3452 to 3458 over the real tree: a schedule in one request, instance by instance, or in a transaction."""

import pytest

from contract import paths
from firmware.lwm2m.errors import BadRequest, NotAllowed, Unavailable
from firmware.lwm2m.node import Change
from tests.firmware.nights import EVENING, NOON, changes, night
from tests.firmware.objects.pole import Pole


def test_a_schedule_is_created_in_one_request_and_read_back() -> None:
    pole = Pole()
    pole.tree.apply(changes())
    assert [pole.tree.instances(object) for object in (3452, 3453, 3454, 3456, 3458)] == [[0]] * 5
    assert pole.read("/3454/0/4") == {0: "S;23:00;05:30"}
    assert pole.read("/3452/0/0") == "night"
    assert pole.read("/3452/0/5") is None
    assert pole.read("/3416/0/13") == {0: 0}
    assert pole.decide().level == 100


def test_a_bad_step_refuses_the_whole_request_with_its_exact_path() -> None:
    pole = Pole()
    given = [
        change if change.object != 3454 else Change(3454, 0, {**change.values, 4: {0: "S;25:00;R"}}, "create")
        for change in changes()
    ]
    given.append(Change(3416, 0, {4: 33}, "write"))
    with pytest.raises(BadRequest, match="/3454/0/4"):
        pole.tree.apply(given)
    assert pole.tree.instances(3452) == []
    assert pole.read("/3416/0/4") == 100
    assert pole.read("/3416/0/14") is True
    assert pole.read("/3457/0/11") == 32
    pole.execute("/3457/0/12")
    assert (pole.read("/3416/0/14"), pole.read("/3457/0/11")) == (False, 0)


def test_a_senseless_setting_refuses_the_schedule_that_comes_with_it() -> None:
    pole = Pole()
    with pytest.raises(BadRequest, match="contradicts"):
        pole.tree.apply([*changes(), Change(3418, 0, {20: 260.0}, "write")])
    assert pole.tree.instances(3452) == []


def test_flash_that_takes_nothing_is_unavailable() -> None:
    pole = Pole()
    pole.flash.refuse = True
    with pytest.raises(Unavailable):
        pole.tree.apply(changes())
    assert pole.tree.instances(3452) == []


def test_a_transaction_over_several_requests() -> None:
    pole = Pole()
    digest = pole.read("/42769/0/3")
    pole.write({"/3457/0/100": 4711, "/3457/0/102": 60})
    for change in sorted(changes(), key=lambda change: -change.object):
        pole.tree.apply([change])
    assert pole.read("/3457/0/100") == 4711
    assert pole.read("/42769/0/3") == digest
    assert (pole.read("/3457/0/1"), pole.read("/3457/0/3"), pole.read("/3457/0/5")) == (1, 1, 1)
    with pytest.raises(BadRequest, match="/3457/0/101"):
        pole.write({"/3457/0/101": 4712})
    pole.write({"/3457/0/101": 4711})
    assert pole.read("/42769/0/3") != digest
    assert pole.read("/3457/0/100") is None
    assert (pole.read("/3457/0/102"), pole.read("/3457/0/103")) == (60, False)


def test_the_first_writes_may_come_with_the_start_and_the_last_with_the_end() -> None:
    pole = Pole()
    rule, *rest = sorted(changes(), key=lambda change: change.object == 3452)
    pole.tree.apply([Change(3457, 0, {100: 1}, "write"), rule])
    assert pole.parts.program.is_open
    pole.tree.apply([Change(3457, 0, {101: 1}, "write"), *rest])
    assert pole.decide().rung == "schedule"


def test_a_transaction_in_one_request_makes_no_sense() -> None:
    with pytest.raises(BadRequest, match="atomic anyway"):
        Pole().write({"/3457/0/100": 1, "/3457/0/101": 1})


def test_a_transaction_that_times_out_sets_its_error() -> None:
    pole = Pole()
    pole.write({"/3457/0/100": 1, "/3457/0/102": 5})
    assert pole.parts.program.poll(pole.board.ticks + 5000) is None
    assert pole.read("/3457/0/103") is True


def test_the_capacity_is_fixed() -> None:
    pole = Pole()
    assert {r: pole.read(f"/3457/0/{r}") for r in (0, 2, 4, 6, 7, 8, 9)} == {
        0: 8,
        2: 8,
        4: 8,
        6: 1,
        7: 0,
        8: 16,
        9: 16384,
    }
    pole.write({"/3457/0/0": 8})
    with pytest.raises(BadRequest, match="cannot be changed"):
        pole.write({"/3457/0/0": 9})
    with pytest.raises(BadRequest, match="transaction_timeout_s"):
        pole.write({"/3457/0/102": 0})
    assert pole.read("/3457/0/13") == 0b111000110001
    assert pole.read("/3457/0/101") is None


def test_a_wipe_leaves_the_default_level() -> None:
    pole = Pole()
    pole.tree.apply(changes())
    pole.execute("/3457/0/16")
    assert pole.tree.instances(3454) == []
    assert pole.decide().rung == "default"


def test_a_program_can_be_deleted_and_its_function_only_then() -> None:
    pole = Pole()
    pole.tree.apply(changes())
    with pytest.raises(BadRequest):
        pole.tree.apply([Change(3454, 0, {}, "delete")])
    pole.tree.apply([Change(3452, 0, {}, "delete"), Change(3454, 0, {}, "delete")])
    assert pole.tree.instances(3458) == []


def test_a_calendar_rule_says_whether_it_holds_today() -> None:
    pole = Pole()
    friday = night("weekend", 20)
    rule = friday.calendars[0]._replace(weekdays=(6,))
    pole.tree.apply(changes(night(priority=2), friday._replace(calendars=(rule,))))
    # 2027-01-15 is a Friday.
    assert [pole.read(f"/3453/{instance}/5") for instance in (0, 1)] == [True, False]
    pole.wait(24 * 3_600_000)
    assert [pole.read(f"/3453/{instance}/5") for instance in (0, 1)] == [True, True]
    pole.tree.apply([Change(3453, 2, {4: "* * *"}, "create")])
    assert pole.read("/3453/2/5") is False
    assert (pole.read("/3453/2/1"), pole.read("/3453/2/4")) == (None, "* * *")
    with pytest.raises(NotAllowed):
        pole.tree.apply([Change(3453, 0, {5: True}, "write")])
    pole = Pole(clock=False)
    pole.tree.apply(changes())
    assert pole.read("/3453/0/5") is None


def test_the_monitor_knows_which_program_runs() -> None:
    pole = Pole()
    pole.tree.apply(changes(night("late", priority=5), night("early", 20, priority=1)))
    off = Change(3452, 0, {1: False}, "write")
    assert [pole.read(f"/3458/{instance}/1") for instance in (0, 1)] == [1, 2]
    assert pole.read("/3458/1/0") == "early"
    assert pole.read("/3458/1/8") == {0: "100"}
    assert NOON // 1000 < pole.read("/3458/1/7") < EVENING // 1000
    assert pole.read("/3458/0/7") is pole.read("/3458/0/8") is None
    assert pole.read("/3458/0/2") == 0
    pole.tree.apply([off])
    assert pole.read("/3458/0/1") == 0
    pole.parts.program.refusal = "no"
    pole.execute("/3458/0/3")
    assert pole.parts.program.is_valid


def test_the_tree_knows_that_instances_came_so_that_the_server_is_told() -> None:
    pole = Pole()
    revision = pole.tree.revision
    pole.tree.apply(changes())
    assert pole.tree.revision > revision
    assert pole.tree.read(paths.parse("/3452"))
