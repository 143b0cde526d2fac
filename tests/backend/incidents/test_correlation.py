"""Losses to findings: who was lost together, and what that says about the cause. Pure."""

import random

import pytest

from backend.incidents.bounds import Bounds
from backend.incidents.correlation import Cause, Finding, Loss, Place, Scope, find, together
from backend.settings import Settings

T = 1_000_000_000
LIFETIME_MS = 300_000


def town(**feeders: tuple[str, int]) -> dict[int, Place]:
    """`F1=("C1", 6)`: six lamps of feeder F1 of cabinet C1; ids in order."""
    found: dict[int, Place] = {}
    for feeder, (cabinet, number) in feeders.items():
        for _ in range(number):
            found[len(found) + 1] = Place("" if feeder.startswith("none") else feeder, cabinet)
    return found


def lost(*lamp_ids: int, at_ms: int = T, seed: int = 1, lifetime_ms: int = LIFETIME_MS) -> list[Loss]:
    """Lost at this moment, last heard up to half a lifetime before."""
    chance = random.Random(seed)
    found = []
    for lamp_id in lamp_ids:
        heard_ms = at_ms - chance.randrange(lifetime_ms // 2)
        found.append(Loss(lamp_id, heard_ms, heard_ms + lifetime_ms))
    return found


def kinds(findings: list[Finding]) -> list[tuple[str, str, str, int, int]]:
    return [(one.cause, one.scope, one.name, len(one.lamp_ids), one.of) for one in findings]


def test_all_lamps_of_a_feeder_are_one_incident_of_supply() -> None:
    inventory = town(F1=("C1", 6), F2=("C1", 14))
    assert kinds(find(lost(*range(1, 7)), inventory, T)) == [("supply", "feeder", "F1", 6, 6)]


def test_nearly_all_are_all_and_a_lamp_that_was_lost_before_does_not_count() -> None:
    inventory = town(F1=("C1", 10), F2=("C2", 20))
    assert kinds(find(lost(*range(1, 10)), inventory, T)) == [("supply", "feeder", "F1", 9, 10)]
    before = lost(1, 2, 3, at_ms=T - 10 * LIFETIME_MS)
    found = find(before + lost(*range(4, 11)), inventory, T)
    assert kinds(found) == [("supply", "feeder", "F1", 7, 7)]


@pytest.mark.parametrize("number", [1, 2])
def test_a_feeder_of_one_or_two_lamps_makes_no_incident(number: int) -> None:
    inventory = town(F1=("C1", number), F2=("C2", 20))
    assert find(lost(*range(1, number + 1)), inventory, T) == []


def test_its_lamps_are_part_of_the_incident_of_their_cabinet() -> None:
    inventory = town(F1=("C1", 2), F2=("C1", 6), F3=("C2", 20))
    assert kinds(find(lost(*range(1, 9)), inventory, T)) == [("supply", "cabinet", "C1", 8, 8)]


def test_a_phase_of_a_feeder_is_an_incident_and_a_few_lamps_are_not() -> None:
    inventory = town(F1=("C1", 15), F2=("C2", 40))
    assert kinds(find(lost(1, 4, 7, 10, 13), inventory, T)) == [("supply", "feeder", "F1", 5, 15)]
    assert find(lost(1, 4, 7, 10), inventory, T) == []


def test_single_lamps_here_and_there_stay_single() -> None:
    inventory = town(F1=("C1", 20), F2=("C2", 20), F3=("C3", 20))
    assert find(lost(1, 21, 41, 2), inventory, T) == []
    assert find([], inventory, T) == [] and find(lost(99), {}, T) == []


def test_losses_at_different_times_are_not_together() -> None:
    inventory = town(F1=("C1", 6), F2=("C2", 20))
    losses = [loss for number in range(1, 7) for loss in lost(number, at_ms=T + number * 2 * LIFETIME_MS)]
    assert find(losses, inventory, T + 100 * LIFETIME_MS) == []


@pytest.mark.parametrize("seed", range(20))
def test_staggered_lifetimes_do_not_hide_that_they_were_lost_together(seed: int) -> None:
    inventory = town(F1=("C1", 12), F2=("C2", 60))
    chance = random.Random(seed)
    losses = [
        loss
        for number in range(1, 13)
        for loss in lost(number, seed=chance.randrange(999), lifetime_ms=chance.choice([60, 300, 3600, 86400]) * 1000)
    ]
    (finding,) = find(losses, inventory, T + 86_400_000)
    assert (finding.name, len(finding.lamp_ids)) == ("F1", 12)
    assert finding.from_ms <= T <= finding.to_ms


def test_lamps_of_several_feeders_of_a_cabinet_are_its_network() -> None:
    inventory = town(F1=("C1", 10), F2=("C1", 10), F3=("C2", 40))
    assert kinds(find(lost(1, 2, 3, 4, 11, 12, 13, 14), inventory, T)) == [("network", "cabinet", "C1", 8, 20)]


def test_two_whole_feeders_of_a_cabinet_are_its_supply() -> None:
    inventory = town(F1=("C1", 5), F2=("C1", 5), F3=("C1", 5), F4=("C2", 40))
    assert kinds(find(lost(*range(1, 11)), inventory, T)) == [("supply", "cabinet", "C1", 10, 15)]


def test_a_lamp_that_is_lost_by_chance_does_not_make_the_feeder_a_cabinet() -> None:
    inventory = town(F1=("C1", 20), F2=("C1", 20), F3=("C2", 90))
    assert kinds(find(lost(*range(1, 21), 25), inventory, T)) == [("supply", "feeder", "F1", 20, 20)]


def test_lamps_all_over_the_town_are_the_network() -> None:
    inventory = town(F1=("C1", 20), F2=("C2", 20), F3=("C3", 20))
    losses = lost(1, 2, 3, 4, 21, 22, 23, 24, 41, 42, 43, 44)
    assert kinds(find(losses, inventory, T)) == [("network", "all", "", 12, 60)]


def test_lamps_without_a_feeder_are_found_all_over_the_town_only() -> None:
    inventory = town(none1=("", 30))
    assert find(lost(1, 2, 3, 4), inventory, T) == []
    assert kinds(find(lost(*range(1, 13)), inventory, T)) == [("network", "all", "", 12, 30)]


def test_three_dead_cabinets_are_the_grid() -> None:
    inventory = town(F1=("C1", 6), F2=("C2", 6), F3=("C3", 6), F4=("C4", 30))
    assert kinds(find(lost(*range(1, 19)), inventory, T)) == [("supply", "all", "", 18, 48)]


def test_two_feeders_far_apart_are_two_incidents() -> None:
    inventory = town(F1=("C1", 6), F2=("C2", 6), F3=("C3", 30))
    assert kinds(find(lost(*range(1, 13)), inventory, T)) == [
        ("supply", "feeder", "F1", 6, 6),
        ("supply", "feeder", "F2", 6, 6),
    ]


def test_the_moment_that_most_losses_share_is_found() -> None:
    cluster = together([Loss(1, 0, 10), Loss(2, 5, 15), Loss(3, 9, 30), Loss(4, 40, 50)], 0)
    assert (cluster.lamp_ids, cluster.from_ms, cluster.to_ms) == (frozenset({1, 2, 3}), 9, 10)
    assert together([Loss(1, 0, 10), Loss(2, 15, 20)], 5).lamp_ids == {1, 2}, "the slack bridges it"
    assert together([Loss(1, 0, 10), Loss(2, 16, 20)], 5).lamp_ids == {2}


def test_the_bounds_are_the_settings() -> None:
    assert Bounds.from_settings(Settings()) == Bounds()
    inventory = town(F1=("C1", 2), F2=("C2", 20))
    few = Bounds(least_lamps=2)
    assert kinds(find(lost(1, 2), inventory, T, few)) == [(Cause.SUPPLY, Scope.FEEDER, "F1", 2, 2)]
