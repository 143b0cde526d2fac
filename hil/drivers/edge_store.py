"""Edges of many channels as they come from an instrument, bounded, and traces out of them. Pure.

A channel begins dark at moment 0 of the instrument's clock; from there on its edges alternate.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from hil.edges import EdgeTrace
from hil.errors import InstrumentReset, TraceOverflow

# 16 MB a channel; 17 minutes of a dimming output at 1 kHz. Older edges are forgotten.
MOST_KEPT = 2_000_000
LESS = "dim with a lower frequency, watch fewer channels, or give the probe a USB port without a hub"


class EdgeStore:
    """`resolution_ns`, `uncertainty_ns` and `source` go to the traces; moments are ns of the instrument's clock."""

    def __init__(self, source: str, resolution_ns: int, uncertainty_ns: int, most: int = MOST_KEPT) -> None:
        self._source = source
        self._resolution_ns = resolution_ns
        self._uncertainty_ns = uncertainty_ns
        self._most = most
        self._edges: dict[str, array[int]] = {}
        self._forgotten: dict[str, int] = {}

    def add(self, channel: str, first_level: int, t_ns: Sequence[int]) -> None:
        """The next edges of a channel, in order; the first of them goes to `first_level`.

        Raises TraceOverflow when one is missing before them, InstrumentReset when time goes back.
        """
        edges = self._edges.setdefault(channel, array("q"))
        if first_level != self._next_level(channel):
            raise TraceOverflow(f"{self._source}: channel {channel} lost an edge", LESS)
        if t_ns and (t_ns[0] < (edges[-1] if edges else 0) or any(t_ns[i] > t_ns[i + 1] for i in range(len(t_ns) - 1))):
            raise InstrumentReset(
                f"{self._source}: time went back on channel {channel}", "start the run again; look at its supply"
            )
        edges.extend(t_ns)
        if len(edges) > self._most:
            gone = len(edges) - self._most // 2
            del edges[:gone]
            self._forgotten[channel] = self._forgotten.get(channel, 0) + gone

    def level(self, channel: str) -> int:
        """After the newest edge."""
        return 1 - self._next_level(channel)

    def first_after(self, channel: str, since_ns: int) -> int | None:
        """The first edge after a moment, if there is one yet."""
        edges = self._edges.get(channel, ())
        index = bisect_right(edges, since_ns)
        return edges[index] if index < len(edges) else None

    def trace(self, channel: str, since_ns: int) -> EdgeTrace:
        """Edges from `since_ns` on, begun by the level in force; raises TraceOverflow when they are forgotten."""
        edges = self._edges.get(channel, array("q"))
        forgotten = self._forgotten.get(channel, 0)
        index = bisect_left(edges, since_ns)
        if forgotten and index == 0:
            raise TraceOverflow(
                f"{self._source}: channel {channel} has seen more than the {self._most:,} edges that are kept",
                "measure for a shorter time",
            )
        begin = [] if index < len(edges) and edges[index] == since_ns else [max(since_ns, 0)]
        first = (index + forgotten - len(begin)) % 2
        count = len(begin) + len(edges) - index
        levels = tuple(float((first + number + 1) % 2) for number in range(count))
        stamps = (*begin, *edges[index:])
        return EdgeTrace(
            channel, stamps, levels, self._resolution_ns, self._uncertainty_ns, f"{self._source}/{channel}"
        )

    def _next_level(self, channel: str) -> int:
        return (len(self._edges.get(channel, ())) + self._forgotten.get(channel, 0) + 1) % 2
