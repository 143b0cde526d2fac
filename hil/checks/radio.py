"""Radio: how steady the signal is at which each board hears its access point, over an hour."""

import statistics
import time

from hil.analysis.quantiles import quantile
from hil.bench import Bench
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.patience import pause

SIGNAL = "/4/0/2"  # Connectivity monitoring, radio signal strength (dBm)
MINUTES = 60
MINUTE_MS = 60_000.0
# The driver gives whole decibels.
UNCERTAINTY_DB = 0.5


def measure(bench: Bench, effort: Effort) -> list[Measurement]:
    """How far from the board's median, each minute of an hour by the bench's clock (a quick run: of a quarter)."""
    begin_ms = bench.clock.utc_ms(time.monotonic_ns())
    heard: list[list[int]] = [[] for _ in bench.stands]
    at_ms = []
    for minute in range(MINUTES // 4 if effort.is_quick else MINUTES):
        pause(bench.clock.host_ns(begin_ms + minute * MINUTE_MS))
        at_ms.append(bench.clock.utc_ms(time.monotonic_ns()))
        for board, levels in enumerate(heard):
            levels.append(int(bench.desk.resources(board, SIGNAL)[SIGNAL]))
    rows = []
    notes = []
    for stand, levels in zip(bench.stands, heard, strict=True):
        middle = statistics.median(levels)
        notes.append(f"{stand.name}: {min(levels)} to {max(levels)} dBm, median {middle:g}")
        rows.append(
            tuple(
                Sample(abs(level - middle), UNCERTAINTY_DB, stand.name, moment, facts={"dbm": level})
                for moment, level in zip(at_ms, levels, strict=True)
            )
        )
    # One bad link is not made good by the others: the worst board speaks for all.
    worst = max(rows, key=lambda row: quantile([sample.value for sample in row], 0.95))
    return [Measurement("radio", of("radio"), worst, tuple(notes))]
