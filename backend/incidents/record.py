"""What one look of the watch changes in the database: losses, their faults, and the course of the incidents."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from backend.faults import service as faults
from backend.faults.silence import Hearing, note
from backend.incidents import repository
from backend.incidents.bounds import Bounds
from backend.incidents.correlation import Cause, Finding, Loss, Place, Scope, find
from backend.incidents.course import Open, follow, is_over, returned

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What the watch saw. `at_ms` is lighting time, everything else real time."""

    at_ms: int
    real_ms: int
    losses: Sequence[Loss]
    """Lamps that fell silent and are faults."""
    cleared: Sequence[int]
    """Lost lamps that are heard again."""
    unheard: Sequence[int]
    """Lamps that the deaf backend does not hear: no faults."""
    lost: frozenset[int]
    """All lamps that are lost after this look."""
    hearings: Mapping[int, Hearing]
    places: Mapping[int, Place]

    def missing(self, incident: Open) -> set[int]:
        """Members that have not come back. One that was retired meanwhile is nobody's business any more."""
        if incident.cause is not Cause.BACKEND:
            return set(incident.members) & self.lost & set(self.places)
        # Who is lost for a reason of its own by now has a fault that says so.
        return {
            lamp_id
            for lamp_id in set(incident.members) - self.lost
            if lamp_id in self.hearings and self.hearings[lamp_id].last_heard_ms <= incident.to_ms
        }


def has_news(look: Look, incidents: Sequence[Open]) -> bool:
    """Whether there is anything to record."""
    known = {lamp_id for one in incidents if one.cause is Cause.BACKEND for lamp_id in one.members}
    if look.losses or look.cleared or not known.issuperset(look.unheard):
        return True
    return any(returned(one, look.missing(one)) for one in incidents)


def record(connection: Connection, look: Look, bounds: Bounds) -> None:
    """Write a look down, in the caller's transaction."""
    note(connection, [loss.lamp_id for loss in look.losses], look.cleared, look.at_ms)
    repository.note_losses(connection, look.losses)
    repository.forget_losses(connection, look.cleared)
    _record_deafness(connection, look)
    _record_course(connection, look, bounds)
    _record_returns(connection, look, bounds)


def _record_deafness(connection: Connection, look: Look) -> None:
    if not look.unheard:
        return
    deaf = [one for one in repository.open_incidents(connection) if one.cause is Cause.BACKEND]
    if deaf:
        repository.join(connection, deaf[0].id, set(look.unheard) - set(deaf[0].members), look.at_ms)
        return
    members = frozenset(look.unheard)
    from_ms = min(look.hearings[lamp_id].last_heard_ms for lamp_id in members)
    _open(connection, Finding(Cause.BACKEND, Scope.ALL, "", members, len(look.hearings), from_ms, look.real_ms), look)


def _record_course(connection: Connection, look: Look, bounds: Bounds) -> None:
    losses = [loss for loss in repository.losses(connection) if loss.lamp_id in look.lost]
    # Who is planned to be off is nobody's neighbour.
    expected = {
        lamp_id: look.places[lamp_id]
        for lamp_id, hearing in look.hearings.items()
        if lamp_id in look.places and (hearing.supplied_since_ms is not None or lamp_id in look.lost)
    }
    findings = find(losses, expected, look.real_ms, bounds)
    incidents = {one.id: one for one in repository.open_incidents(connection)}
    course = follow(list(incidents.values()), findings, losses, expected, bounds)
    for finding in course.opened:
        faults.set_incident(connection, sorted(finding.lamp_ids), _open(connection, finding, look))
    for incident_id, finding in course.widened.items():
        repository.change(connection, incident_id, finding)
    for merged_id, incident_id in course.merged.items():
        repository.move_members(connection, merged_id, incident_id)
        repository.end(connection, merged_id, look.at_ms, merged_into=incident_id)
        faults.set_incident(connection, sorted(set(incidents[merged_id].members) & look.lost), incident_id)
    for incident_id, lamp_ids in course.joined.items():
        repository.join(connection, incident_id, lamp_ids, look.at_ms)
        faults.set_incident(connection, sorted(lamp_ids), incident_id)


def _record_returns(connection: Connection, look: Look, bounds: Bounds) -> None:
    for incident in repository.open_incidents(connection):
        missing = look.missing(incident)
        repository.give_back(connection, incident.id, returned(incident, missing), look.at_ms)
        if is_over({lamp_id: lamp_id not in missing for lamp_id in incident.members}, bounds):
            repository.end(connection, incident.id, look.at_ms)
            faults.set_incident(connection, sorted(missing & look.lost), None)
            log.info("incident ended id=%d lamps=%d missing=%d", incident.id, len(incident.members), len(missing))


def _open(connection: Connection, finding: Finding, look: Look) -> int:
    incident_id = repository.add(connection, finding, look.at_ms)
    repository.join(connection, incident_id, finding.lamp_ids, look.at_ms)
    log.warning(
        "incident opened id=%d cause=%s %s=%s lamps=%d of=%d",
        incident_id,
        finding.cause,
        finding.scope,
        finding.name,
        len(finding.lamp_ids),
        finding.of,
    )
    return incident_id
