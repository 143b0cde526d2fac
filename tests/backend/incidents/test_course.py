"""The course of incidents: opening, late members, partial returns, widening, the end. Pure."""

from backend.incidents.correlation import Cause, Finding, Loss, Place, Scope
from backend.incidents.course import Open, follow, is_over, returned

T = 1_000_000_000
PLACES = {1: Place("F1", "C1"), 2: Place("F1", "C1"), 3: Place("F1", "C1"), 4: Place("F2", "C1"), 5: Place("F3", "C2")}


def incident(number: int = 7, members: dict[int, bool] | None = None, **changes: object) -> Open:
    values: dict[str, object] = {
        "id": number,
        "cause": Cause.SUPPLY,
        "scope": Scope.FEEDER,
        "name": "F1",
        "from_ms": T,
        "to_ms": T + 60_000,
        "members": {1: False, 2: False} if members is None else members,
    }
    return Open(**(values | changes))  # type: ignore[arg-type]


def finding(*lamp_ids: int, scope: Scope = Scope.FEEDER, name: str = "F1", at_ms: int = T) -> Finding:
    return Finding(Cause.SUPPLY, scope, name, frozenset(lamp_ids), 9, at_ms, at_ms + 60_000)


def test_a_finding_without_an_incident_opens_one_and_the_next_look_does_not() -> None:
    found = finding(1, 2)
    assert follow([], [found], [], PLACES).opened == [found]
    again = follow([incident()], [found], [], PLACES)
    assert (again.opened, again.joined, again.widened, again.merged) == ([], {}, {}, {})


def test_a_late_member_joins_by_place_and_time() -> None:
    late = Loss(3, T - 600_000, T + 86_000_000)
    assert follow([incident()], [], [late], PLACES).joined == {7: {3}}
    for other in (
        Loss(3, T + 600_000, T + 900_000),
        Loss(3, T - 900_000, T - 600_000),
        Loss(4, T, T + 300_000),
        Loss(9, T, T + 300_000),
    ):
        assert follow([incident()], [], [other], PLACES).joined == {}


def test_a_member_that_is_lost_again_is_missing_again_whenever() -> None:
    again = Loss(2, T + 9_000_000, T + 9_300_000)
    assert follow([incident(members={1: False, 2: True})], [], [again], PLACES).joined == {7: {2}}
    assert follow([incident()], [], [again], PLACES).joined == {}, "it is missing already"


def test_a_wider_finding_widens_the_oldest_and_merges_the_others() -> None:
    other = incident(8, {4: False}, name="F2")
    wide = finding(1, 2, 3, 4, scope=Scope.CABINET, name="C1")
    course = follow([other, incident()], [wide], [], PLACES)
    assert (course.widened, course.merged, course.joined) == ({7: wide}, {8: 7}, {7: {3, 4}})


def test_an_incident_never_becomes_narrower() -> None:
    wide = incident(scope=Scope.CABINET, name="C1", members=dict.fromkeys((1, 2, 3, 4), False))
    course = follow([wide], [finding(1, 2, 3)], [], PLACES)
    assert (course.widened, course.opened) == ({}, [])


def test_the_same_place_at_another_time_is_another_incident() -> None:
    past = incident(members={1: True, 2: True, 3: False})
    later = finding(1, 2, at_ms=T + 9_000_000)
    assert follow([past], [later], [], PLACES).opened == [later]


def test_losses_are_no_business_of_a_deaf_backend() -> None:
    deaf = incident(cause=Cause.BACKEND, scope=Scope.ALL, name="")
    assert follow([deaf], [], [Loss(5, T, T + 300_000)], PLACES).joined == {}


def test_members_return_and_it_is_over_when_nearly_all_are_back() -> None:
    assert returned(incident(members={1: False, 2: False, 3: True}), {2}) == {1}
    assert not is_over({1: True, 2: True, 3: False})
    assert is_over({1: True, 2: True, 3: True})
    assert is_over(dict.fromkeys(range(9), True) | {9: False})
    assert not is_over(dict.fromkeys(range(8), True) | {8: False, 9: False})
