"""From transitions to episodes: when was the fault there? Pure."""

from collections.abc import Iterable
from typing import NamedTuple


class Key(NamedTuple):
    """One fault at one lamp."""

    lamp_id: int
    code: int


class Transition(NamedTuple):
    """Raised or cleared at a moment, by a person or (None) by the lamp."""

    at_ms: int
    raised: bool
    said_by: str | None


class Episode(NamedTuple):
    """From its raise to its clear; open while that is None. The fields are columns of the fault."""

    raised_at_ms: int
    cleared_at_ms: int | None
    cleared_by: str | None

    def holds(self, at_ms: int) -> bool:
        return self.raised_at_ms <= at_ms and (self.cleared_at_ms is None or at_ms <= self.cleared_at_ms)


def episodes(transitions: Iterable[Transition]) -> list[Episode]:
    """In order of time. A raise while the fault is there, and a clear while it is not, change nothing.

    Of a raise and a clear in the same millisecond the raise came first: a fault that was short, not one that is left.
    """
    found: list[Episode] = []
    raised_at_ms: int | None = None
    for transition in sorted(transitions, key=lambda one: (one.at_ms, not one.raised)):
        if transition.raised and raised_at_ms is None:
            raised_at_ms = transition.at_ms
        elif not transition.raised and raised_at_ms is not None:
            found.append(Episode(raised_at_ms, transition.at_ms, transition.said_by))
            raised_at_ms = None
    if raised_at_ms is not None:
        found.append(Episode(raised_at_ms, None, None))
    return found
