"""Feeders for people, and their planned hours for those who judge silence."""

from collections.abc import Mapping

from sqlmodel import Session

from backend.audit.service import note
from backend.errors import BadInput, NotFound
from backend.feeders import repository
from backend.feeders.models import FeederPlan
from backend.feeders.repository import Place
from backend.feeders.shapes import FeederPublic, FeederQuery, SupplyHours, SupplyInput, SupplyPublic
from backend.feeders.supply import Supply
from backend.kit.pages import Page
from backend.schedules.timezones import time_zone

__all__ = ["Supply", "listed", "plan", "supplies", "unplan"]


def listed(session: Session, query: FeederQuery, now_ms: int, now_real_ms: int) -> Page[FeederPublic]:
    """A page of feeders by name."""
    names, cursor = repository.page(session, query)
    return Page(items=_publics(session, names, now_ms, now_real_ms), next_cursor=cursor)


def plan(session: Session, body: SupplyInput, by: str, now_ms: int, now_real_ms: int) -> FeederPublic:
    """Set the hours in which a feeder is on. Raises BadInput for hours that mean nothing, and for a feeder that no
    lamp in service names (a plan for a misspelt one would excuse nobody)."""
    place = repository.places(session, [body.feeder]).get(body.feeder)
    if place is None:
        raise BadInput.of("feeder", "no lamp in service has this feeder; give it to its lamps first")
    hours = [one.model_dump() for one in body.hours]
    _supply(hours, place, now_ms)
    repository.put(session, FeederPlan(feeder=body.feeder, hours=hours, updated_at_ms=now_ms, updated_by=by))
    note(session, "feeder", body.feeder, f"planned hours: {len(hours)}")
    return _publics(session, [body.feeder], now_ms, now_real_ms)[0]


def unplan(session: Session, feeder: str) -> None:
    """The feeder is always on again. Raises NotFound when it has no planned hours."""
    if feeder not in repository.plans(session, [feeder]):
        raise NotFound("This feeder has no planned hours.", "List those that have: GET /feeders?planned=true")
    repository.remove(session, feeder)
    note(session, "feeder", feeder, "planned hours removed")


def supplies(session: Session, now_ms: int) -> dict[str, Supply]:
    """The planned hours of all feeders that have some, at the mean place of their lamps."""
    planned = repository.plans(session)
    places = repository.places(session, sorted(planned))
    return {feeder: _supply(planned[feeder].hours, place, now_ms) for feeder, place in places.items()}


def _supply(hours: list[dict[str, object]], place: Place, now_ms: int) -> Supply:
    return Supply(hours, place.latitude_e6, place.longitude_e6, time_zone(place.time_zone, now_ms))


def _publics(session: Session, feeders: list[str], now_ms: int, now_real_ms: int) -> list[FeederPublic]:
    tallies = repository.tallies(session, feeders, now_real_ms)
    cabinets = repository.cabinets(session, feeders)
    plans, places = repository.plans(session, feeders), repository.places(session, feeders)
    found = []
    for feeder in feeders:
        lamps, online, offline, never, faults = tallies.get(feeder, (0, 0, 0, 0, 0))
        found.append(
            FeederPublic(
                feeder=feeder,
                cabinets=cabinets.get(feeder, []),
                lamps=lamps,
                online=online,
                offline=offline,
                never=never,
                faults=faults,
                supply=_public(plans.get(feeder), places, now_ms),
            )
        )
    return found


def _public(plan: FeederPlan | None, places: Mapping[str, Place], now_ms: int) -> SupplyPublic | None:
    if plan is None:
        return None
    place = places.get(plan.feeder)
    supply = None if place is None else _supply(plan.hours, place, now_ms)
    return SupplyPublic(
        hours=[SupplyHours.model_validate(one) for one in plan.hours],
        # A feeder whose lamps have all gone has no sun to go by; nobody is excused by it.
        on=supply is None or supply.is_on(now_ms),
        since=None if supply is None else supply.since_ms(now_ms) or None,
        until=None if supply is None else supply.until_ms(now_ms) or None,
        updated_at=plan.updated_at_ms,
        updated_by=plan.updated_by,
    )
