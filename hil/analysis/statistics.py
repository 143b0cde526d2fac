"""Samples that are numbers and enough of them: what every analyser asks before it computes.

A quantile is the nearest rank (definition 1 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996): the
smallest sample that at least this share of all does not exceed. It is a value that occurred, never one between two.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hil.analysis import quantiles

Array = NDArray[np.float64]


def finite(values: Sequence[float] | Array, least: int, what: str) -> Array:
    """As an array; raises ValueError when there are fewer than `least` or one is no finite number."""
    array = np.asarray(values, dtype=np.float64)
    if array.size < least:
        raise ValueError(f"{array.size} samples are too few for {what}; take at least {least}")
    if not np.isfinite(array).all():
        raise ValueError(f"sample {int(np.argmin(np.isfinite(array)))} is no number; leave out what was not measured")
    return array


def least(share: float) -> int:
    """So many samples that one is expected beyond the quantile: with fewer it is the largest by another name."""
    return 1 if share in (0, 1) else math.ceil(round(1 / min(share, 1 - share), 9))


def quantile(values: Sequence[float] | Array, share: float) -> float:
    """The nearest rank; `share` is 0..1. Raises ValueError for fewer than `least(share)` samples."""
    if not 0 <= share <= 1:
        raise ValueError(f"a quantile of {share}; it is a share, 0..1")
    array = finite(values, least(share), f"a p{100 * share:g}")
    return quantiles.quantile(array.tolist(), share)
