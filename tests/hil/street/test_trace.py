"""Edge traces: what was written is what is read, and a cut leaves the rest readable."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.street.trace import Edge, load, parse, samples

EDGES = st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 1000), st.booleans()), min_size=1, max_size=30).map(
    lambda rows: [Edge(*row) for row in sorted(rows, key=lambda row: row[0])]
)


def written(edges: list[Edge]) -> str:
    return "".join(f"{edge.at_ns} {edge.permille} {int(edge.closed)}\n" for edge in edges)


@given(EDGES)
def test_what_the_board_writes_is_read_back(edges: list[Edge]) -> None:
    assert parse(written(edges)) == edges


@given(EDGES, st.data())
def test_a_line_torn_by_a_power_cut_costs_nothing_but_itself(edges: list[Edge], data: st.DataObject) -> None:
    text = written(edges)
    cut = data.draw(st.integers(0, len(text)))
    assert parse(text[:cut]) == edges[: text[:cut].count("\n")]


@pytest.mark.parametrize("line", ["hello\n", "1 2\n", "1 2 x\n", "1 2 3 4\n", "\n"])
def test_a_line_that_is_no_edge_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        parse("0 1000 1\n" + line)


def test_a_lamp_that_never_had_power_has_no_edges(tmp_path: Path) -> None:
    assert load(tmp_path / "none.txt") == []


def test_an_open_relay_is_dark_whatever_the_dimming_output_says() -> None:
    assert Edge(0, 700, True).level == 70
    assert Edge(0, 700, False).level == 0
    assert (Edge(0, 704, True).level, Edge(0, 705, True).level) == (70, 71)


def test_a_sample_is_the_edge_in_force() -> None:
    edges = [Edge(100, 1000, True), Edge(200, 500, True)]
    taken = samples(edges, [99, 100, 199, 200, 5000])
    assert [(moment, edge.level) for moment, edge in taken] == [(100, 100), (199, 100), (200, 50), (5000, 50)]
    assert samples([], [1, 2]) == []
