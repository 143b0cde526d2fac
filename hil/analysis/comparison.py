"""Two sets of samples: did most of them move, and did the late ones?

Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than the other" (1947),
which asks nothing of the samples' shape; its effect size is Cliff's delta (1993): how much more often a sample of the
second set is larger than one of the first than it is smaller.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from hil.analysis.statistics import CONFIDENCE, RESAMPLES, Array, Estimate, finite, least, ranked, resample

TAIL = 0.95


@dataclass(frozen=True)
class Comparison:
    """`p_value` of "nothing moved"; `effect` -1 (all are smaller now) .. 1 (all are larger); `p95` the second p95 minus
    the first, with its interval, in the samples' unit."""

    p_value: float
    effect: float
    p95: Estimate

    @property
    def uncertainty(self) -> float:
        """Of the difference of p95."""
        return self.p95.uncertainty


def compare(
    first: Sequence[float],
    second: Sequence[float],
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Raises ValueError for sets too small for a p95."""
    old, new = (finite(values, least(TAIL), "a p95 to compare") for values in (first, second))
    found = stats.mannwhitneyu(new, old, alternative="two-sided", method="asymptotic") if np.ptp([*old, *new]) else None
    tail = ranked(TAIL)

    def difference(before: Array, after: Array, axis: int = -1) -> Array:
        return tail(after, axis=axis) - tail(before, axis=axis)

    return Comparison(
        # Without any difference among them there is no rank to compare.
        p_value=1.0 if found is None else float(found.pvalue),
        effect=0.0 if found is None else float(2 * found.statistic / (old.size * new.size) - 1),
        p95=resample((old, new), difference, seed, confidence, resamples),
    )
