"""A group that switches at one time: the spread between its first and its last light."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from hil import light
from hil.bench import Bench
from hil.checks.common import AROUND_NS, held_up_s, quiet
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample

LEVELS = (20, 60)
GROUP = 4
# Longer than a command needs to reach a group, so that all wait for the moment.
AHEAD_MS = 2000
# Nobody is late by more; a lamp that is has failed.
LATE_S = 3.0


def measure(bench: Bench, effort: Effort) -> list[Measurement]:
    """Groups of GROUP boards side by side; on a smaller bench all are one group."""
    boards = list(range(len(bench.stands)))
    groups = [boards[at : at + GROUP] for at in range(0, len(boards), GROUP)]
    groups = [group for group in groups if len(group) == len(groups[0])]

    overrides: dict[int, int] = {}

    def turns(number: int) -> list[Sample]:
        samples = []
        for turn in range(number, effort.samples, len(groups)):
            overrides[groups[number][0]], sample = together(bench, groups[number], turn)
            samples.append(sample)
        return samples

    with ThreadPoolExecutor(len(groups)) as hands:
        samples = [sample for found in hands.map(turns, range(len(groups))) for sample in found]
    quiet(bench, overrides)
    return [Measurement("spread", of("spread"), tuple(samples), (f"groups of {len(groups[0])} boards",))]


def together(bench: Bench, group: Sequence[int], turn: int) -> tuple[int, Sample]:
    """One command for all at a whole second of true time: its override, and the time between first and last light."""
    chance = random.Random(f"bench/spread/{group}/{turn}")
    level = LEVELS[turn % 2] + chance.randrange(10)
    start_ms = (bench.clock.utc_ms(time.monotonic_ns()) + AHEAD_MS) // 1000 * 1000 + 1000
    override = bench.desk.override_together(group, level, int(start_ms))
    early = bench.instrument.stamp(bench.clock.host_ns(start_ms - 500))
    moments = {}
    for board in group:
        seen_ns = light.first_change(bench, board, early.t_ns, AHEAD_MS / 1000 + LATE_S)
        moments[board] = seen_ns if seen_ns is not None else early.t_ns + round(LATE_S * 1e9)
    leader, board = (choose(moments, key=lambda number: moments[number]) for choose in (min, max))
    first, last = moments[leader], moments[board]
    trace = light.levels(bench, board, first - AROUND_NS, last + AROUND_NS)
    # A first one that had to wait makes a spread look small.
    start = bench.instrument.stamp(bench.clock.host_ns(start_ms)).t_ns
    doubt_ns = 2 * trace.uncertainty_ns + bench.stall_ns(leader, min(start, first), first)
    return override, Sample(
        value=(last - first) / 1e9,
        uncertainty=doubt_ns / 1e9,
        board=bench.stands[board].name,
        at_ms=start_ms,
        trace=trace,
        marks={"first of the group": first, "last of the group": last},
        facts={"lamps": len(group), "level": level},
        held_up=held_up_s(bench, board, first, last),
    )
