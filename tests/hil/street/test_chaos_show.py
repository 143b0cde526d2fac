"""When a street counts as whole again after a night of chaos."""

from collections.abc import Callable

from hil.street.chaos_show import RECOVERY_S, WHOLE_S, recover


def played(missing: Callable[[float], list[int]]) -> tuple[float, list[int], float]:
    """What `recover` says of a street in which `missing(second)` lamps are missing, and when it says so."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    recovery_s, absent = recover(lambda: missing(clock[0]), lambda: clock[0], sleep)
    return recovery_s, absent, clock[0]


def test_a_street_that_stays_whole_for_a_lifetime_has_recovered_when_it_became_so() -> None:
    assert played(lambda at_s: [3] if at_s < 5 else []) == (5, [], 5 + WHOLE_S)


def test_a_lamp_that_is_missed_once_more_begins_the_wait_anew() -> None:
    assert played(lambda at_s: [3] if 10 <= at_s < 12 else []) == (12, [], 12 + WHOLE_S)


def test_a_lamp_that_does_not_come_back_is_named() -> None:
    recovery_s, absent, ended_s = played(lambda at_s: [7])
    assert absent == [7] and RECOVERY_S < recovery_s == ended_s < RECOVERY_S + 1
