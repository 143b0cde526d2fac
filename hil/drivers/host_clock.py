"""True time by this computer's clock, as far as chrony disciplines it.

Source of truth: chronyc(1), "tracking": the clock is off by at most the system time's offset, the root dispersion and
half of the root delay.
"""

import time
from collections.abc import Callable

from hil.drivers.commands import NOT_THERE, Run, run
from hil.errors import BenchError
from hil.patience import pause

# Slewing moves wall clock and monotonic clock alike; only a step parts them.
STEP_MS = 50.0
_FIELDS = 14
_ADVICE = "let chrony run on this computer (Debian: apt-get install chrony), and give it minutes to settle"


class ClockUnsure(BenchError):
    """Nobody vouches for this computer's clock, or it was stepped."""


def parse(text: str) -> float:
    """Half width, ms, from `chronyc -c tracking`; raises ClockUnsure."""
    fields = text.strip().split(",")
    try:
        if len(fields) != _FIELDS:
            raise ValueError
        offset_s, delay_s, dispersion_s = (float(fields[place]) for place in (4, 10, 11))
    except ValueError:
        raise ClockUnsure(f"chronyc says what is no tracking: {text.strip()[:80]!r}", _ADVICE) from None
    if fields[13] == "Not synchronised" or fields[2] == "0":
        raise ClockUnsure("this computer's clock is not synchronised", _ADVICE)
    return (abs(offset_s) + delay_s / 2 + dispersion_s) * 1000


class HostClock:
    """Raises ClockUnsure at once when there is no chrony, and later when the clock is stepped."""

    def __init__(
        self,
        run: Run = run,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._run, self._monotonic_ns, self._wall_ns = run, monotonic_ns, wall_ns
        self._apart_ns = self._read_ns()
        self.uncertainty_ms()

    def utc_ms(self, host_ns: int) -> float:
        return (host_ns + self._checked_ns()) / 1e6

    def host_ns(self, utc_ms: float) -> int:
        return round(utc_ms * 1e6) - self._checked_ns()

    def uncertainty_ms(self) -> float:
        said = self._run(["chronyc", "-c", "tracking"])
        if said.status:
            why = "there is no chronyc" if said.status == NOT_THERE else said.words
            raise ClockUnsure(f"nobody vouches for this computer's clock ({why})", _ADVICE)
        return parse(said.out)

    def pass_until(self, utc_ms: float, then_rate: int) -> None:
        """True time takes its time."""
        pause(self.host_ns(utc_ms))

    def _read_ns(self) -> int:
        """UTC minus the monotonic clock, from the tightest of a few readings."""
        tries = []
        for _ in range(5):
            before_ns, wall_ns, after_ns = self._monotonic_ns(), self._wall_ns(), self._monotonic_ns()
            tries.append((after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2))
        return min(tries)[1]

    def _checked_ns(self) -> int:
        apart_ns = self._read_ns()
        if abs(apart_ns - self._apart_ns) > STEP_MS * 1e6:
            step_ms = (apart_ns - self._apart_ns) / 1e6
            raise ClockUnsure(f"this computer's clock was stepped by {step_ms:.0f} ms during the run", _ADVICE)
        return apart_ns
