"""How often an estimate lies within its own uncertainty, and how wide that uncertainty is."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Coverage:
    """`share` of cases in which the truth lies within; `median` and `widest` half width."""

    share: float
    median: float
    widest: float


def coverage(cases: Iterable[tuple[float, float, float]]) -> Coverage:
    """Of (estimate, truth, half width)."""
    rows = np.array(list(cases), dtype=np.float64)
    assert np.isfinite(rows).all()
    # A billionth of slack: a float is no exact 0.28.
    within = np.abs(rows[:, 0] - rows[:, 1]) <= rows[:, 2] * (1 + 1e-9) + 1e-12
    return Coverage(float(within.mean()), float(np.median(rows[:, 2])), float(rows[:, 2].max()))
