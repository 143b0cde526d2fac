"""What a lamp's output did: the edge trace that the simulated board writes, one line a change.

A line is `<CLOCK_MONOTONIC ns> <permille of the dimming output> <relay 0|1>`; the first one is the power-up. A killed
process may leave a torn last line, which is ignored, since the edge it would tell of never was complete.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edge:
    """The output from this moment on."""

    at_ns: int
    permille: int
    closed: bool

    @property
    def level(self) -> int:
        """Level in percent as the street sees it: nothing while the relay is open."""
        return (self.permille + 5) // 10 if self.closed else 0


def parse(text: str) -> list[Edge]:
    """Edges in order of time; raises ValueError for a whole line that is no edge."""
    edges = []
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            at_ns, permille, closed = (int(word) for word in line.split(" "))
        except ValueError as error:
            raise ValueError(
                f"line {number} of the trace is no edge: {line!r}; is another program writing it?"
            ) from error
        edges.append(Edge(at_ns, permille, bool(closed)))
    return edges


def load(path: Path) -> list[Edge]:
    """The edges of a trace file; none when the lamp never had power."""
    return parse(path.read_text(encoding="ascii")) if path.exists() else []


def samples(edges: list[Edge], moments_ns: Iterable[int]) -> list[tuple[int, Edge]]:
    """The edge in force at each of the moments; moments before the first edge are left out."""
    starts = [edge.at_ns for edge in edges]
    taken = []
    for moment in moments_ns:
        index = bisect_right(starts, moment)
        if index:
            taken.append((moment, edges[index - 1]))
    return taken
