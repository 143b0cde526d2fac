"""The wall clock of a simulated street: one line through (host monotonic ns, UTC ms) with a rate.

Backend, lamps and checks on one host share CLOCK_MONOTONIC, so that all of them agree on the fast clock.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class WallTime:
    """UTC ms at a monotonic ns, running `rate` times as fast as the host."""

    anchor_ns: int
    anchor_utc_ms: int
    rate: int

    @classmethod
    def starting(cls, utc_ms: int, rate: int) -> "WallTime":
        return cls(time.monotonic_ns(), utc_ms, rate)

    def utc_ms(self, monotonic_ns: int) -> int:
        return self.anchor_utc_ms + (monotonic_ns - self.anchor_ns) * self.rate // 1_000_000

    def monotonic_ns(self, utc_ms: int) -> int:
        return self.anchor_ns + (utc_ms - self.anchor_utc_ms) * 1_000_000 // self.rate

    def now_ms(self) -> int:
        return self.utc_ms(time.monotonic_ns())

    def seconds_until(self, utc_ms: int) -> float:
        """Real seconds from now until the wall clock shows `utc_ms` (0 when it has passed)."""
        return max(0.0, (self.monotonic_ns(utc_ms) - time.monotonic_ns()) / 1e9)


def local_noon_ms(utc_ms: int, time_zone: str) -> int:
    """The first local noon at or after a UTC time, in UTC ms: where a night (noon to noon) begins."""
    zone = ZoneInfo(time_zone)
    moment = datetime.fromtimestamp(utc_ms / 1000, zone)
    noon = moment.replace(hour=12, minute=0, second=0, microsecond=0)
    if noon < moment:
        noon += timedelta(days=1)
    return round(noon.timestamp() * 1000)


def local_time(utc_ms: int, time_zone: str) -> datetime:
    """A UTC time as the street's own clock shows it."""
    return datetime.fromtimestamp(utc_ms / 1000, ZoneInfo(time_zone))
