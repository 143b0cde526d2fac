"""The schedule engine against a second one written from the text alone, and against its own promises."""

from hypothesis import given, settings

from contract import schedule as s
from contract.localtime import DAY_S
from tests.contract.reference import Reference
from tests.contract.strategies import moments_ms, schedules

FADE_MARGIN = 2  # permille: integers on one side, floats on the other


@settings(max_examples=60)
@given(schedules(), moments_ms)
def test_the_light_is_that_of_the_reference(schedule, now_ms):
    expected = Reference(schedule).permille(now_ms)
    found = s.permille_at(schedule, now_ms)
    if expected is None or found is None:
        assert found == expected
    else:
        assert abs(found - expected) <= FADE_MARGIN


@settings(max_examples=40)
@given(schedules(), moments_ms)
def test_the_explanation_names_what_the_reference_finds(schedule, now_ms):
    program, calendar, step, level = Reference(schedule).target(now_ms // 1000)
    found = s.explain_at(schedule, now_ms)
    assert (found.program, found.calendar, found.step) == (program, calendar, step)
    assert found.level == s.level_at(schedule, now_ms)
    if program is not None:
        assert f"Program '{schedule.programs[program].name}'" in found.words
        assert f"{level} %" in found.words


@settings(max_examples=40)
@given(schedules(), moments_ms)
def test_the_next_change_is_that_of_the_reference(schedule, now_ms):
    following = s.next_change_after(schedule, now_ms)
    assert now_ms < following <= now_ms + s.HORIZON_MS
    changes = Reference(schedule).changes(now_ms // 1000, now_ms // 1000 + 37 * 3600)
    expected = [at * 1000 for at, _ in changes[1:] if at * 1000 > now_ms]
    assert following == min([*expected, now_ms + s.HORIZON_MS])


@settings(max_examples=40)
@given(schedules(), moments_ms)
def test_the_light_is_constant_between_changes_but_for_fades(schedule, now_ms):
    evaluator = s.Evaluator(schedule)
    for _ in range(4):
        following = evaluator.next_change_after(now_ms)
        program = evaluator.explain_at(now_ms).program
        settled_ms = now_ms + (0 if program is None else int(schedule.programs[program].fade_s * 1000))
        seen = {evaluator.level_at(at) for at in range(settled_ms, following, max(1, (following - settled_ms) // 7))}
        assert len(seen) <= 1
        now_ms = following


@settings(max_examples=40)
@given(schedules(), moments_ms, moments_ms)
def test_the_order_of_questions_changes_no_answer(schedule, one_ms, other_ms):
    evaluator = s.Evaluator(schedule)
    first = evaluator.permille_at(one_ms), evaluator.permille_at(other_ms)
    evaluator.explain_at(other_ms)
    for day in range(10):
        evaluator.level_at(one_ms + day * DAY_S * 1000)
    assert (evaluator.permille_at(one_ms), evaluator.permille_at(other_ms)) == first
    assert (s.permille_at(schedule, one_ms), s.permille_at(schedule, other_ms)) == first


@settings(max_examples=60)
@given(schedules())
def test_a_schedule_survives_its_objects(schedule):
    s.check(schedule)
    place = schedule.latitude_e6, schedule.longitude_e6, schedule.time_zone
    back = s.from_objects(s.to_objects(schedule), *place)
    assert back == schedule
    assert s.digest(back) == s.digest(schedule)


@settings(max_examples=40)
@given(schedules(), moments_ms)
def test_since_and_until_enclose_the_moment(schedule, now_ms):
    found = s.explain_at(schedule, now_ms)
    assert found.since_ms <= now_ms
    assert found.until_ms == 0 or found.until_ms > now_ms
    if found.since_ms:
        assert s.next_change_after(schedule, found.since_ms - 1) == found.since_ms
    if found.until_ms:
        assert s.next_change_after(schedule, now_ms) == found.until_ms
