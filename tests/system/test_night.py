"""A night at high speed in the middle of which the backend is killed: on SQLite and on PostgreSQL."""

from itertools import pairwise

from tests.system.night import BACK_S, FROM_MS, LAMPS, MINUTE_MS, UNTIL_MS, Books

INTERVAL_S = 900


def test_every_lamp_follows_its_schedule_at_every_minute_of_the_night(night: Books) -> None:
    assert len(night.lamps) == LAMPS
    for lamp in night.lamps:
        assert len(lamp.samples) == (UNTIL_MS - FROM_MS) // MINUTE_MS
        assert lamp.differing == []
        assert {0, 50, 80, 100} <= {level for _, level in lamp.samples}
        assert lamp.verified


def test_every_lamp_keeps_its_schedule_while_the_backend_is_dead(night: Books) -> None:
    for lamp in night.lamps:
        during = [(at_ms, level) for at_ms, level in lamp.samples if night.outage.holds(at_ms)]
        assert len(during) > 60
        # The schedule's step lies in the outage: nobody told the lamp.
        assert {100, 50} == {level for _, level in during if level in (100, 50)}
        assert not [wrong for wrong in lamp.differing if night.outage.holds(wrong[0])]
        assert lamp.exit_codes == [] and not lamp.resets


def test_every_lamp_is_back_within_a_minute_without_new_keys(night: Books) -> None:
    print(f"\nback {night.back_s:.1f} s after the backend answered again")
    assert night.back_s < BACK_S
    assert night.keys_changed == 0


def test_the_death_of_the_backend_is_nobodys_fault(night: Books) -> None:
    assert [lamp.faults for lamp in night.lamps] == [[]] * LAMPS


def test_nothing_that_was_acknowledged_is_missing(night: Books) -> None:
    assert night.killed_on_acknowledgement
    for lamp in night.lamps:
        assert len(lamp.acknowledged) > 50
        assert set(lamp.acknowledged) - lamp.stored == set()


def test_what_was_measured_during_the_outage_arrives_afterwards(night: Books) -> None:
    for lamp in night.lamps:
        during = [at_s for at_s in lamp.stored if night.outage.holds(at_s * 1000)]
        expected = (night.outage.end_ms - night.outage.start_ms) // 1000 // INTERVAL_S
        assert len(during) >= expected - 1
        # A busy machine may make a lamp skip one; two in a row were lost.
        night_long = sorted(at_s for at_s in lamp.stored if FROM_MS <= at_s * 1000 < UNTIL_MS)
        assert max(later - earlier for earlier, later in pairwise(night_long)) < 3 * INTERVAL_S
