"""Communication lost is a pure function of last heard, lifetime, supply and now."""

from backend.faults.silence import Hearing, is_silent, verdict


def test_a_lamp_is_silent_only_after_its_lifetime() -> None:
    hearing = Hearing(1, 1000, 60)
    assert not is_silent(hearing, 0, 61_000)
    assert is_silent(hearing, 0, 61_001)
    assert not is_silent(Hearing(1, 0, 0), 0, 10**15), "a lifetime of 0 promises nothing"


def test_the_backends_own_absence_is_not_the_lamps_silence() -> None:
    hearing = Hearing(1, 1000, 60)
    restarted_ms = 10_000_000
    assert not is_silent(hearing, restarted_ms, restarted_ms + 60_000)
    assert is_silent(hearing, restarted_ms, restarted_ms + 60_001)


def test_a_lamp_is_raised_once_and_cleared_only_by_its_voice() -> None:
    silent, heard, fresh = Hearing(1, 0, 60), Hearing(2, 99_000, 60), Hearing(3, 99_000, 60)
    assert verdict([silent, heard, fresh], {2}, 0, 100_000) == ([1], [2])
    assert verdict([silent], {1}, 0, 100_000) == ([], [])
    assert verdict([], {1}, 0, 100_000) == ([], []), "a retired lamp says nothing"
    restored = Hearing(1, 50_000, 60)
    assert verdict([restored], {1}, 90_000, 100_000) == ([], []), "restored from the database is not heard"


def test_silence_during_planned_off_hours_is_no_fault() -> None:
    assert not is_silent(Hearing(1, 0, 60, supplied_since_ms=None), 0, 10**12)
    assert verdict([Hearing(1, 0, 60, supplied_since_ms=None)], set(), 0, 10**12) == ([], [])


def test_a_lamp_is_judged_again_a_lifetime_after_its_feeder_returned() -> None:
    returned_ms = 10**9
    hearing = Hearing(1, 0, 60, supplied_since_ms=returned_ms)
    assert not is_silent(hearing, 0, returned_ms + 60_000)
    assert is_silent(hearing, 0, returned_ms + 60_001)


def test_a_lost_lamp_is_not_cleared_by_the_plan_of_its_feeder() -> None:
    for supplied_since_ms in (None, 990_000):
        hearing = Hearing(1, 500_000, 60, supplied_since_ms)
        assert verdict([hearing], {1}, 0, 1_000_000) == ([], [])
    assert verdict([Hearing(1, 999_000, 60, None)], {1}, 0, 1_000_000) == ([], [1])
