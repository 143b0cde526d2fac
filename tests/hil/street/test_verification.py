"""Is a deviation seen, and nothing else? The verifier against lights that are right, late, early and wrong."""

import pytest

from contract import schedule as engine
from contract import talq
from contract.localtime import TimeZone
from hil.street.city import SCHEDULE
from hil.street.verification import Interval, differing, tolerance_ms
from hil.street.walltime import WallTime, local_noon_ms, local_time

MINUTE_MS = 60_000
PLACE = (10_776_550, 106_700_900, TimeZone("Asia/Ho_Chi_Minh", 25200, ()))
PLAN = talq.compile(SCHEDULE, *PLACE)
NOON_MS = local_noon_ms(1_795_334_400_000, "Asia/Ho_Chi_Minh")
NIGHT = range(NOON_MS, NOON_MS + 24 * 60 * MINUTE_MS, MINUTE_MS)
WITHIN_MS = tolerance_ms(600)


def light(late_ms: int = 0) -> list[tuple[int, int]]:
    return [(at_ms, engine.level_at(PLAN, at_ms - late_ms)) for at_ms in NIGHT]


def test_the_tolerance_is_a_second_or_50_ms_of_real_time() -> None:
    assert (tolerance_ms(1), tolerance_ms(20), tolerance_ms(600)) == (1000, 1000, 30_000)


@pytest.mark.parametrize("late_ms", [0, WITHIN_MS, -WITHIN_MS, WITHIN_MS // 2])
def test_a_light_within_the_tolerance_is_right(late_ms: int) -> None:
    assert differing(PLAN, light(late_ms), WITHIN_MS) == []


@pytest.mark.parametrize("late_ms", [10 * MINUTE_MS, -10 * MINUTE_MS])
def test_a_light_that_is_late_or_early_is_seen_at_every_step(late_ms: int) -> None:
    wrong = differing(PLAN, light(late_ms), WITHIN_MS)
    # Ten minutes at each of four steps, less what their fades and the tolerance explain.
    assert 4 * 8 <= len(wrong) <= 4 * 11


def test_one_wrong_sample_is_seen_with_what_was_allowed() -> None:
    samples = light()
    midnight = next(
        index for index, (at_ms, _) in enumerate(samples) if local_time(at_ms, "Asia/Ho_Chi_Minh").hour == 0
    )
    samples[midnight] = (samples[midnight][0], 49)
    assert differing(PLAN, samples, WITHIN_MS) == [(samples[midnight][0], 49, 50, 50)]


def test_what_is_excused_is_not_judged() -> None:
    samples = [(at_ms, 1) for at_ms, _ in light()]
    excused = [Interval(NIGHT.start, NIGHT.stop)]
    assert differing(PLAN, samples, WITHIN_MS, excused=excused) == []
    assert differing(PLAN, samples, WITHIN_MS, excused=[Interval(NIGHT.start, NIGHT.stop - MINUTE_MS)]) != []


def test_where_no_program_applies_the_default_level_is_expected() -> None:
    empty = engine.Schedule((), *PLACE)
    assert differing(empty, [(NOON_MS, 100)], WITHIN_MS) == []
    assert len(differing(empty, [(NOON_MS, 0)], WITHIN_MS)) == 1
    assert differing(empty, [(NOON_MS, 0)], WITHIN_MS, default_level=0) == []


def test_the_wall_clock_is_a_line_through_its_anchor() -> None:
    wall = WallTime(5_000_000_000, 1_000_000, 600)
    assert wall.utc_ms(6_000_000_000) == 1_600_000
    assert wall.monotonic_ns(1_600_000) == 6_000_000_000


def test_a_night_begins_at_local_noon() -> None:
    assert local_time(NOON_MS, "Asia/Ho_Chi_Minh").strftime("%H:%M:%S") == "12:00:00"
    assert local_noon_ms(NOON_MS, "Asia/Ho_Chi_Minh") == NOON_MS
    assert local_noon_ms(NOON_MS + 1, "Asia/Ho_Chi_Minh") == NOON_MS + 24 * 60 * MINUTE_MS
