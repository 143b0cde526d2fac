"""The level that pulses mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.analysis.pwm import demodulate, level_uncertainty
from hil.edges import EdgeTrace
from tests.hil.analysis.coverage import coverage
from tests.hil.analysis.synthetic import Eye, pulsed, pulses

NOW = 10**18
MS = 1_000_000


def trace(*edges: tuple[int, float]) -> EdgeTrace:
    return EdgeTrace("light", tuple(at for at, _ in edges), tuple(level for _, level in edges), 8, 10, "probe")


def square(duty: float, periods: int) -> EdgeTrace:
    return trace(
        *((NOW + number * MS + round(part * duty * MS), 1.0 - part) for number in range(periods) for part in (0, 1))
    )


@given(st.floats(0.001, 0.999), st.integers(5, 50))
def test_the_mean_of_each_period_is_the_duty(duty: float, periods: int) -> None:
    found = demodulate(square(duty, periods), MS, NOW + periods * MS)
    assert found.level == pytest.approx((round(duty * MS) / MS,) * periods, abs=1e-9)
    assert found.t_ns == tuple(NOW + number * MS for number in range(periods))


def test_what_a_period_hides_is_in_the_uncertainty() -> None:
    found = demodulate(square(0.3, 10), MS)
    assert (found.channel, found.resolution_ns, found.uncertainty_ns) == ("light", MS, MS + 10)
    assert found.source == "probe, mean of each period"


def test_levels_lie_within_their_uncertainty_whatever_the_instrument_lost() -> None:
    cases = []
    for seed in range(40):
        chance = np.random.default_rng(seed)
        at, level = pulses(chance, 1000.0, 0.37, 500)
        raw = Eye(lost_pairs=3, lost_single=3, glitches=3, skew_ppm=50.0).see(chance, at, level, NOW)
        doubt = level_uncertainty(raw, MS)
        assert doubt < 1e-4
        # Two losses side by side are no single outlier any more: less than one in a hundred levels.
        levels = demodulate(raw, MS).level
        assert sum(abs(value - 0.37) > 0.01 for value in levels) <= 5
        # 50 ppm of skew let pulses slide over the period's bound: nothing of the level is lost by it.
        cases += [(value, 0.37, doubt) for value in levels]
    assert coverage(cases).share >= 0.95


def test_a_period_begins_with_a_pulse_so_that_a_new_duty_shows_at_once() -> None:
    edges, level = pulsed(np.array([0.0, 20.5e6]), np.array([0.2, 0.7]), 1000.0, 40e6)
    found = demodulate(trace(*zip((edges + 300).astype(int).tolist(), level.tolist(), strict=True)), MS)
    assert {round(value, 6) for value in found.level} == {0.2, 0.7}
    assert found.t_ns[round(found.level[0] * 0) + [round(v, 6) for v in found.level].index(0.7)] == 21 * MS + 300


def test_a_trace_without_pulses_is_its_level_until_its_end() -> None:
    assert demodulate(trace((NOW, 1.0)), MS, NOW + 7 * MS).level == (1.0,) * 7
    assert demodulate(trace((NOW, 0.0)), MS, NOW + 7 * MS).level == (0.0,) * 7


def test_edges_after_the_end_count_for_nothing() -> None:
    assert len(demodulate(square(0.5, 100), MS, NOW + 10 * MS)) == 10


@pytest.mark.parametrize("dark", [3, 4])
def test_three_dark_periods_are_seen(dark: int) -> None:
    light = square(0.5, 40)
    gone = [edge for edge in zip(light.t_ns, light.level, strict=True) if not 20 <= (edge[0] - NOW) / MS < 20 + dark]
    assert demodulate(trace(*gone), MS).level.count(0.0) == dark


def test_one_dark_period_is_taken_for_a_lost_pulse() -> None:
    light = square(0.5, 40)
    gone = [edge for edge in zip(light.t_ns, light.level, strict=True) if not 20 <= (edge[0] - NOW) / MS < 21]
    assert set(demodulate(trace(*gone), MS).level) == {0.5}


@pytest.mark.parametrize(
    ("seen", "period_ns", "end_ns", "words"),
    [
        (trace(), MS, None, "look at the wiring"),
        (trace((NOW, 1.0)), 0, None, "above 0"),
        (trace((NOW, 1.0)), MS, None, "0 periods"),
        (trace((NOW, 1.0)), MS, NOW + 5 * MS - 1, "4 periods .* watch for longer"),
        (square(0.5, 3), MS, NOW - 5, "0 periods"),
    ],
)
def test_what_tells_no_level_is_refused(seen: EdgeTrace, period_ns: float, end_ns: int | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        demodulate(seen, period_ns, end_ns)
