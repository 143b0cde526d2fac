"""How long the light took: from a moment to its first change, or to a level.

For traces of levels. One of pulses goes through `hil.analysis.pwm.demodulate` first, and its uncertainty then holds the
period within which a change cannot be told.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hil.edges import EdgeTrace
from hil.seams import Instant

# Half a percent of full scale: what nobody sees, and what a duty may be off.
THRESHOLD = 0.005


@dataclass(frozen=True)
class Latency:
    """`at_ns` on the trace's clock, and its distance from the beginning, true within plus or minus `uncertainty_ns`:
    the sum of what the beginning and the stamp do not know. A latency below its uncertainty may come out below 0."""

    latency_ns: int
    uncertainty_ns: int
    at_ns: int


def to_change(trace: EdgeTrace, since: Instant, threshold: float = THRESHOLD) -> Latency:
    """To the edge from which on the level is at least `threshold` (share of full scale) away from what it was.

    Raises ValueError for a trace without edges or that begins too late, and when there is no such edge.
    """
    return _first(trace, since, lambda before, level: abs(level - before) >= threshold, f"changes by {threshold:g}")


def to_level(trace: EdgeTrace, since: Instant, level: float, within: float = THRESHOLD) -> Latency:
    """To the edge from which on the light is `within` of `level`. Raises ValueError as `to_change` does, and when it is
    there at the beginning: nothing can be seen of a light that need not change."""
    doubt = since.uncertainty_ns + trace.uncertainty_ns
    before = _before(trace, since, doubt)
    if abs(before - level) <= within:
        raise ValueError(f"{trace.channel}: the light has {level:g} at the beginning; begin from another level")
    return _first(trace, since, lambda _, now: abs(now - level) <= within, f"reaches {level:g}")


def _first(trace: EdgeTrace, since: Instant, is_it: Callable[[float, float], bool], what: str) -> Latency:
    doubt = since.uncertainty_ns + trace.uncertainty_ns
    before = _before(trace, since, doubt)
    for at_ns, level in zip(trace.t_ns, trace.level, strict=True):
        if at_ns >= since.t_ns - doubt and is_it(before, level):
            return Latency(at_ns - since.t_ns, doubt, at_ns)
    raise ValueError(
        f"{trace.channel}: no edge after the beginning {what}; watch for longer, or see whether the command arrived"
    )


def _before(trace: EdgeTrace, since: Instant, doubt: int) -> float:
    """The level before the beginning: an edge within the doubt around it may be the answer already."""
    if not len(trace) or trace.t_ns[0] > since.t_ns:
        raise ValueError(
            f"{trace.channel}: the trace does not reach back to the beginning; ask for edges from before it"
        )
    level = trace.level_at(since.t_ns - doubt - 1)
    return trace.level[0] if level is None else level
