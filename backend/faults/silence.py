"""Communication lost: a lamp is silent for longer than it promised; raised and cleared by the backend alone.

A pure function of (last heard, lifetime, now), in real time. The backend counts its own absence: a lamp is judged only
by the silence since the backend listens, so that a restart raises no false fault.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from backend.faults import ingest, repository
from contract import faults as catalogue

CODE: int = catalogue.COMMUNICATION_LOST.code


@dataclass(frozen=True)
class Hearing:
    """When a registered lamp was last heard, and how long it may be silent; real time."""

    lamp_id: int
    last_heard_ms: int
    lifetime_s: int


def is_silent(hearing: Hearing, listening_since_ms: int, now_ms: int, grace_s: int = 0) -> bool:
    """True when the lamp has broken its promise; a lifetime of 0 promises nothing (LwM2M: infinite)."""
    if hearing.lifetime_s == 0:
        return False
    since_ms = max(hearing.last_heard_ms, listening_since_ms)
    return now_ms > since_ms + (hearing.lifetime_s + grace_s) * 1000


def judge(
    connection: Connection,
    hearings: Iterable[Hearing],
    listening_since_ms: int,
    real_ms: int,
    at_ms: int,
    grace_s: int = 0,
) -> tuple[set[int], set[int]]:
    """Raise the fault at lamps that fell silent and clear it at those heard again; (raised, cleared) lamp ids.

    A lamp with the fault open that is missing from `hearings` (retired, de-registered) is left as it is: only its own
    voice clears it. `at_ms` is lighting time, like every other fault's.
    """
    lost = repository.open_lamps(connection, CODE)
    raised, cleared = set(), set()
    for hearing in hearings:
        if is_silent(hearing, listening_since_ms, real_ms, grace_s):
            if hearing.lamp_id not in lost:
                raised.add(hearing.lamp_id)
        elif hearing.lamp_id in lost and hearing.last_heard_ms >= listening_since_ms:
            cleared.add(hearing.lamp_id)
    for lamp_id, is_raised in [(lamp_id, True) for lamp_id in raised] + [(lamp_id, False) for lamp_id in cleared]:
        ingest.apply(connection, lamp_id, CODE, at_ms, is_raised, at_ms)
    ingest.count(connection, raised | cleared)
    return raised, cleared
