"""The slope of a series, with its confidence interval.

Theil and Sen (Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968): the median of the slopes of
all pairs. Not least squares, because one sample that came late (a lost datagram, a busy host) would tilt that line;
this one stands still until more than a quarter of the samples are wrong. Its interval takes the residuals for
independent; where they hang together (a clock that wanders) there are fewer samples than it seems, and the interval
is widened by the residuals' correlation from one to the next (an AR(1) process: n shrinks by (1 - r) / (1 + r)).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from hil.analysis.quantiles import CONFIDENCE
from hil.analysis.statistics import Array, finite, quantile

LEAST_SAMPLES = 20
# All pairs of more take longer than they tell: neighbours are then taken together by their median.
MOST_SAMPLES = 1_000


@dataclass(frozen=True)
class Trend:
    """`slope` in y's unit for each of x's, true within plus or minus `uncertainty` (95 %); `at_zero` in y's unit.

    `residual_p95`: 95 % of the samples lie nearer to the line than this. `correlation` of residuals, 0..1.
    """

    slope: float
    uncertainty: float
    at_zero: float
    residual_p95: float
    correlation: float
    n: int


def trend(x: Sequence[float], y: Sequence[float], y_uncertainty: Sequence[float] = ()) -> Trend:
    """`y_uncertainty` (half widths, 95 %): the interval is never narrower than they allow, even if all lie in a line.

    Raises ValueError for fewer than 20 samples, lists of unequal length, an x that never changes or goes back.
    """
    across, up = finite(x, LEAST_SAMPLES, "a trend"), finite(y, LEAST_SAMPLES, "a trend")
    if across.size != up.size or (len(y_uncertainty) not in (0, across.size)):
        raise ValueError(f"{across.size} moments for {up.size} values with {len(y_uncertainty)} uncertainties")
    if (np.diff(across) < 0).any() or across[0] == across[-1]:
        raise ValueError("x goes back, or never changes; sort the samples by time and take them over a while")
    origin = across[0]
    few_x, few_y = _thinned(across - origin, up)
    slope, middle, low, high = (float(value) for value in stats.theilslopes(few_y, few_x, CONFIDENCE, "joint"))
    residuals = up - (middle + slope * (across - origin))
    correlation = _correlation(few_y - (middle + slope * few_x))
    half = max(high - slope, slope - low) * math.sqrt((1 + correlation) / (1 - correlation))
    known = float(np.median(finite(y_uncertainty, 1, "a median"))) if len(y_uncertainty) else 0.0
    # What samples of this uncertainty leave open at the least: the standard error of a slope.
    floor = known / math.sqrt(float(np.square(across - across.mean()).sum()))
    return Trend(
        slope,
        max(half, floor),
        middle - slope * float(origin),
        quantile(np.abs(residuals), 0.95),
        correlation,
        int(across.size),
    )


def _thinned(x: Array, y: Array) -> tuple[Array, Array]:
    if x.size <= MOST_SAMPLES:
        return x, y
    blocks = np.array_split(np.arange(x.size), MOST_SAMPLES)
    return np.array([np.median(x[b]) for b in blocks]), np.array([np.median(y[b]) for b in blocks])


def _correlation(residuals: Array) -> float:
    """From one residual to the next, by ranks (an outlier has a rank as any other); 0 unless it is more than chance."""
    if np.ptp(residuals) == 0:
        return 0.0
    ranks = stats.rankdata(residuals)
    count = residuals.size
    found = float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1]) if np.ptp(ranks[:-1]) and np.ptp(ranks[1:]) else 0.0
    # The line has taken a part of it: of so few, the residuals of a wandering clock look more alike than they are.
    return min(found + (2 + 4 * found) / count, 0.99) if found > 1 / math.sqrt(count) else 0.0
