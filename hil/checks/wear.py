"""Flash: what a day of schedule, reports and an operator's commands writes."""

import time

from hil.bench import Bench
from hil.checks.common import command
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.patience import pause

WRITTEN = "/42769/0/20"  # Lamp status, flash written since its start (B)
DAY_MS = 86_400_000.0
COMMANDS = 24
LEVELS = (20, 60)


def measure(bench: Bench, effort: Effort) -> list[Measurement]:
    """A day by the bench's clock with a command an hour; a quick run takes a quarter of it, times four."""
    share = 0.25 if effort.is_quick else 1.0
    boards = range(len(bench.stands))
    begin_ms = bench.clock.utc_ms(time.monotonic_ns())
    before = [int(bench.desk.resources(board, WRITTEN)[WRITTEN]) for board in boards]
    commands = round(COMMANDS * share)
    for turn in range(commands):
        for board in boards:
            command(bench, board, LEVELS[turn % 2])
        pause(bench.clock.host_ns(begin_ms + DAY_MS * share * (turn + 1) / commands))
    now_ms = bench.clock.utc_ms(time.monotonic_ns())
    passed = (now_ms - begin_ms) / DAY_MS
    samples = []
    for board in boards:
        written = int(bench.desk.resources(board, WRITTEN)[WRITTEN]) - before[board]
        facts: dict[str, object] = {"bytes": written, "days": passed}
        samples.append(Sample(written / passed / 1000, 0.0, bench.stands[board].name, now_ms, facts=facts))
    notes = (f"{passed:.2f} days with {commands} commands",)
    return [Measurement("flash-wear", of("flash-wear"), tuple(samples), notes)]
