"""Schedule steps against true time: in sync, across midnight, across daylight saving, and alone for three days.

What is expected is worked out here from the lamps' zone by the standard library's time zones, and not by the engine
that lamps and backend share: a mistake in it would cancel itself out.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hil import light
from hil.analysis.drift import drift as drift_of
from hil.analysis.steps import steps as find
from hil.bench import Bench
from hil.checks.common import AROUND_NS, held_up_s, settle
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.patience import pause

LEVELS = (30, 60, 90)
# Around a step, in true seconds: an edge further away is not this step's.
WINDOW_S = 25.0
# From the time at which the schedule is written to its first step: it has to arrive.
LEAD = timedelta(minutes=3)
MINUTE = timedelta(minutes=1)
# A fade's steps follow one another faster: a lamp may fade from one level of its schedule to the next.
SETTLE_NS = 200_000_000
COUNT = 8
NIGHTS = 3
# Times of day of a lamp that is alone: enough edges for the claim, and none where its zone may change the clocks.
NIGHT = (timedelta(hours=18), timedelta(hours=24), timedelta(hours=29, minutes=15))
DRIFT_EVERY = timedelta(minutes=2, seconds=30)
DRIFT_COUNT = 24
DRIFT_WINDOW_S = 1.5
# How fast a simulated night is around a step of lamps that are alone.
ALONE_RATE = 20

Due = list[tuple[datetime, int]]


def in_sync(bench: Bench, effort: Effort) -> list[Measurement]:
    first = _whole_minute(_local(bench) + LEAD)
    return [follow(bench, "step", _every_minute(first, COUNT))]


def midnight(bench: Bench, effort: Effort) -> list[Measurement]:
    tomorrow = (_local(bench) + LEAD + COUNT // 2 * MINUTE).replace(hour=0, minute=0, second=0, microsecond=0)
    return [follow(bench, "step-midnight", _every_minute(tomorrow + timedelta(days=1) - COUNT // 2 * MINUTE, COUNT))]


def spring(bench: Bench, effort: Effort) -> list[Measurement]:
    """The hour from 2 to 3 does not exist: between 1:59 and 3:01 there are two minutes."""
    return [follow(bench, "step-spring", _around_the_hour(_local(bench)))]


def autumn(bench: Bench, effort: Effort) -> list[Measurement]:
    """The hour from 2 to 3 comes twice; the lamps are on their own in it."""
    due = _around_the_hour(_local(bench))
    _give(bench, due)
    _wait_for(bench, due[COUNT // 2 - 1][0] + timedelta(seconds=WINDOW_S))
    _cut_all(bench)
    bench.clock.pass_until(_utc_ms(due[COUNT // 2][0] - MINUTE), ALONE_RATE)
    return [_judged(bench, "step-autumn", due)]


def alone(bench: Bench, effort: Effort) -> list[Measurement]:
    """Three nights without network."""
    nights = 1 if effort.is_quick else NIGHTS
    today = _local(bench).replace(hour=0, minute=0, second=0, microsecond=0)
    due = _with_levels([today + timedelta(days=night) + at for night in range(nights) for at in NIGHT], len(NIGHT))
    _give(bench, due[: len(NIGHT)])
    _cut_all(bench)
    for at, _ in due:
        bench.clock.pass_until(_utc_ms(at) - WINDOW_S * 1000, ALONE_RATE)
        _wait_for(bench, at + timedelta(seconds=WINDOW_S))
    return [_judged(bench, "step-alone", due, (f"{nights} nights without network",))]


def drift(bench: Bench, effort: Effort) -> list[Measurement]:
    """An hour without network: how the steps of a schedule walk away from true time."""
    first = _whole_minute(_local(bench) + LEAD)
    due = _with_levels([_whole_minute(first + number * DRIFT_EVERY) for number in range(DRIFT_COUNT)], DRIFT_COUNT)
    _give(bench, due)
    _cut_all(bench)
    for at, _ in due:
        # Here a millisecond of this computer must not look like twenty of the lamp.
        bench.clock.pass_until(_utc_ms(at) - DRIFT_WINDOW_S * 1000, 1)
        _wait_for(bench, at + timedelta(seconds=DRIFT_WINDOW_S))
    samples = []
    for board in range(len(bench.stands)):
        steps = [step(bench, board, at, level, DRIFT_WINDOW_S) for at, level in due]
        moments = [round(_utc_ms(at) * 1e6) for at, _ in due]
        found = drift_of(
            moments,
            [sample.value * 1e9 for sample in steps],
            # A slope is as wrong by one step that had to wait as by one that is not known.
            [(sample.uncertainty + sample.held_up) * 1e9 for sample in steps],
        )
        facts: dict[str, object] = {"residual_p95_s": found.residual_p95_ns / 1e9, "slope_ppm": found.slope_ppm}
        name = bench.stands[board].name
        samples.append(Sample(abs(found.slope_ppm), found.uncertainty_ppm, name, _utc_ms(due[-1][0]), facts=facts))
    # The bound is for every board; the one that knows least of itself or is worst speaks for all.
    worst = max(samples, key=lambda sample: sample.value + sample.uncertainty)
    notes = tuple(f"{sample.board}: {sample.value:.1f} ± {sample.uncertainty:.1f} ppm" for sample in samples)
    return [Measurement("drift", of("drift"), (worst,), notes)]


def follow(bench: Bench, name: str, due: Due) -> Measurement:
    """Write a schedule with these steps, wait for the last, and compare each board's edges with all of them."""
    _give(bench, due)
    return _judged(bench, name, due)


def _judged(bench: Bench, name: str, due: Due, notes: tuple[str, ...] = ()) -> Measurement:
    _wait_for(bench, due[-1][0] + timedelta(seconds=WINDOW_S))
    samples = []
    for board in range(len(bench.stands)):
        for at, level in due:
            found = step(bench, board, at, level)
            # Early is as wrong as late.
            samples.append(replace(found, value=abs(found.value)))
    return Measurement(name, of(name), tuple(samples), notes)


def step(bench: Bench, board: int, at: datetime, level: int, window_s: float = WINDOW_S) -> Sample:
    """How late (true seconds; early is below 0) the light went to its level; a step that did not come is `window_s`
    late."""
    at_ms = _utc_ms(at)
    before, due_ns, after = (bench.clock.host_ns(at_ms + s * 1000) for s in (-window_s, 0.0, window_s))
    apart_ns = bench.instrument.stamp(due_ns).t_ns - due_ns
    seen = light.levels(bench, board, before + apart_ns, after + apart_ns)
    found = find(
        seen, [(due_ns + apart_ns, level / 100)], max(due_ns - before, after - due_ns), settle_ns=SETTLE_NS
    ).found
    facts: dict[str, object] = {"due": at.isoformat(), "level": level}
    marks = {"due": due_ns + apart_ns}
    value, doubt_ns, held_up = window_s, 0, 0.0
    if found:
        host_ns = found[0].at_ns - apart_ns
        value = (bench.clock.utc_ms(host_ns) - at_ms) / 1000
        doubt_ns = bench.instrument.stamp(due_ns).uncertainty_ns + seen.uncertainty_ns
        if host_ns >= due_ns:
            held_up = held_up_s(bench, board, due_ns, host_ns)
        else:
            # It may have wanted to be earlier still.
            doubt_ns += bench.stall_ns(board, host_ns - AROUND_NS, host_ns)
        marks["step"] = found[0].at_ns
    else:
        facts["never"] = True
    # True seconds that pass in one of the host's: where a simulated night is fast, its doubts are long.
    rate = window_s / ((after - due_ns) / 1e9)
    doubt_s = doubt_ns / 1e9 * rate + bench.clock.uncertainty_ms() / 1000
    return Sample(value, doubt_s, bench.stands[board].name, at_ms, seen, marks, facts, held_up * rate)


def _give(bench: Bench, due: Due) -> None:
    """The boards get a schedule with these times of day, every night."""
    bench.desk.assign(schedule(due))
    settle(bench)


def schedule(due: Due) -> Mapping[str, Any]:
    points = [{"at": f"{at:%H:%M}", "level": level} for at, level in due]
    return {
        "name": f"Steps from {due[0][0]:%Y-%m-%d %H:%M}",
        "programs": [{"name": "Steps", "switch_points": points}],
        "calendar": [{"program": "Steps", "type": "night"}],
    }


def _with_levels(moments: Sequence[datetime], period: int) -> Due:
    """Levels so that each step is seen, also the first, which follows the last of the day before; `period` a day."""
    day = [LEVELS[number % len(LEVELS)] for number in range(period)]
    if day[-1] == day[0]:
        day[-1] = LEVELS[1]
    return [(moment, day[number % period]) for number, moment in enumerate(moments)]


def _every_minute(first: datetime, count: int) -> Due:
    return _with_levels([first + number * MINUTE for number in range(count)], count)


def _around_the_hour(now: datetime) -> Due:
    """Half of the steps before 2 o'clock local time of this night, half after 3."""
    half = COUNT // 2
    before = [now.replace(hour=1, minute=60 - half + n, second=0, microsecond=0) for n in range(half)]
    after = [now.replace(hour=3, minute=1 + n, second=0, microsecond=0) for n in range(half)]
    return _with_levels(before + after, COUNT)


def _local(bench: Bench) -> datetime:
    """Now by the lamps' wall clock."""
    zone = ZoneInfo(str(bench.desk.lamp(0)["time_zone"]))
    return datetime.fromtimestamp(bench.clock.utc_ms(time.monotonic_ns()) / 1000, UTC).astimezone(zone)


def _whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _utc_ms(moment: datetime) -> float:
    # A sum of local times is a wall time, whose offset is looked up here.
    return moment.replace(fold=0).timestamp() * 1000


def _wait_for(bench: Bench, moment: datetime) -> None:
    pause(bench.clock.host_ns(_utc_ms(moment)))


def _cut_all(bench: Bench) -> None:
    for board in range(len(bench.stands)):
        bench.network.cut(board)
