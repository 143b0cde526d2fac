"""Lighting time and real time."""

from backend.clock import Clock
from backend.settings import Settings

EVENING_MS = 1_763_800_000_000


def test_without_an_anchor_both_clocks_are_the_true_time() -> None:
    clock = Clock(utc_ms=lambda: 123)
    assert clock.now_ms() == clock.real_ms() == 123


def test_lighting_time_runs_at_its_rate_from_its_anchor() -> None:
    passed_s = 2.5
    clock = Clock(600, 10**18, EVENING_MS, monotonic_ns=lambda: 10**18 + int(passed_s * 1e9), utc_ms=lambda: 7)
    assert clock.now_ms() == EVENING_MS + 1_500_000
    assert clock.real_ms() == 7


def test_two_processes_with_one_anchor_agree() -> None:
    settings = Settings(clock_rate=600, clock_anchor_ns=5, clock_anchor_utc_ms=EVENING_MS)
    first, second = Clock.from_settings(settings), Clock.from_settings(settings)
    before = first.now_ms()
    assert before <= second.now_ms() <= first.now_ms()


def test_the_system_clock_counts_milliseconds_since_1970() -> None:
    assert Clock().real_ms() > 1_700_000_000_000
