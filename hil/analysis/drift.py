"""How fast a clock runs away from true time: the slope of its offset, in ppm (see `hil.analysis.trend`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hil.analysis.trend import trend

PPM = 1e6


@dataclass(frozen=True)
class Drift:
    """The clock gains `slope_ppm` (below 0: loses), true within plus or minus `uncertainty_ppm` (95 %);
    95 % of the offsets lie within `residual_p95_ns` of the line; `samples` were taken over `span_ns`."""

    slope_ppm: float
    uncertainty_ppm: float
    residual_p95_ns: float
    samples: int
    span_ns: int


def drift(t_ns: Sequence[int], offset_ns: Sequence[float], uncertainty_ns: Sequence[float] = ()) -> Drift:
    """`offset_ns`: the clock minus true time at the true moments `t_ns`, each within `uncertainty_ns` (95 %).

    Outliers up to a quarter of all do no harm. Raises ValueError for fewer than 20 samples, or moments out of order.
    """
    # Moments of today's clocks have 61 bits and a float 53: only the distance counts, and that fits.
    since = [float(moment - t_ns[0]) for moment in t_ns]
    line = trend(since, offset_ns, uncertainty_ns)
    return Drift(line.slope * PPM, line.uncertainty * PPM, line.residual_p95, line.n, t_ns[-1] - t_ns[0])
