"""The plan of a night of chaos: the same for the same seed, and one whose verdict can be known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.street import chaos_plan
from hil.street.chaos_plan import BOOT_S, DARK, FAULTS, LEVELS, LIFETIME_S, SEEN_S, Event, drifts, plan, rate
from hil.street.plan import plan as poles

SEEDS = st.integers(0, 10**6)
SIZES = st.tuples(st.integers(3, 60), st.sampled_from((60.0, 90.0, 180.0, 600.0)))
QUIET_FROM = 0.92


def planned(seed: int, size: tuple[int, float]) -> list[Event]:
    return plan(seed, [pole.feeder for pole in poles(size[0])], size[1])


def of_kind(events: list[Event], *kinds: str) -> list[Event]:
    return [event for event in events if event.kind in kinds]


@given(SEEDS, SIZES)
def test_the_plan_is_a_function_of_seed_lamps_and_length(seed: int, size: tuple[int, float]) -> None:
    assert planned(seed, size) == planned(seed, size)
    assert drifts(seed, size[0]) == drifts(seed, size[0])


def test_another_seed_is_another_night() -> None:
    assert len({tuple(planned(seed, (30, 180.0))) for seed in range(20)}) == 20


@given(SEEDS, SIZES)
def test_everything_is_in_order_known_and_over_before_the_end(seed: int, size: tuple[int, float]) -> None:
    events = planned(seed, size)
    assert events == sorted(events, key=lambda event: event.at_s)
    for event in events:
        assert event.kind in chaos_plan.WORDS
        assert all(0 <= lamp < size[0] for lamp in event.lamps)
        ends_s = event.at_s + (event.for_s if event.kind not in ("override", "kill", "blackout") else 0)
        assert 0 < event.at_s <= ends_s <= QUIET_FROM * size[1] + 4, event


@given(SEEDS, SIZES)
def test_every_kind_of_trouble_comes(seed: int, size: tuple[int, float]) -> None:
    kinds = {event.kind for event in planned(seed, size)}
    assert kinds >= {"cut", "kill", "blackout", "storm", "drift", "fault", "repair", "override"}


@given(SEEDS, SIZES)
def test_a_fault_is_there_long_enough_to_be_seen_and_its_repair_too(seed: int, size: tuple[int, float]) -> None:
    events = planned(seed, size)
    for fault in of_kind(events, "fault"):
        (lamp,) = fault.lamps
        (repair,) = [event for event in of_kind(events, "repair") if event.lamps == (lamp,)]
        cuts = [event for event in of_kind(events, "cut", "restart") if lamp in event.lamps]
        first, last = FAULTS[str(fault.value)]
        assert first * size[1] <= fault.at_s and repair.at_s + SEEN_S <= last * size[1] + 0.001
        assert len(cuts) <= 1
        assert repair.at_s - fault.at_s >= SEEN_S
        for cut in cuts:
            assert fault.at_s + SEEN_S <= cut.at_s
            assert cut.at_s + cut.for_s + BOOT_S + SEEN_S <= repair.at_s


@given(SEEDS, SIZES)
def test_one_feeder_is_cut_for_longer_than_a_lifetime_and_nothing_else_touches_its_lamps(
    seed: int, size: tuple[int, float]
) -> None:
    events = planned(seed, size)
    (long,) = [event for event in of_kind(events, "cut") if event.for_s > LIFETIME_S]
    feeders = [pole.feeder for pole in poles(size[0])]
    assert len({feeders[lamp] for lamp in long.lamps}) == 1
    for event in of_kind(events, "cut", "restart", "fault"):
        assert event is long or not set(event.lamps) & set(long.lamps)


@given(SEEDS, SIZES)
def test_every_override_has_a_lamp_and_a_level_of_its_own(seed: int, size: tuple[int, float]) -> None:
    events = planned(seed, size)
    overrides = of_kind(events, "override")
    levels = [event.value for event in overrides]
    assert len(set(levels)) == len(levels) == len({event.lamps for event in overrides})
    assert not set(levels) & set(LEVELS)
    for cancel in of_kind(events, "cancel"):
        (asked,) = [event for event in overrides if event.value == cancel.value]
        assert asked.lamps == cancel.lamps
        assert asked.at_s < cancel.at_s < asked.at_s + asked.for_s


def test_the_night_fits_into_the_play() -> None:
    assert rate(60) == 780
    assert rate(180) == 260
    assert rate(10**6) == 1
    assert DARK[0] * chaos_plan.NIGHT_H + chaos_plan.BEGINS_H > 6.5, "after sunset"
    assert DARK[1] * chaos_plan.NIGHT_H + chaos_plan.BEGINS_H < 17.5, "before sunrise"


@pytest.mark.parametrize(("lamps", "length_s"), [(2, 60.0), (10, 59.0)])
def test_too_small_a_night_is_refused_with_advice(lamps: int, length_s: float) -> None:
    with pytest.raises(ValueError, match="--lamps"):
        plan(1, ["F1"] * lamps, length_s)
