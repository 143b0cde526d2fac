"""Is it the lamps that are silent, or the backend that does not hear? Pure; real time.

A lamp renews its registration at half its lifetime, so that each is heard once in that time. When a lamp's lifetime is
over and nearly nobody was heard for a good part of it, whichever feeder they hang on, the backend's own network may be
the cause. Lamps that were switched on together also speak together, with silence between, so that this is a doubt at
first: nothing is raised while the next lamps have time to speak. If they do not, it is one incident and no lamp's
fault. It looks the same when the whole town has lost its supply: the incident's advice says so.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

from backend.faults.silence import Hearing, is_silent
from backend.incidents.bounds import Bounds
from backend.incidents.correlation import Place

# In thousandths of a lifetime. Renewals come every half: a little less than that has passed when a lamp of a lot that
# fell silent together is the first to be late, and the rest of the half, with its repetitions, is what doubt waits for.
_QUIET = 400
_PATIENCE = 250


class Sense(Enum):
    HEARS = "hears"
    DOUBTS = "doubts"
    """Nearly nobody is heard; raise nothing yet."""
    DEAF = "deaf"
    """Nearly nobody was heard although they had the time: raise nothing at all."""
    WAKES = "wakes"
    """It was deaf and hears again: from now on everybody has a whole lifetime to speak."""


@dataclass
class Ear:
    """Whether the backend hears, from look to look."""

    bounds: Bounds = field(default_factory=Bounds)
    _since_ms: int | None = None
    _until_ms: int = 0
    _deaf: bool = False

    def judge(
        self, hearings: Collection[Hearing], places: Mapping[int, Place], listening_since_ms: int, now_ms: int
    ) -> Sense:
        """`hearings`: the registered lamps that do not count as lost. `listening_since_ms`: as for the silence."""
        judged = [one for one in hearings if one.lifetime_s > 0 and one.supplied_since_ms is not None]
        if self._since_ms is None:
            silent = [one for one in judged if is_silent(one, listening_since_ms, now_ms)]
            if not silent:
                return Sense.HEARS
            lifetime_s = min(one.lifetime_s for one in silent)
            if not is_quiet(judged, places, lifetime_s, listening_since_ms, now_ms, self.bounds):
                return Sense.HEARS
            self._since_ms, self._until_ms = now_ms, now_ms + lifetime_s * _PATIENCE
        if _is_heard(judged, self._since_ms, self.bounds):
            woken, self._since_ms, self._deaf = self._deaf, None, False
            return Sense.WAKES if woken else Sense.HEARS
        self._deaf = self._deaf or now_ms >= self._until_ms
        return Sense.DEAF if self._deaf else Sense.DOUBTS


def is_quiet(
    judged: Collection[Hearing],
    places: Mapping[int, Place],
    lifetime_s: int,
    listening_since_ms: int,
    now_ms: int,
    bounds: Bounds,
) -> bool:
    """True when nearly no lamp was heard for a good part of `lifetime_s`.

    Fewer lamps than `part_least`, and lamps that are nearly all of one feeder, prove nothing about the backend.
    """
    heard = [one for one in judged if one.last_heard_ms > now_ms - lifetime_s * _QUIET]
    # Of the others some speak more seldom, or have supply since a moment ago: their silence proves nothing.
    missed = [
        one
        for one in judged
        if one.last_heard_ms <= now_ms - lifetime_s * _QUIET
        and one.lifetime_s * _QUIET <= now_ms - one.silent_since_ms(listening_since_ms)
    ]
    due = len(missed) + len(heard)
    if due < bounds.part_least or not bounds.is_nearly_all(len(missed), due):
        return False
    feeders = Counter(places[one.lamp_id].feeder for one in missed if one.lamp_id in places)
    feeders.pop("", None)
    return not feeders or not bounds.is_nearly_all(max(feeders.values()), len(missed))


def _is_heard(judged: Collection[Hearing], since_ms: int, bounds: Bounds) -> bool:
    """More than a few were heard after `since_ms`; or there is nobody to be heard."""
    silent = sum(1 for one in judged if one.last_heard_ms <= since_ms)
    return not judged or not bounds.is_nearly_all(silent, len(judged))
