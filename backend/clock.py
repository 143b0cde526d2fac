"""The backend's two clocks: lighting time (what schedules and telemetry mean) and real time (liveness, tokens).

They are the same unless a simulation runs the night faster. Then lighting time is a straight line through an anchor on
CLOCK_MONOTONIC, which all processes of one host share and which a restart does not reset, so that backend, lamps and
table agree. Source: docs/architecture.md, "Time".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from backend.settings import Settings

_NS_PER_MS = 1_000_000


def _real_ms() -> int:
    return time.time_ns() // _NS_PER_MS


@dataclass(frozen=True)
class Clock:
    """`now_ms()` is lighting time, `real_ms()` true UTC; both whole milliseconds since 1970."""

    rate: float = 1.0
    anchor_ns: int | None = None
    anchor_utc_ms: int | None = None
    monotonic_ns: Callable[[], int] = field(default=time.monotonic_ns)
    utc_ms: Callable[[], int] = field(default=_real_ms)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Clock":
        return cls(settings.clock_rate, settings.clock_anchor_ns, settings.clock_anchor_utc_ms)

    def now_ms(self) -> int:
        """Lighting time: telemetry, schedules, overrides, faults."""
        if self.anchor_ns is None or self.anchor_utc_ms is None:
            return self.utc_ms()
        return self.anchor_utc_ms + int((self.monotonic_ns() - self.anchor_ns) * self.rate) // _NS_PER_MS

    def real_ms(self) -> int:
        """True time: liveness, registration lifetimes, tokens, the audit trail."""
        return self.utc_ms()
