"""What counts as dark, as wrong, and as a second execution."""

from contract import talq
from contract.localtime import TimeZone
from hil.street.chaos import NOON_MS, SCHEDULE
from hil.street.chaos_light import Permit, Run, Stretch, executions, judge, steps, stretches
from hil.street.trace import Edge

HOUR_MS = 3_600_000
SLACK = 10
# Off by day, 100 from moment 100, 50 from moment 500, off again from moment 1000.
PLAN = [(-10_000, 0), (100, 100), (500, 50), (1000, 0)]


def edges(*changes: tuple[int, int]) -> list[Edge]:
    return [Edge(at_ns, level * 10, level > 0) for at_ns, level in changes]


def light(
    *changes: tuple[int, int], power: tuple[int, ...] = (0,), clocked: tuple[int, ...] = (21,), end: int = 1200
) -> list[Stretch]:
    return stretches(edges(*changes), power, clocked, end)


GOOD = ((5, 100), (20, 0), (100, 100), (500, 50), (1000, 0))


def test_a_lamp_that_follows_its_schedule_is_right() -> None:
    assert judge(light(*GOOD), PLAN, [], SLACK) == ([], [])


def test_the_boot_is_dark_by_night_and_the_rest_is_awake() -> None:
    found = light((205, 100), (300, 100), (500, 50), power=(200,), clocked=(100, 500, 550), end=600)
    assert found == [Stretch(200, 205, 0, 0, True), Stretch(205, 500, 100, 0, True), Stretch(500, 600, 50, 0, False)]
    assert judge(found, PLAN, [], SLACK) == ([Run(200, 5)], [])


def test_without_power_a_lamp_is_neither_dark_nor_wrong() -> None:
    found = light(*GOOD[:3], (405, 100), (500, 50), (1000, 0), power=(0, 300, 400))
    assert judge(found, PLAN, [], SLACK) == ([Run(400, 5)], [])


def test_a_lamp_that_stays_without_power_is_no_longer_judged() -> None:
    assert light(*GOOD[:3], power=(0, 300))[-1].end_ns == 300


def test_darkness_by_night_is_measured_from_its_first_moment() -> None:
    assert judge(light(*GOOD[:3], (300, 0), (350, 100), *GOOD[3:]), PLAN, [], SLACK) == ([Run(300, 50)], [])


def test_darkness_over_a_step_is_one_darkness() -> None:
    assert judge(light(*GOOD[:3], (450, 0), (550, 50), (1000, 0)), PLAN, [], SLACK) == ([Run(450, 100)], [])


def test_a_step_may_come_a_little_early_or_late_and_no_more() -> None:
    assert judge(light((5, 100), (20, 0), (109, 100), (491, 50), (1009, 0)), PLAN, [], SLACK) == ([], [])
    late = judge(light((5, 100), (20, 0), (115, 100), (500, 50), (1000, 0)), PLAN, [], SLACK)
    assert late == ([Run(110, 5)], [])
    early = judge(light((5, 100), (20, 0), (100, 100), (480, 50), (1000, 0)), PLAN, [], SLACK)
    assert early == ([], [Run(480, 10)])


def test_the_failsafe_level_is_forgiven_only_until_the_time_is_known() -> None:
    woken = light((605, 100), (700, 50), power=(600,), clocked=(700,), end=800)
    assert judge(woken, PLAN, [], SLACK) == ([Run(600, 5)], [])
    stuck = light((605, 100), (750, 50), power=(600,), clocked=(700,), end=800)
    assert judge(stuck, PLAN, [], SLACK)[1] == [Run(700, 50)]
    overridden = light((605, 100), (620, 33), (640, 100), (700, 50), power=(600,), clocked=(700,), end=800)
    assert judge(overridden, PLAN, [Permit(33, 610, 640)], SLACK)[1] == []
    again = light((605, 100), (700, 50), (710, 100), (730, 50), power=(600,), clocked=(700, 720), end=800)
    assert judge(again, PLAN, [], SLACK)[1] == [Run(710, 20)]


def test_an_override_is_right_while_it_is_permitted_and_wrong_after() -> None:
    permit = [Permit(33, 200, 300)]
    assert judge(light(*GOOD[:3], (201, 33), (305, 100), *GOOD[3:]), PLAN, permit, SLACK) == ([], [])
    assert judge(light(*GOOD[:3], (190, 33), (300, 100), *GOOD[3:]), PLAN, permit, SLACK)[1] == [Run(190, 10)]
    assert judge(light(*GOOD[:3], (201, 33), (350, 100), *GOOD[3:]), PLAN, permit, SLACK)[1] == [Run(310, 40)]


def test_a_command_that_runs_once_is_counted_once() -> None:
    permit = Permit(33, 200, 400)
    assert executions(light(*GOOD[:3], (201, 33), (400, 100), *GOOD[3:]), permit, SLACK) == 1
    assert executions(light(*GOOD), permit, SLACK) == 0


def test_a_command_that_begins_anew_is_counted_again() -> None:
    permit = Permit(33, 200, 400)
    assert executions(light(*GOOD[:3], (201, 33), (250, 100), (300, 33), (400, 100)), permit, SLACK) == 2


def test_a_command_that_goes_on_after_a_power_cut_is_the_same() -> None:
    permit = Permit(33, 200, 400)
    resumed = light(*GOOD[:3], (201, 33), (255, 100), (270, 33), (400, 100), power=(0, 240, 250))
    assert executions(resumed, permit, SLACK) == 1
    twice = light(*GOOD[:3], (201, 33), (255, 100), (270, 33), (300, 100), (310, 33), (400, 50), power=(0, 240, 250))
    assert executions(twice, permit, SLACK) == 2


def test_a_command_at_the_edge_of_its_end_may_waver() -> None:
    permit = Permit(33, 200, 400)
    assert executions(light(*GOOD[:3], (201, 33), (395, 100), (397, 33), (400, 100)), permit, SLACK) == 1


def test_the_steps_of_the_night_are_those_of_its_schedule() -> None:
    schedule = talq.compile(SCHEDULE, 10_776_550, 106_700_900, TimeZone("Asia/Ho_Chi_Minh", 7 * 3600, ()))
    found = steps(schedule, NOON_MS, NOON_MS + 24 * HOUR_MS)
    assert [level for _, level in found] == [0, 100, 50, 80, 0]
    hours = [(at_ms - NOON_MS) / HOUR_MS for at_ms, _ in found]
    assert hours[2:4] == [10, 16]
    assert 5.9 < hours[1] < 6.3 and 17.9 < hours[4] < 18.3
