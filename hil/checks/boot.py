"""Boot: from the supply's return to light at the failsafe level. A street that waits for its software is dark."""

import time

from hil import light
from hil.bench import Bench
from hil.checks.common import DARK_NS, PATIENCE_S, obeyed, sample
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.patience import pause
from hil.seams import Instant

FAILSAFE = 1.0


def measure(bench: Bench, effort: Effort) -> list[Measurement]:
    """One board after the other, so that boards which start do not make each other late."""
    samples = [boot(bench, turn % len(bench.stands)) for turn in range(effort.samples)]
    obeyed(bench)
    return [Measurement("boot", of("boot"), tuple(samples))]


def boot(bench: Bench, board: int) -> Sample:
    stand = bench.stands[board]
    stand.power.off()
    pause(time.monotonic_ns() + DARK_NS)
    begin = bench.instrument.stamp(time.monotonic_ns())
    stand.power.on()
    if stand.supply_channel is not None:
        risen_ns = bench.instrument.wait(stand.supply_channel, begin.t_ns, PATIENCE_S)
        begin = Instant(risen_ns, 0)
    return sample(bench, board, begin, light.reached(bench, board, FAILSAFE, begin.t_ns, PATIENCE_S))
