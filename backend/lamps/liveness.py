"""Is a lamp there? A pure function of what its own authenticated packets left behind.

A restart of the backend changes none of its inputs, so it raises no false fault. Everything here is real time.
"""

from enum import StrEnum

from sqlalchemy import BigInteger, ColumnElement, and_, literal, or_
from sqlalchemy.orm import InstrumentedAttribute


def is_late(last_heard_real_ms: int, lifetime_s: int, now_real_ms: int) -> bool:
    """The lamp has been silent for longer than it promised. A lamp renews its registration at half its lifetime, so
    that the other half is its grace; a lifetime of 0 promises nothing (OMA LwM2M 1.1 Core, 6.2.1)."""
    return lifetime_s != 0 and now_real_ms > last_heard_real_ms + lifetime_s * 1000


class Status(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    NEVER = "never"


def status(last_heard_real_ms: int | None, lifetime_s: int | None, active: bool | None, now_real_ms: int) -> Status:
    """`never`: it has not registered yet; `online`: heard within its lifetime, and not signed off."""
    if last_heard_real_ms is None or lifetime_s is None:
        return Status.NEVER
    if not active:
        return Status.OFFLINE
    return Status.OFFLINE if is_late(last_heard_real_ms, lifetime_s, now_real_ms) else Status.ONLINE


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
    overdue = and_(lifetime_s != 0, now_real_ms - last_heard_real_ms > lifetime_s * literal(1000, BigInteger))
    if wanted is Status.OFFLINE:
        return or_(overdue, active.is_(False))
    return and_(~overdue, active.is_(True))
