"""Samples, and the verdict on them: the limit minus what the measurement does not know.

A statistic that stays under its limit by more than its uncertainty has passed; one that is over it by more has failed;
what lies between is inconclusive, and so is every check in which the bench failed. Inconclusive never counts as passed.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from hil.edges import EdgeTrace
from hil.limits import Limit


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Sample:
    """One measured value in the unit of its limits, true within plus or minus `uncertainty`. `held_up` of it may be
    this computer's, which runs the lamps of a simulated bench and let this one wait: a lamp that is late beside it has
    not failed, and one that is in time in spite of it has passed.

    `board` is its name on the bench; `at_ms` UTC by the bench's clock; `trace` what the light did, kept for the
    report when this is the worst; `marks` are moments on the trace's clock by name ("asked", "changed"); `facts` go
    to the raw data as they are (JSON).
    """

    value: float
    uncertainty: float = 0.0
    board: str = ""
    at_ms: float = 0.0
    trace: EdgeTrace | None = None
    marks: dict[str, int] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    held_up: float = 0.0

    @property
    def least(self) -> float:
        return self.value - self.uncertainty - self.held_up

    @property
    def most(self) -> float:
        return self.value + self.uncertainty


@dataclass(frozen=True)
class Measurement:
    """All samples of one quantity, judged by each of `limits` (`hil.limits.LIMITS`); `name` is the limits' check."""

    name: str
    limits: tuple[Limit, ...]
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()
