"""Edges are kept whole: levels alternate, time goes on, and what is forgotten is never handed out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.drivers.edge_store import EdgeStore
from hil.drivers.probe_recorder import unwrap
from hil.errors import InstrumentReset, TraceOverflow


def a_store(most: int = 1000) -> EdgeStore:
    return EdgeStore("probe", 8, 16, most)


@given(st.lists(st.integers(1, 10**6), max_size=40), st.integers(0, 10**7), st.integers(1, 7))
def test_a_trace_is_what_was_added_from_its_moment_on(gaps: list[int], since_ns: int, size: int) -> None:
    moments = [sum(gaps[: end + 1]) for end in range(len(gaps))]
    store = a_store()
    for at in range(0, len(moments), size):
        store.add("a", (at + 1) % 2, moments[at : at + size])
    trace = store.trace("a", since_ns)
    assert [t for t in trace.t_ns if t > since_ns] == [t for t in moments if t > since_ns]
    for probe_ns in (since_ns, since_ns + 1000, since_ns + 10**7):
        assert trace.level_at(probe_ns) == sum(t <= probe_ns for t in moments) % 2


def test_a_missing_edge_is_an_overflow() -> None:
    store = a_store()
    store.add("a", 1, [5])
    with pytest.raises(TraceOverflow, match="lost an edge"):
        store.add("a", 1, [9])


def test_time_that_goes_back_is_a_reset() -> None:
    store = a_store()
    store.add("a", 1, [5])
    with pytest.raises(InstrumentReset, match="time went back"):
        store.add("a", 0, [4])
    with pytest.raises(InstrumentReset, match="time went back"):
        store.add("b", 1, [6, 5])


def test_old_edges_are_forgotten_and_said_to_be() -> None:
    store = a_store(most=100)
    for t_ns in range(1, 151):
        store.add("a", t_ns % 2, [t_ns])
    trace = store.trace("a", 120)
    assert (trace.t_ns[0], trace.level[0], trace.t_ns[-1], trace.level[-1]) == (120, 0, 150, 0)
    with pytest.raises(TraceOverflow, match="more than the 100 edges"):
        store.trace("a", 10)


def test_the_first_edge_after_a_moment_is_after_it() -> None:
    store = a_store()
    assert (store.first_after("a", 0), store.level("a")) == (None, 0)
    store.add("a", 1, [5, 9])
    assert [store.first_after("a", since) for since in (0, 5, 8, 9)] == [5, 9, 9, None]


@given(st.integers(0, 2**50), st.integers(0, 30_000_000), st.sampled_from([(32, 8000), (30, 1_000_000), (32, 16000)]))
def test_a_counter_is_unwrapped_by_when_it_was_fetched(steps: int, late_us: int, counter: tuple[int, int]) -> None:
    bits, step_ps = counter
    late_us = min(late_us, (1 << bits) * step_ps // 1_000_000 * 14 // 16)
    fetched_us = steps * step_ps // 1_000_000 + late_us
    for early_us in (0, 20):
        assert unwrap(steps % 2**bits, fetched_us - early_us, bits, step_ps) == steps * step_ps // 1000
