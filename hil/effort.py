"""How much a run measures: enough for its claims, or just enough to see that nothing is broken."""

from dataclasses import dataclass

from hil.limits import LATENCY_SAMPLES, SAMPLES


@dataclass(frozen=True)
class Effort:
    """Samples of a check, of a check of latency, and commands of the heap's check."""

    samples: int = SAMPLES
    latency: int = LATENCY_SAMPLES
    commands: int = 10_000
    is_quick: bool = False


FULL = Effort()
# What is broken shows; what is rare does not, and the report says so.
QUICK = Effort(samples=8, latency=40, commands=600, is_quick=True)
