"""Communication lost: a lamp is silent for longer than it promised; raised and cleared by the backend alone.

A pure function of (last heard, lifetime, now), in real time. The backend counts its own absence: a lamp is judged only
by the silence since the backend listens, so that a restart raises no false fault. Nor is a lamp judged while its feeder
is planned to be off; from the feeder's return on it has its lifetime to be heard.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from backend.faults import ingest
from backend.lamps.liveness import is_late
from contract import faults as catalogue

CODE: int = catalogue.COMMUNICATION_LOST.code


@dataclass(frozen=True)
class Hearing:
    """When a registered lamp was last heard, how long it may be silent, and since when it has supply; real time."""

    lamp_id: int
    last_heard_ms: int
    lifetime_s: int
    supplied_since_ms: int | None = 0
    """When its feeder last came on by plan; 0: long ago or always; None: it is planned to be off at this moment."""

    def silent_since_ms(self, listening_since_ms: int) -> int:
        """From when on its silence counts."""
        return max(self.last_heard_ms, listening_since_ms, self.supplied_since_ms or 0)


def is_silent(hearing: Hearing, listening_since_ms: int, now_ms: int) -> bool:
    """True when the lamp has broken its promise while it had supply and somebody listened."""
    if hearing.supplied_since_ms is None:
        return False
    return is_late(hearing.silent_since_ms(listening_since_ms), hearing.lifetime_s, now_ms)


def is_heard(hearing: Hearing, listening_since_ms: int, now_ms: int) -> bool:
    """True when its own voice says that the lamp is there: not what a plan or a restart makes of its silence."""
    in_time = not is_late(hearing.last_heard_ms, hearing.lifetime_s, now_ms)
    return in_time and hearing.last_heard_ms >= listening_since_ms


def verdict(
    hearings: Iterable[Hearing], lost: Collection[int], listening_since_ms: int, now_ms: int
) -> tuple[list[int], list[int]]:
    """(lamps that fell silent, lamps that are heard again), given those that count as lost already.

    A lost lamp that is missing from `hearings` (retired, de-registered) stays as it is: only its own voice clears it.
    """
    raised, cleared = [], []
    for hearing in hearings:
        if is_silent(hearing, listening_since_ms, now_ms):
            if hearing.lamp_id not in lost:
                raised.append(hearing.lamp_id)
        elif hearing.lamp_id in lost and is_heard(hearing, listening_since_ms, now_ms):
            cleared.append(hearing.lamp_id)
    return raised, cleared


def note(connection: Connection, raised: Iterable[int], cleared: Iterable[int], at_ms: int) -> None:
    """Write a verdict down as transitions; `at_ms` is lighting time, like that of every other fault."""
    transitions = [(lamp_id, True) for lamp_id in raised] + [(lamp_id, False) for lamp_id in cleared]
    for lamp_id, is_raised in transitions:
        ingest.apply(connection, lamp_id, CODE, at_ms, is_raised, at_ms)
    ingest.count(connection, {lamp_id for lamp_id, _ in transitions})
