"""From this computer's clock to an instrument's: what is certain from exchanges between the two, and nothing guessed.

In an exchange the instrument stamps a moment that lies between two of ours, so each is a fact: whatever the delays
were, the truth lies in the interval. Facts are intersected. A slow exchange only says less; none can mislead, as an
outlier in a fit would.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

from hil.errors import InstrumentFailed
from hil.seams import Instant

# Two crystals of 100 ppm each, and a host that is being slewed a little.
MOST_SKEW = 250e-6
# How much a rate may wander within a run, by warming up.
WANDER = 2e-6
NEAREST = 32
MOST_EXCHANGES = 10_000


@dataclass(frozen=True)
class Exchange:
    """The instrument's moment `at_ns` was not before host moment `sent_ns` and not after `received_ns`."""

    sent_ns: int
    at_ns: int
    received_ns: int

    @property
    def width_ns(self) -> int:
        return self.received_ns - self.sent_ns


def tightest(exchanges: Sequence[Exchange]) -> Exchange:
    return min(exchanges, key=lambda one: one.width_ns)


def rates(exchanges: Sequence[Exchange]) -> tuple[float, float]:
    """Lowest and highest rate of the instrument's clock against ours that the exchanges (in order) leave possible."""
    third = len(exchanges) // 3
    lowest, highest = 1 - MOST_SKEW, 1 + MOST_SKEW
    if third:
        first, last = tightest(exchanges[:third]), tightest(exchanges[-third:])
        passed = last.at_ns - first.at_ns
        if last.sent_ns > first.received_ns:
            lowest = max(lowest, passed / (last.received_ns - first.sent_ns) - WANDER)
            highest = min(highest, passed / (last.sent_ns - first.received_ns) + WANDER)
    _check(lowest <= highest)
    return lowest, highest


def instant(exchanges: Iterable[Exchange], host_ns: int) -> Instant:
    """A host moment on the instrument's clock. `exchanges` are in order, at least one.

    Raises InstrumentFailed when they contradict one another: one of the clocks jumped.
    """
    exchanges = tuple(exchanges)
    lowest, highest = rates(exchanges)
    near = sorted(exchanges, key=lambda one: abs(one.sent_ns - host_ns))[:NEAREST]
    earliest = max(floor(one.at_ns + _passed(host_ns - one.received_ns, lowest, highest)) for one in near)
    latest = min(ceil(one.at_ns + _passed(host_ns - one.sent_ns, highest, lowest)) for one in near)
    _check(earliest <= latest)
    return Instant((earliest + latest) // 2, (latest - earliest + 1) // 2)


class Exchanges:
    """The facts of one run of an instrument. `exchange` makes one; of a burst of `burst` the tightest is kept.
    `uncertainty_ns` is what the instrument does not know of its own moments."""

    def __init__(self, exchange: Callable[[], Exchange], burst: int, uncertainty_ns: int) -> None:
        self._exchange, self._burst, self._uncertainty_ns = exchange, burst, uncertainty_ns
        self._kept: deque[Exchange] = deque(maxlen=MOST_EXCHANGES)

    def clear(self) -> None:
        """The instrument's clock begins anew."""
        self._kept.clear()

    def add(self) -> None:
        self._kept.append(tightest([self._exchange() for _ in range(self._burst)]))

    def stamp(self, host_ns: int) -> Instant:
        """A host moment on the instrument's clock; raises what `exchange` and `instant` raise."""
        if not self._kept or self._kept[-1].sent_ns < host_ns:
            self.add()  # a fact from after the moment, beside those from before it
        found = instant(self._kept, host_ns)
        return Instant(found.t_ns, found.uncertainty_ns + self._uncertainty_ns)


def _passed(host_ns: int, rate_after: float, rate_before: float) -> float:
    return host_ns * (rate_after if host_ns >= 0 else rate_before)


def _check(is_possible: bool) -> None:
    if not is_possible:
        raise InstrumentFailed(
            "the clocks of instrument and computer contradict one another",
            "one of them jumped (a computer that slept, a probe that was reset): start the run again",
        )
