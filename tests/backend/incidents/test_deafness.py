"""Is it the lamps, or the backend? Pure, in virtual time."""

import random
from collections.abc import Callable

import pytest

from backend.faults.silence import Hearing
from backend.incidents.correlation import Place
from backend.incidents.deafness import Ear, Sense

LIFETIME_S = 300
HALF_MS = LIFETIME_S * 500
CUT_MS = 10_000_000


def run(
    phases: dict[int, int],
    feeder: Callable[[int], str],
    away: Callable[[int], bool],
    until_ms: int = CUT_MS + 4 * HALF_MS,
) -> list[Sense]:
    """What the ear says each second while lamps with these phases renew, those that are away no more after the cut."""
    places = {lamp_id: Place(feeder(lamp_id), "") for lamp_id in phases}
    ear, senses = Ear(), []
    for now_ms in range(CUT_MS - 2 * HALF_MS, until_ms, 1000):
        hearings = []
        for lamp_id, phase_ms in phases.items():
            end_ms = min(now_ms, CUT_MS) if away(lamp_id) else now_ms
            hearings.append(Hearing(lamp_id, end_ms - (end_ms - phase_ms) % HALF_MS, LIFETIME_S))
        senses.append(ear.judge(hearings, places, 0, now_ms))
    return senses


def phases(number: int, seed: int, spread_ms: int = HALF_MS) -> dict[int, int]:
    chance = random.Random(seed)
    return {lamp_id: chance.randrange(spread_ms) for lamp_id in range(number)}


@pytest.mark.parametrize("seed", range(5))
def test_when_nobody_is_heard_the_backend_is_deaf_and_never_raises_in_between(seed: int) -> None:
    senses = run(phases(40, seed), lambda lamp_id: f"F{lamp_id % 4}", lambda _: True)
    order = [sense for position, sense in enumerate(senses) if position == 0 or sense is not senses[position - 1]]
    assert order == [Sense.HEARS, Sense.DOUBTS, Sense.DEAF]


def test_lamps_that_speak_together_make_nobody_deaf_for_long() -> None:
    """All were switched on in the same 20 seconds; one of them is lost."""
    senses = run(phases(40, 1, spread_ms=20_000), lambda lamp_id: f"F{lamp_id % 4}", lambda lamp_id: lamp_id == 3)
    assert Sense.DEAF not in senses and senses[-1] is Sense.HEARS


def test_a_feeder_of_several_is_not_the_backend() -> None:
    senses = run(phases(40, 2), lambda lamp_id: f"F{lamp_id % 4}", lambda lamp_id: lamp_id % 4 == 0)
    assert set(senses) == {Sense.HEARS}


def test_the_only_feeder_and_a_handful_of_lamps_prove_nothing() -> None:
    assert set(run(phases(40, 3), lambda _: "F1", lambda _: True)) == {Sense.HEARS}
    assert set(run(phases(4, 3), lambda lamp_id: f"F{lamp_id}", lambda _: True)) == {Sense.HEARS}


def test_it_wakes_when_more_than_a_few_are_heard() -> None:
    ear = Ear()
    places = {lamp_id: Place("", "") for lamp_id in range(20)}
    silent = [Hearing(lamp_id, 0, LIFETIME_S) for lamp_id in range(20)]
    assert ear.judge(silent, places, 0, 300_001) is Sense.DOUBTS
    assert ear.judge(silent, places, 0, 400_000) is Sense.DEAF
    two = [Hearing(lamp_id, 410_000, LIFETIME_S) for lamp_id in range(2)] + silent[2:]
    assert ear.judge(two, places, 0, 410_000) is Sense.DEAF, "two of twenty"
    three = [Hearing(lamp_id, 420_000, LIFETIME_S) for lamp_id in range(3)] + silent[3:]
    assert ear.judge(three, places, 0, 420_000) is Sense.WAKES
    assert ear.judge(three, places, 420_000, 421_000) is Sense.HEARS


def test_who_is_planned_to_be_off_or_promised_nothing_is_not_asked() -> None:
    off = [Hearing(lamp_id, 0, LIFETIME_S, None) for lamp_id in range(20)]
    forever = [Hearing(lamp_id, 0, 0) for lamp_id in range(20, 40)]
    assert Ear().judge(off + forever, {}, 0, 10**9) is Sense.HEARS
