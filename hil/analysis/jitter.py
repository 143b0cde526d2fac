"""The floor of a machine: how late it wakes who asked to be woken, measured before anything else is."""

from collections.abc import Sequence
from dataclasses import dataclass

from hil.analysis.statistics import bootstrap, finite, least, quantile, ranked


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
    return Jitter(
        quantile(late, 0.5),
        quantile(late, 0.95),
        quantile(late, 0.99),
        quantile(late, 1.0),
        bootstrap(late, ranked(0.95), seed=0).uncertainty,
        int(late.size),
    )
