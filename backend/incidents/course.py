"""The course of incidents: what findings and losses change in those that are open. Pure.

open --a wider finding shares members--> wider, others merged into the oldest
open --a loss of its scope and time, or of a member--> one more member
open --(nearly) all members are heard again--> ended; who is still lost is a fault of its own
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from backend.incidents.bounds import Bounds
from backend.incidents.correlation import Cause, Finding, Loss, Place, Scope


@dataclass(frozen=True)
class Open:
    """An incident that has not ended; `members`: lamp id to whether it was heard again. Real time."""

    id: int
    cause: Cause
    scope: Scope
    name: str
    from_ms: int
    to_ms: int
    members: Mapping[int, bool]


@dataclass
class Course:
    """What is to be done, in this order."""

    opened: list[Finding] = field(default_factory=list)
    widened: dict[int, Finding] = field(default_factory=dict)
    """Incident id to what it is now."""
    merged: dict[int, int] = field(default_factory=dict)
    """Incident id to the one that takes over its members."""
    joined: dict[int, set[int]] = field(default_factory=dict)
    """Incident id to lamps that are lost in it now, new or again."""


def follow(
    incidents: Sequence[Open],
    findings: Sequence[Finding],
    losses: Sequence[Loss],
    inventory: Mapping[int, Place],
    bounds: Bounds | None = None,
) -> Course:
    """Match findings and losses with the open incidents, oldest first. Those of the cause backend hold no losses."""
    bounds = bounds or Bounds()
    course, taken = Course(), set[int]()
    known = sorted((one for one in incidents if one.cause is not Cause.BACKEND), key=lambda one: one.id)
    for finding in findings:
        touched = [one for one in known if one.id not in course.merged and _touches(one, finding)]
        taken |= finding.lamp_ids
        if not touched:
            course.opened.append(finding)
            continue
        kept = touched[0]
        new = {lamp_id for lamp_id in finding.lamp_ids if kept.members.get(lamp_id, True)}
        if new:
            course.joined.setdefault(kept.id, set()).update(new)
        if (finding.scope.width, len(finding.lamp_ids)) > (kept.scope.width, len(kept.members)):
            course.widened[kept.id] = finding
        for other in touched[1:]:
            course.merged[other.id] = kept.id
    for loss in losses:
        if loss.lamp_id in taken or loss.lamp_id not in inventory:
            continue
        for one in known:
            if one.id not in course.merged and _takes(one, loss, inventory[loss.lamp_id], bounds):
                if one.members.get(loss.lamp_id, True):
                    course.joined.setdefault(one.id, set()).add(loss.lamp_id)
                break
    return course


def returned(incident: Open, lost: Collection[int]) -> set[int]:
    """Members that have come back and were not noted yet. `lost`: lamps that are not there."""
    return {lamp_id for lamp_id, back in incident.members.items() if not back and lamp_id not in lost}


def is_over(members: Mapping[int, bool], bounds: Bounds | None = None) -> bool:
    """True when (nearly) all members were heard again; of a handful it takes every one."""
    bounds = bounds or Bounds()
    return bounds.is_nearly_all(sum(members.values()), len(members))


def _touches(incident: Open, finding: Finding) -> bool:
    """They share a lamp that is lost, or are the same place at the same time."""
    if any(not back and lamp_id in finding.lamp_ids for lamp_id, back in incident.members.items()):
        return True
    same = (incident.scope, incident.name) == (finding.scope, finding.name)
    return same and incident.from_ms <= finding.to_ms and finding.from_ms <= incident.to_ms


def _takes(incident: Open, loss: Loss, place: Place, bounds: Bounds) -> bool:
    """The loss belongs to this incident: a member that is lost again, or one of its place and time."""
    if loss.lamp_id in incident.members:
        return True
    slack_ms = bounds.slack_s * 1000
    in_time = loss.from_ms <= incident.to_ms + slack_ms and incident.from_ms <= loss.to_ms + slack_ms
    return in_time and place.lies_in(incident.scope, incident.name)
