"""Was a lamp missed with reason? Held against what the network really let through. Pure; moments are ns."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hil.street import chaos_plan

SECOND_NS = 1_000_000_000
# From a datagram's arrival to the moment from which the backend counts, on a machine with two cores.
LATE_NS = SECOND_NS
# A question waits so long for its answer (firmware.lwm2m.uplink), and the lamp asks nothing else meanwhile.
PATIENCE_NS = 22 * SECOND_NS
LIFETIME_NS = chaos_plan.LIFETIME_S * SECOND_NS


class Course(NamedTuple):
    """What befell one lamp: when the backend `heard` something new of it, when something between the two was `lost`,
    and the spans (from, until) in which the lamp had no power and the backend did not run."""

    heard: Sequence[int]
    lost: Sequence[int]
    powerless: Iterable[tuple[int, int]]
    downtimes: Iterable[tuple[int, int]]


def reproach(raised_ns: int, course: Course) -> str:
    """What is wrong with calling the lamp lost at `raised_ns`, in words; "" when there was reason to."""
    since_ns = raised_ns - LIFETIME_NS
    if any(start < raised_ns and end > since_ns - PATIENCE_NS for start, end in course.downtimes):
        return ""  # it has forgotten who is fresh (RFC 8613 B.1.2), and asks each lamp to say it again
    heard = [at_ns for at_ns in course.heard if since_ns + LATE_NS < at_ns < raised_ns - LATE_NS]
    if heard:
        return f"was heard {(raised_ns - heard[-1]) / SECOND_NS:.1f} s before"
    last_ns = max((at_ns for at_ns in course.heard if at_ns <= raised_ns - LATE_NS), default=0)
    if any(start < raised_ns and end > last_ns for start, end in course.powerless):
        return ""
    if any(last_ns - LATE_NS < at_ns < raised_ns for at_ns in course.lost):
        return ""
    return "was silent of itself: it had power, and nothing was lost between it and the backend"
