"""From transitions to episodes: when was the fault there, and was it flapping? Pure.

A fault that comes and goes all night is one thing to see to, not forty. Episodes that come too often are folded into
one *flapping* episode; it stays open until the fault has been away for as long as the span that made it flap, because
until then nobody can say that it is over. Every transition is kept and counted.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

FLAPPING_RAISES = 4
"""More raises than this within the span are flapping. A lamp that is repaired, or a feeder that is worked on, raises a
fault two or three times in a night; a loose contact does it all the time."""
FLAPPING_SPAN_MS = 12 * 3_600_000
"""A night: the longest time in which a person expects to be told of the same thing once."""


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
    active: bool
    """The last word was a raise. A flapping episode may be open and not active: it is not calm yet."""
    changed_at_ms: int
    times_raised: int = 1
    flapping: bool = False

    def holds(self, at_ms: int) -> bool:
        return self.raised_at_ms <= at_ms and (self.cleared_at_ms is None or at_ms <= self.cleared_at_ms)


def episodes(transitions: Iterable[Transition]) -> list[Episode]:
    """In order of time. A raise while the fault is there, and a clear while it is not, change nothing, but that a
    person may close what the lamp has cleared (a flapping fault is still open then).

    Of a raise and a clear in the same millisecond the raise came first: a fault that was short, not one that is left.
    """
    found: list[Episode] = []
    raised_at_ms: int | None = None
    for at_ms, raised, said_by in sorted(transitions, key=lambda one: (one.at_ms, not one.raised)):
        if raised and raised_at_ms is None:
            raised_at_ms = at_ms
        elif not raised and raised_at_ms is not None:
            found.append(Episode(raised_at_ms, at_ms, said_by, False, at_ms))
            raised_at_ms = None
        elif not raised and said_by is not None and found and raised_at_ms is None:
            found[-1] = found[-1]._replace(cleared_by=found[-1].cleared_by or said_by)
    if raised_at_ms is not None:
        found.append(Episode(raised_at_ms, None, None, True, raised_at_ms))
    return found


def fold(
    found: Sequence[Episode], now_ms: int, raises: int = FLAPPING_RAISES, span_ms: int = FLAPPING_SPAN_MS
) -> list[Episode]:
    """The same in order of time, with each run of more than `raises` raises within `span_ms` as one flapping episode.

    What follows a run before it was calm for `span_ms` belongs to it.
    """
    often = _often(found, raises, span_ms)
    folded: list[Episode] = []
    for position, episode in enumerate(found):
        run = folded[-1] if folded and folded[-1].flapping else None
        if run is not None and episode.raised_at_ms - run.changed_at_ms <= span_ms:
            folded[-1] = _joined(run, episode)
        else:
            folded.append(episode._replace(flapping=often[position]))
    if folded and folded[-1].flapping and not folded[-1].active:
        last = folded[-1]
        if last.cleared_by is None and last.changed_at_ms + span_ms > now_ms:
            folded[-1] = last._replace(cleared_at_ms=None)
    return folded


def _often(found: Sequence[Episode], raises: int, span_ms: int) -> list[bool]:
    """For each episode whether it is one of more than `raises` that began within one span."""
    often = [False] * len(found)
    for first in range(len(found) - raises):
        if found[first + raises].raised_at_ms - found[first].raised_at_ms <= span_ms:
            often[first : first + raises + 1] = [True] * (raises + 1)
    return often


def _joined(run: Episode, episode: Episode) -> Episode:
    return episode._replace(
        raised_at_ms=run.raised_at_ms, times_raised=run.times_raised + episode.times_raised, flapping=True
    )
