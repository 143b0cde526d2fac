"""Is a lamp there? A pure function of what its own authenticated packets left behind.

A restart of the backend changes none of its inputs, so it raises no false fault. Everything here is real time.
"""

from enum import StrEnum

from sqlalchemy import BigInteger, ColumnElement, and_, literal, or_
from sqlalchemy.orm import InstrumentedAttribute

GRACE_S = 30
"""A keep-alive may be as late as a lost datagram and its retransmissions (RFC 7252, 4.8.2) make it."""


class Status(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    NEVER = "never"


def status(last_heard_real_ms: int | None, lifetime_s: int | None, active: bool | None, now_real_ms: int) -> Status:
    """`never`: it has not registered yet; `online`: heard within its lifetime and a grace, and not signed off.

    A lifetime of 0 does not end (OMA LwM2M 1.1 Core, 6.2.1).
    """
    if last_heard_real_ms is None or lifetime_s is None:
        return Status.NEVER
    if not active:
        return Status.OFFLINE
    alive = lifetime_s == 0 or now_real_ms <= last_heard_real_ms + (lifetime_s + GRACE_S) * 1000
    return Status.ONLINE if alive else Status.OFFLINE


def has_status(
    wanted: Status,
    last_heard_real_ms: InstrumentedAttribute[int],
    lifetime_s: InstrumentedAttribute[int],
    active: InstrumentedAttribute[bool],
    now_real_ms: int,
) -> ColumnElement[bool]:
    """The same rule for the database, over an outer-joined registration."""
    if wanted is Status.NEVER:
        return last_heard_real_ms.is_(None)
    # Grouped so that PostgreSQL computes in 64 bits: lifetime times 1000 may not fit its integer.
    overdue = and_(
        lifetime_s != 0, now_real_ms - last_heard_real_ms - GRACE_S * 1000 > lifetime_s * literal(1000, BigInteger)
    )
    if wanted is Status.OFFLINE:
        return or_(overdue, active.is_(False))
    return and_(~overdue, active.is_(True))
