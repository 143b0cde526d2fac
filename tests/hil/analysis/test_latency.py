"""Latencies that are planted, seen on a trace of levels and on one of pulses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.analysis.latency import to_change, to_level
from hil.analysis.pwm import demodulate
from hil.edges import EdgeTrace
from hil.seams import Instant
from tests.hil.analysis.coverage import coverage
from tests.hil.analysis.synthetic import Eye, pulsed

BEGIN_NS = 10**18


def trace(*edges: tuple[int, float], uncertainty_ns: int = 10) -> EdgeTrace:
    return EdgeTrace(
        "light", tuple(at for at, _ in edges), tuple(level for _, level in edges), 1, uncertainty_ns, "test"
    )


def test_latency_on_a_level_trace_lies_within_its_uncertainty() -> None:
    cases = []
    for seed in range(300):
        chance = np.random.default_rng(seed)
        truth = float(chance.uniform(0.1e6, 300e6))
        asked_ns = 10**9 + round(chance.normal(0, 25_000))
        edges = np.array([0.0, 10**9 + truth, 10**9 + truth + 20e6])
        seen = Eye(1000, 10_000).see(chance, edges, np.array([0.2, 0.4, 0.6]), BEGIN_NS)
        found = to_change(seen, Instant(BEGIN_NS + asked_ns, 50_000))
        cases.append((found.latency_ns, truth, found.uncertainty_ns))
    covered = coverage(cases)
    assert covered.share >= 0.95
    assert covered.widest < 75_000


@pytest.mark.parametrize("levels", [(0.2, 0.6), (0.6, 0.2), (0.0, 0.5), (0.5, 0.0), (0.3, 1.0), (1.0, 0.3)])
def test_latency_on_a_pulsed_output_is_known_to_a_period(levels: tuple[float, float]) -> None:
    cases = []
    for seed in range(60):
        chance = np.random.default_rng(seed)
        truth = float(chance.uniform(5e6, 100e6))
        at = np.array([0.0, 200e6 + truth])
        # A full or dark output has no edge to begin with: the instrument tells the level at the start.
        edges, level = pulsed(at, np.array(levels), 1000.0, 400e6)
        if edges[0] > 0:
            edges, level = np.concatenate(([0.0], edges)), np.concatenate(([0.0], level))
        eye = Eye(lost_pairs=2, lost_single=2, glitches=2) if min(levels) > 0 and max(levels) < 1 else Eye()
        seen = eye.see(chance, edges, level, BEGIN_NS)
        found = to_change(demodulate(seen, 1e6, BEGIN_NS + 400_000_000), Instant(BEGIN_NS + 200_000_000, 50_000))
        cases.append((found.latency_ns, truth, found.uncertainty_ns))
    covered = coverage(cases)
    assert covered.share >= 0.95
    assert covered.widest < 1.06e6


@given(st.integers(100, 10**9), st.integers(0, 50), st.floats(0.006, 0.5))
def test_the_first_edge_that_counts_is_taken(late_ns: int, doubt_ns: int, change: float) -> None:
    seen = trace((0, 0.3), (2000 + late_ns, 0.3 + change), (10**10, 0.9))
    found = to_change(seen, Instant(2000, doubt_ns))
    assert (found.latency_ns, found.at_ns, found.uncertainty_ns) == (late_ns, 2000 + late_ns, doubt_ns + 10)


def test_a_change_too_small_to_see_is_none_and_many_of_them_are_one() -> None:
    seen = trace((0, 0.300), (2000, 0.302), (3000, 0.304), (4000, 0.306))
    assert to_change(seen, Instant(1000, 0)).at_ns == 4000
    assert to_change(seen, Instant(1000, 0), threshold=0.002).at_ns == 2000


def test_an_edge_within_the_doubt_before_the_moment_may_be_the_answer() -> None:
    seen = trace((0, 0.3), (995, 0.6), (5000, 0.9))
    assert to_change(seen, Instant(1000, 20)).latency_ns == -5
    assert to_change(seen, Instant(1100, 20)).latency_ns == 3900


def test_a_level_is_reached_when_the_light_is_near_it() -> None:
    seen = trace((0, 0.3), (2000, 0.5), (3000, 0.796), (4000, 0.8))
    found = to_level(seen, Instant(1000, 5), 0.8)
    assert (found.latency_ns, found.uncertainty_ns) == (2000, 15)
    assert to_level(seen, Instant(1000, 5), 0.8, within=0.001).latency_ns == 3000


def test_a_light_that_is_there_already_tells_nothing() -> None:
    with pytest.raises(ValueError, match="begin from another level"):
        to_level(trace((0, 0.8), (2000, 0.5), (3000, 0.8)), Instant(1000, 0), 0.8)


@pytest.mark.parametrize("edges", [(), ((2000, 0.3),), ((1001, 0.3), (3000, 0.6))])
def test_a_trace_that_begins_too_late_is_refused(edges: tuple[tuple[int, float], ...]) -> None:
    with pytest.raises(ValueError, match="does not reach back"):
        to_change(trace(*edges), Instant(1000, 0))
    with pytest.raises(ValueError, match="does not reach back"):
        to_level(trace(*edges), Instant(1000, 0), 0.6)


def test_a_light_that_does_nothing_is_named_and_no_number() -> None:
    with pytest.raises(ValueError, match=r"no edge after the beginning changes by 0\.005; watch for longer"):
        to_change(trace((0, 0.3)), Instant(1000, 0))
    with pytest.raises(ValueError, match=r"reaches 0\.9"):
        to_level(trace((0, 0.3), (2000, 0.5)), Instant(1000, 0), 0.9)
