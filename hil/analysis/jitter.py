"""The floor of a machine: how late it wakes who asked to be woken, measured before anything else is."""

from collections.abc import Sequence
from dataclasses import dataclass

from hil.analysis import quantiles
from hil.analysis.statistics import finite, least, quantile


@dataclass(frozen=True)
class Jitter:
    """Lateness in ns by nearest rank; below 0 is early. p95 is true within plus or minus `uncertainty_ns` (95 %)."""

    median_ns: float
    p95_ns: float
    p99_ns: float
    max_ns: float
    uncertainty_ns: float
    samples: int


def jitter(moments: Sequence[tuple[int, int]]) -> Jitter:
    """`moments` are (asked, woke) in ns of one clock. Raises ValueError for fewer than 100: there is no p99 then."""
    late = finite([float(woke - asked) for asked, woke in moments], least(0.99), "a p99")
    p95 = quantile(late, 0.95)
    low, high = quantiles.interval(late.tolist(), 0.95)
    return Jitter(
        quantile(late, 0.5),
        p95,
        quantile(late, 0.99),
        quantile(late, 1.0),
        max(high - p95, p95 - low),
        int(late.size),
    )
