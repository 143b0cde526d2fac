"""One run of the bench, as it is recorded and read back: who measured what with which, and what came of it."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from hil.measurement import Measurement, Outcome
from hil.seams import BoardFacts
from hil.verdict import Verdict, overall


@dataclass(frozen=True)
class About:
    """Known before the first check. `started_ms` is UTC; `firmware_sha256` of the image that the boards carry, empty
    when there is none to hash; `jitter_floor_s` what the machine alone is late by (p99), None on real boards;
    `boards` the facts by the board's name on the bench."""

    id: str
    started_ms: int
    bench: str
    is_simulated: bool
    is_quick: bool
    firmware_sha256: str
    version: str
    instrument: str = ""
    jitter_floor_s: float | None = None
    boards: tuple[tuple[str, BoardFacts], ...] = ()


@dataclass(frozen=True)
class NotCarried:
    """A check that this bench cannot carry, and why: it has passed nothing and failed nothing."""

    check: str
    reason: str


@dataclass(frozen=True)
class Run:
    """`traces` names the file with the worst sample's trace, by check and place among the samples; the samples that
    have one there carry it. A run that was broken off is not complete: what it has is true, and not all."""

    about: About
    measurements: tuple[Measurement, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    not_carried: tuple[NotCarried, ...] = ()
    traces: tuple[tuple[str, int, str], ...] = ()
    is_complete: bool = True

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many verdicts came to each outcome."""
        return {outcome: sum(verdict.outcome is outcome for verdict in self.verdicts) for outcome in Outcome}

    @property
    def outcome(self) -> Outcome:
        """Of the whole run; one that was broken off has not passed."""
        found = overall(self.verdicts)
        return Outcome.INCONCLUSIVE if found is Outcome.PASSED and not self.is_complete else found


def product_version() -> str:
    """Of the installed package; "0" in a tree that is not installed."""
    try:
        return version("streetlight")
    except PackageNotFoundError:
        return "0"
