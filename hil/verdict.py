"""The verdict on a measurement: the limit minus what the measurement does not know. Pure.

The judged statistic is taken three times: of the values, of the most that they can be (plus their uncertainty) and of
the least (minus it, and minus what held them up). All of that range within the bound is passed, all of it beyond is
failed, and what lies between is inconclusive. What the number of samples lets one say of all the others is the exact
one-sided binomial bound (Clopper and Pearson, 1934); with none beyond the bound that is 0.05 ** (1 / n). Source of the
bounds: `hil.limits`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy import stats  # type: ignore[import-untyped]

from hil.analysis import quantiles
from hil.analysis.statistics import least
from hil.errors import BenchError
from hil.limits import Limit, Statistic
from hil.measurement import Measurement, Outcome, Sample

QUANTILES: dict[Statistic, float] = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
# So many samples that one of them is expected to lie beyond the quantile: with fewer it is the largest by another name.
LEAST: dict[Statistic, int] = {name: least(share) for name, share in QUANTILES.items()} | {"max": 1}


@dataclass(frozen=True)
class Verdict:
    """One limit and what became of it; `reason` is a sentence for a person, `claim` what is known of all other cases.

    `value` is the judged statistic, true within plus or minus `uncertainty`, and `held_up` of it may be this
    computer's; `margin` what is left to the bound after
    the uncertainty is taken off (below 0: nothing). p50, p95, p99 and max of all samples are None where there are too
    few. `interval` is the 95 % bootstrap interval of `interval_of`. Without a limit the bench failed before anything
    could be judged.
    """

    check: str
    outcome: Outcome
    reason: str
    limit: Limit | None = None
    bound: float | None = None
    n: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    uncertainty: float | None = None
    held_up: float | None = None
    margin: float | None = None
    worst: Sample | None = None
    claim: str = ""

    @property
    def interval_of(self) -> Statistic:
        """A maximum cannot be resampled: nothing larger than itself is among the samples. p95 stands in for it."""
        return self.limit.statistic if self.limit is not None and self.limit.statistic in QUANTILES else "p95"


def judge(measurement: Measurement, is_simulated: bool, quick: bool = False) -> list[Verdict]:
    """One verdict for each limit, in their order. `quick` lets few samples pass, and says how little they prove.

    Raises ValueError for a value or uncertainty that is no finite number, for a negative uncertainty or hold-up, and
    for a slope that is not one sample.
    """
    for sample in measurement.samples:
        if not (math.isfinite(sample.least) and math.isfinite(sample.most)):
            raise ValueError(f"{measurement.name}: {sample.least} to {sample.most} is no measured value")
        if sample.uncertainty < 0 or sample.held_up < 0:
            raise ValueError(
                f"{measurement.name}: an uncertainty of {sample.uncertainty}, held up by {sample.held_up}; "
                "they are widths, 0 or more"
            )
    return [_judge(measurement, limit, is_simulated, quick) for limit in measurement.limits]


def inconclusive(name: str, error: BenchError) -> Verdict:
    """The verdict on a check in which the bench failed."""
    return Verdict(name, Outcome.INCONCLUSIVE, f"The bench failed: {error.detail}; {error.advice}.")


def overall(verdicts: Iterable[Verdict]) -> Outcome:
    """Failed if one failed; passed only if all passed, and there is one."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.FAILED in outcomes:
        return Outcome.FAILED
    return Outcome.PASSED if outcomes == {Outcome.PASSED} else Outcome.INCONCLUSIVE


def statistic(name: Statistic, values: Sequence[float]) -> float:
    """Of at least one value. A quantile is the nearest rank: a value that occurred, never one between two.
    A slope was reduced to one value before: it is that one."""
    if name in QUANTILES:
        return quantiles.quantile(values, QUANTILES[name])
    return min(values) if name == "min" else max(values)


def amount(value: float, unit: str = "", beside: float | None = None, digits: int = 4) -> str:
    """So many digits and the unit; more digits, where `beside` would look the same and is not."""
    while beside is not None and value != beside and digits < 12 and f"{value:.{digits}g}" == f"{beside:.{digits}g}":
        digits += 1
    text = f"{value:.{digits}g}"
    # 1e+04 is what a float prints, not what a person reads.
    if "e+" in text:
        text = f"{value:.0f}"
    return f"{text} {unit}".rstrip()


def _judge(measurement: Measurement, limit: Limit, is_simulated: bool, quick: bool) -> Verdict:
    samples = measurement.samples
    bound, count = limit.bound(is_simulated), len(samples)
    if limit.statistic == "slope" and count > 1:
        raise ValueError(f"{measurement.name}: {count} samples; a slope is judged when it is one, with its interval")
    if not samples:
        reason = f"No sample was taken; look in the log for what kept {limit.check} from measuring, and run it again."
        return Verdict(measurement.name, Outcome.INCONCLUSIVE, reason, limit, bound)
    values = [sample.value for sample in samples]
    lowest = statistic(limit.statistic, [sample.least for sample in samples])
    highest = statistic(limit.statistic, [sample.most for sample in samples])
    unexcused = statistic(limit.statistic, [sample.value - sample.uncertainty for sample in samples])
    value = statistic(limit.statistic, values)
    margin = bound - highest if limit.is_ceiling else lowest - bound
    is_beyond = lowest > bound if limit.is_ceiling else highest < bound
    uncertainty, held_up = max(highest - value, value - unexcused), unexcused - lowest
    needed = 1 if limit.statistic == "slope" else limit.samples
    outcome, reason = _outcome(limit, bound, value, uncertainty, held_up, margin >= 0, is_beyond, count, needed, quick)
    return Verdict(
        measurement.name,
        outcome,
        reason,
        limit,
        bound,
        count,
        *_summary(values),
        value=value,
        interval=_interval(limit, values),
        uncertainty=uncertainty,
        held_up=held_up,
        margin=margin,
        worst=max(samples, key=lambda s: s.most if limit.is_ceiling else -s.least),
        claim=_claim(limit, bound, samples),
    )


def _summary(values: Sequence[float]) -> tuple[float | None, float | None, float | None, float | None]:
    p50, p95, p99, largest = (statistic(name, values) if len(values) >= LEAST[name] else None for name in LEAST)
    return p50, p95, p99, largest


def _outcome(
    limit: Limit,
    bound: float,
    value: float,
    uncertainty: float,
    held_up: float,
    is_within: bool,
    is_beyond: bool,
    count: int,
    needed: int,
    quick: bool,
) -> tuple[Outcome, str]:
    measured = f"{limit.statistic} is {amount(value, beside=bound)} ± {amount(uncertainty, limit.unit)}"
    allowed = f"{'at most' if limit.is_ceiling else 'at least'} {amount(bound, limit.unit)}"
    # One that is over a maximum is over it however few there are; a quantile of a few says nothing yet.
    if is_beyond and (count >= needed or quick or limit.statistic not in QUANTILES):
        return Outcome.FAILED, f"{measured}, beyond the limit of {allowed}."
    if count < needed and not quick:
        missing = needed - count
        return (
            Outcome.INCONCLUSIVE,
            f"{count} of {needed} samples were taken ({measured} so far); take {missing} more, without --quick.",
        )
    if not is_within:
        return (
            Outcome.INCONCLUSIVE,
            f"{measured}{_excuse(held_up, limit)}, too near to the limit of {allowed} to tell; "
            "measure more finely, on a quieter machine.",
        )
    few = "" if count >= needed else f", by {count} samples of the {needed} that prove it"
    return Outcome.PASSED, f"{measured}, within the limit of {allowed}{few}."


def _excuse(held_up: float, limit: Limit) -> str:
    return f" (of which this computer may have added {amount(held_up, limit.unit)})" if held_up else ""


def _claim(limit: Limit, bound: float, samples: Sequence[Sample]) -> str:
    """What is within the bound for certain, rounded down; empty when nothing is."""
    if limit.is_ceiling:
        within = sum(sample.most <= bound for sample in samples)
    else:
        within = sum(sample.least >= bound for sample in samples)
    if limit.statistic == "slope" or len(samples) == 1:
        what = "the trend, with 95 % confidence" if limit.statistic == "slope" else "this one sample"
        return what if within else ""
    share = stats.binomtest(within, len(samples), alternative="greater").proportion_ci(quantiles.CONFIDENCE).low
    return f"at least {math.floor(share * 1000) / 10:.1f} % of all, with 95 % confidence"


def _interval(limit: Limit, values: Sequence[float]) -> tuple[float, float] | None:
    name: Statistic = limit.statistic if limit.statistic in QUANTILES else "p95"
    return quantiles.interval(values, QUANTILES[name]) if len(values) >= LEAST[name] else None
