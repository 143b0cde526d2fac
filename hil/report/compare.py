"""A run against a baseline run of the same bench: what got worse, what got better, and what nobody can tell.

Two questions of each measurement: did most samples move (Mann-Whitney), and did its late ones (bootstrap interval of
the difference of p95)? With 20 measurements asked at 5 % one would be "worse" by chance every night, so both are asked
at 5 % divided by the number of all questions (Bonferroni): all "worse" of a comparison together are wrong in at most
5 % of comparisons. A move counts when it is also larger than what the measurements do not know and than MATTERS.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from hil.analysis import quantiles
from hil.errors import Incomparable
from hil.limits import Limit
from hil.measurement import Measurement, Outcome
from hil.report.run import Run
from hil.verdict import LEAST, statistic

ERROR = 0.05
CORRECTION = "Bonferroni: 5 % shared by both questions of all measurements"
# Of the limit: a smaller move is no news to anybody, however many samples prove it.
MATTERS = 0.05
DRAWS = 20_000


class Course(StrEnum):
    WORSE = "worse"
    GONE = "not measured any more"
    UNKNOWN = "cannot be told"
    NO_WORSE = "no worse"
    BETTER = "better"
    NEW = "new"


@dataclass(frozen=True)
class Change:
    """One measurement in both runs. `before` and `after` are p95, or the judged value where samples are too few for
    one; `interval` of their difference, positive is worse, at the corrected confidence; `p` of Mann-Whitney, corrected.
    """

    check: str
    course: Course
    reason: str
    unit: str = ""
    n: tuple[int, int] = (0, 0)
    before: float | None = None
    after: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None


def compare(baseline: Run, run: Run) -> list[Change]:
    """One change for each measurement of either run, in the baseline's order. Raises Incomparable."""
    _check_comparable(baseline, run)
    was = {measurement.name: measurement for measurement in baseline.measurements if measurement.limits}
    now = {measurement.name: measurement for measurement in run.measurements if measurement.limits}
    both = [name for name in was if name in now and was[name].samples and now[name].samples]
    questions = 2 * max(1, len(both))
    changes = []
    for name in [*was, *(name for name in now if name not in was)]:
        if name in both:
            broke = _kept(baseline, name) and _broken(run, name)
            changes.append(_change(was[name], now[name], run.about.is_simulated, questions, broke))
        elif name in now and now[name].samples:
            changes.append(Change(name, Course.NEW, "It is not in the baseline.", n=(0, len(now[name].samples))))
        elif was[name].samples:
            reason = "The baseline has it, this run has not; look what kept it from measuring."
            changes.append(Change(name, Course.GONE, reason, n=(len(was[name].samples), 0)))
    return changes


def exit_code(changes: Sequence[Change]) -> int:
    """1 when something got worse or was not measured any more, else 0."""
    return int(any(change.course in {Course.WORSE, Course.GONE} for change in changes))


def _check_comparable(baseline: Run, run: Run) -> None:
    old, new = baseline.about, run.about
    if old.is_simulated != new.is_simulated:
        raise Incomparable(
            "one run is simulated and the other is of real boards",
            "compare with a baseline of the same kind: a VM says nothing about how quick a chip is",
        )
    if old.bench != new.bench:
        raise Incomparable(
            f"the baseline is of bench {old.bench} and the run of {new.bench}",
            "take a baseline on the same bench: another probe and another network measure another thing",
        )
    for measurement in run.measurements:
        for other in baseline.measurements:
            units = {limit.unit for limit in (*measurement.limits, *other.limits)}
            if measurement.name == other.name and len(units) > 1:
                raise Incomparable(f"{measurement.name} is measured in {' and '.join(sorted(units))}", "measure again")


def _kept(run: Run, check: str) -> bool:
    outcomes = {verdict.outcome for verdict in run.verdicts if verdict.check == check}
    return outcomes == {Outcome.PASSED}


def _broken(run: Run, check: str) -> bool:
    return any(verdict.check == check and verdict.outcome is Outcome.FAILED for verdict in run.verdicts)


def _change(was: Measurement, now: Measurement, is_simulated: bool, questions: int, broke: bool) -> Change:
    limit = now.limits[0]
    matters = MATTERS * abs(limit.bound(is_simulated))
    count = (len(was.samples), len(now.samples))
    if min(count) >= LEAST["p95"]:
        change = _by_samples(was, now, limit, matters, questions)
    elif limit.statistic == "slope" or limit.samples < LEAST["p95"]:
        change = _by_value(was, now, limit, matters)
    else:
        reason = (
            f"{min(count)} samples are too few; {LEAST['p95']} let a p95 be compared, the limit asks {limit.samples}."
        )
        change = Change(was.name, Course.UNKNOWN, reason, limit.unit, count)
    if not broke:
        return change
    reason = "A limit that the baseline kept is broken."
    return replace(change, course=Course.WORSE, reason=reason)


def _by_samples(was: Measurement, now: Measurement, limit: Limit, matters: float, questions: int) -> Change:
    sign = 1.0 if limit.is_ceiling else -1.0
    # Turned so that larger is worse: then the late tail is the upper one for every limit.
    old = [sign * sample.value for sample in was.samples]
    new = [sign * sample.value for sample in now.samples]
    generator = np.random.default_rng(0)
    moved = quantiles.resampled(new, 0.95, DRAWS, generator) - quantiles.resampled(old, 0.95, DRAWS, generator)
    tail = ERROR / questions / 2
    low, high = (float(edge) for edge in np.quantile(moved, (tail, 1 - tail), method="inverted_cdf"))
    p = min(1.0, questions * _mann_whitney(old, new))
    before, after = quantiles.quantile(old, 0.95), quantiles.quantile(new, 0.95)
    late, most = after - before, quantiles.quantile(new, 0.5) - quantiles.quantile(old, 0.5)
    counts = max(matters, _unknown(was, now))
    enough = min(len(old), len(new)) >= limit.samples
    if low > 0 and late > counts:
        course, reason = Course.WORSE, "Its late samples are later."
    elif p < ERROR and most > counts:
        course, reason = Course.WORSE, "Most moved."
    elif high <= counts and most <= counts:
        if (high < 0 and late < -counts) or (p < ERROR and most < -counts):
            course, reason = Course.BETTER, "It moved away from its limit."
        elif enough:
            course, reason = Course.NO_WORSE, "Were it worse by what matters, it would be seen."
        else:
            course = Course.UNKNOWN
            reason = f"{min(len(old), len(new))} of {limit.samples} samples: too few to say that it is no worse."
    else:
        course, reason = Course.UNKNOWN, "The samples scatter too widely to tell; take more."
    return Change(
        was.name, course, reason, limit.unit, (len(old), len(new)), sign * before, sign * after, (low, high), p
    )


def _mann_whitney(old: list[float], new: list[float]) -> float:
    # Without any difference among them there is no rank to compare.
    if len({*old, *new}) == 1:
        return 1.0
    return float(stats.mannwhitneyu(old, new, alternative="two-sided").pvalue)


def _unknown(was: Measurement, now: Measurement) -> float:
    """What the two medians' samples do not know, together."""
    halves = [quantiles.quantile([s.uncertainty + s.held_up for s in side.samples], 0.5) for side in (was, now)]
    return math.hypot(*halves)


def _by_value(was: Measurement, now: Measurement, limit: Limit, matters: float) -> Change:
    """A trend, or every setting once: the judged values with their uncertainties, and no scatter to reckon with."""
    sign = 1.0 if limit.is_ceiling else -1.0
    before, after = (statistic(limit.statistic, [s.value for s in side.samples]) for side in (was, now))
    unknown = sum(max(s.uncertainty + s.held_up for s in side.samples) for side in (was, now))
    moved = sign * (after - before)
    if moved > max(matters, unknown):
        course, reason = Course.WORSE, "It moved towards its limit by more than it is uncertain."
    elif moved < -max(matters, unknown):
        course, reason = Course.BETTER, "It moved away from its limit by more than it is uncertain."
    elif moved + unknown <= matters:
        course, reason = Course.NO_WORSE, "Were it worse by what matters, it would be seen."
    else:
        course, reason = Course.UNKNOWN, "Both are more uncertain than what matters."
    interval = (moved - unknown, moved + unknown)
    return Change(was.name, course, reason, limit.unit, (len(was.samples), len(now.samples)), before, after, interval)
