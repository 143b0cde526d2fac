"""Episodes and flapping: pure functions over transitions, the same whatever their order."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.faults.episodes import Episode, Transition, episodes, fold

SPAN = 100
FAR = 10**9


def pulses(*starts: int, length: int = 2) -> list[Transition]:
    found = []
    for start in starts:
        found += [Transition(start, True, None), Transition(start + length, False, None)]
    return found


def folded(transitions: list[Transition], now_ms: int = FAR) -> list[Episode]:
    return fold(episodes(transitions), now_ms, 3, SPAN)


def test_as_many_raises_as_are_allowed_are_faults_of_their_own() -> None:
    found = folded(pulses(0, 10, 20))
    assert [(one.raised_at_ms, one.cleared_at_ms, one.flapping) for one in found] == [
        (0, 2, False),
        (10, 12, False),
        (20, 22, False),
    ]


def test_one_more_makes_them_one_flapping_fault_that_counts_them() -> None:
    found = folded(pulses(0, 10, 20, 100))
    assert found == [Episode(0, 102, None, False, 102, 4, True)]


def test_raises_that_spread_beyond_the_span_do_not_flap() -> None:
    assert [one.flapping for one in folded(pulses(0, 10, 20, 101))] == [False] * 4


def test_a_flapping_fault_is_open_until_it_was_calm_for_the_span() -> None:
    transitions = pulses(0, 10, 20, 30)
    for now_ms, cleared in ((32, None), (131, None), (132, 32)):
        (fault,) = folded(transitions, now_ms)
        assert (fault.cleared_at_ms, fault.active) == (cleared, False)


def test_what_comes_before_it_was_calm_belongs_to_it_and_what_comes_after_does_not() -> None:
    found = folded(pulses(0, 10, 20, 30, 132, 340))
    assert [(one.raised_at_ms, one.times_raised, one.flapping) for one in found] == [(0, 5, True), (340, 1, False)]
    assert found[0].cleared_at_ms == 134


def test_a_flapping_fault_that_is_there_is_active() -> None:
    (fault,) = folded([*pulses(0, 10, 20), Transition(30, True, None)])
    assert (fault.active, fault.cleared_at_ms, fault.times_raised) == (True, None, 4)


def test_a_person_closes_a_flapping_fault_at_once_and_its_next_raise_opens_it_again() -> None:
    transitions = [*pulses(0, 10, 20, 30), Transition(40, False, "an")]
    (fault,) = folded(transitions, 41)
    assert (fault.cleared_at_ms, fault.cleared_by) == (32, "an")
    (fault,) = folded([*transitions, Transition(50, True, None)], 51)
    assert (fault.cleared_at_ms, fault.times_raised) == (None, 5)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), max_size=40), st.integers(0, 1500))
def test_folding_loses_no_raise_and_keeps_the_order(said: list[tuple[int, bool]], now_ms: int) -> None:
    plain = episodes([Transition(at, raised, None) for at, raised in said])
    found = fold(plain, now_ms, 3, SPAN)
    assert sum(one.times_raised for one in found) == len(plain)
    for earlier, later in pairwise(found):
        assert earlier.cleared_at_ms is not None and earlier.cleared_at_ms <= later.raised_at_ms
    for one in found:
        assert one.flapping or one.times_raised == 1
        assert not one.flapping or one.times_raised > 3
