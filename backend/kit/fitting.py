"""From what a device sent to what a column holds, or None: one strange value must not refuse a group of reports."""

from collections.abc import Callable
from typing import Any

from backend.kit.times import EARLIEST_MS, LATEST_MS

Fit = Callable[[object], Any]


def whole(value: object) -> int | None:
    """An integer of 64 bits."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def percent(value: object) -> int | None:
    """An integer 0..100."""
    number = whole(value)
    return number if number is not None and 0 <= number <= 100 else None


def number(value: object) -> float | None:
    """A finite number of a size that something on a street can have."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e15 else None  # type: ignore[arg-type]  # NaN is not below


def flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def line(length: int) -> Fit:
    """Text, cut to `length`; PostgreSQL has no NUL."""

    def fit(value: object) -> str | None:
        return value.replace("\0", "")[:length] if isinstance(value, str) else None

    return fit


def moment(value: object) -> int | None:
    """Seconds UTC to milliseconds; a time outside 2000..2106 is none."""
    seconds = whole(value)
    return seconds * 1000 if seconds is not None and EARLIEST_MS <= seconds * 1000 <= LATEST_MS else None


def measured_at(time_s: object, received_ms: int) -> int:
    """When a record was measured: its own time if it has a sensible one, else its arrival."""
    at_ms = moment(time_s)
    return received_ms if at_ms is None else at_ms
