"""A lamp holds its schedule packed; nothing that it asks for may differ from the schedule that was sent."""

from hypothesis import given, settings

from contract import schedule as s
from contract.schedule.pack import pack
from contract.schedule.packed import Programs
from tests.contract.strategies import moments_ms, schedules


def _packed(schedule):
    return s.Schedule(Programs(pack(schedule.programs)), *schedule[1:])


@settings(max_examples=40)
@given(schedules())
def test_a_packed_schedule_holds_the_same_programs_and_has_the_same_digest(schedule):
    packed = _packed(schedule)
    assert tuple(packed.programs) == schedule.programs
    assert tuple(packed.programs.copy()) == schedule.programs
    assert [packed.programs[place] for place in range(len(packed.programs))] == list(schedule.programs)
    assert s.digest(packed) == s.digest(schedule)


@settings(max_examples=40)
@given(schedules(), moments_ms, moments_ms)
def test_a_packed_schedule_gives_the_same_light_for_the_same_reasons(schedule, one_ms, other_ms):
    packed, plain = s.Evaluator(_packed(schedule), 40), s.Evaluator(schedule, 40)
    for now_ms in (one_ms, other_ms, one_ms):
        assert packed.permille_at(now_ms) == plain.permille_at(now_ms)
        assert packed.explain_at(now_ms) == plain.explain_at(now_ms)
        assert packed.next_change_after(now_ms) == plain.next_change_after(now_ms)


@settings(max_examples=40)
@given(schedules(), moments_ms)
def test_a_packed_schedule_fades_as_the_same_programs_do(schedule, now_ms):
    packed, plain = s.Evaluator(_packed(schedule), 40), s.Evaluator(schedule, 40)
    for _ in range(6):
        now_ms = plain.next_change_after(now_ms)
        for into_ms in (500, 20_000, 700_000):
            assert packed.permille_at(now_ms + into_ms) == plain.permille_at(now_ms + into_ms)
