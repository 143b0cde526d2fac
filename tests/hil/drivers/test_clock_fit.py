"""The truth is always within what the exchanges leave, whatever the delays were; contradictions are no measurement."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.drivers.clock_fit import MOST_SKEW, Exchange, instant, rates, tightest
from hil.errors import InstrumentFailed

SECOND_NS = 1_000_000_000


def exchanges(seed: int, skew_ppm: float, count: int, every_ns: int = SECOND_NS) -> list[Exchange]:
    """Delays are anything from 0.1 ms to 50 ms, each way by itself; the probe's clock is host * rate - 7 s."""
    draw, made = Random(seed), []
    for number in range(count):
        sent_ns = 10**15 + number * every_ns
        there_ns, back_ns = (round(1e5 * 500 ** draw.random()) for _ in range(2))
        made.append(Exchange(sent_ns, truth(sent_ns + there_ns, skew_ppm), sent_ns + there_ns + back_ns))
    return made


def truth(host_ns: int, skew_ppm: float) -> int:
    return host_ns - 10**15 + round((host_ns - 10**15) * skew_ppm * 1e-6) + 7 * SECOND_NS


@given(st.integers(0, 10**6), st.floats(-150, 150), st.integers(1, 60), st.floats(-5, 70))
def test_the_truth_is_within_the_uncertainty(seed: int, skew_ppm: float, count: int, at_s: float) -> None:
    host_ns = 10**15 + round(at_s * SECOND_NS)
    found = instant(exchanges(seed, skew_ppm, count), host_ns)
    assert abs(found.t_ns - truth(host_ns, skew_ppm)) <= found.uncertainty_ns + 2


@given(st.integers(0, 10**6), st.floats(-150, 150))
def test_the_uncertainty_is_at_most_half_of_the_tightest_round_trip_and_what_the_skew_adds(
    seed: int, skew_ppm: float
) -> None:
    made = exchanges(seed, skew_ppm, 30)
    host_ns = made[15].sent_ns
    found = instant(made, host_ns)
    # The instrument's clock may run faster than ours during the exchange itself as well.
    widest = [(1 + MOST_SKEW) * one.width_ns / 2 + 2 * MOST_SKEW * abs(one.sent_ns - host_ns) for one in made]
    assert found.uncertainty_ns <= min(widest) + 2


@given(st.integers(0, 10**6), st.floats(-150, 150))
def test_many_exchanges_tell_the_rate(seed: int, skew_ppm: float) -> None:
    lowest, highest = rates(exchanges(seed, skew_ppm, 600, every_ns=6 * SECOND_NS))
    assert lowest <= 1 + skew_ppm * 1e-6 <= highest
    assert highest - lowest < 10e-6


def test_one_slow_exchange_changes_nothing() -> None:
    good = [Exchange(1000 * n, 1000 * n + 100, 1000 * n + 200) for n in range(6)]
    slow = Exchange(6000, 6100, 9_000_000)
    assert instant([*good, slow], 2600) == instant(good, 2600)
    assert tightest([slow, *good]) == good[0]


def test_a_clock_that_jumped_is_no_clock() -> None:
    with pytest.raises(InstrumentFailed, match=r"contradict.*slept"):
        instant([Exchange(0, 100, 200), Exchange(1000, 5_000_000, 1200)], 1000)
    with pytest.raises(InstrumentFailed, match="contradict"):
        rates([Exchange(0, 0, 10), Exchange(500, 500, 510), Exchange(10**6, 2 * 10**6, 10**6 + 10)])
