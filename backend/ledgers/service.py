"""The sealing key and the stations: made, listed, revoked."""

from typing import Any

from sqlmodel import Session

from backend.access.service import Actor
from backend.audit.service import note
from backend.errors import Conflict, FieldError, Forbidden, NotFound
from backend.kit.pages import PageQuery
from backend.ledgers import repository, sealing
from backend.ledgers.models import SealingKey, Station

_ASK = "Ask an administrator: streetlight's API lists stations at /api/v1/enrolments/stations."


def find_key(session: Session) -> SealingKey | None:
    return repository.find_key(session)


def make_key(session: Session, now_real_ms: int) -> SealingKey:
    """The key pair of this backend, drawn at the first time. Two that ask at once get the same."""
    return repository.add_key(session, *sealing.draw(), now_real_ms)


def register(session: Session, now_real_ms: int, name: str, public_key: bytes, actor: Actor) -> tuple[Station, bool]:
    """The station with this key, and whether it is new; again by another name it takes the name. Raises `Conflict` for
    a revoked one, `Forbidden` for another city's."""
    station = repository.find_station(session, public_key, for_update=True)
    if station is None:
        station = Station(
            name=name,
            public_key=public_key,
            city_id=actor.city_id,
            created_at_ms=now_real_ms,
            created_by=actor.name,
        )
        repository.add_station(session, station)
        note(session, "station", station.id, f"registered {name} {public_key.hex()[:16]}")
        return station, True
    if station.revoked_at_ms is not None:
        raise Conflict(
            f"Station {station.id} with this key is revoked.",
            "Draw a new key on that computer (remove its station.key) and register again.",
            [FieldError(field="public_key", reason=f"station {station.id} is revoked")],
        )
    if actor.city_id is not None and station.city_id != actor.city_id:
        raise Forbidden("This station belongs to another city.", _ASK)
    station.name = name
    note(session, "station", station.id, f"registered again {name}")
    return station, False


def list_stations(session: Session, query: PageQuery) -> tuple[list[Any], str | None]:
    return repository.list_stations(session, query)


def revoke(session: Session, station_id: int, now_real_ms: int) -> Station:
    """Take no ledger of this station from now on; revoking it again changes nothing. Raises `NotFound`."""
    station = repository.get_station(session, station_id)
    if station is None:
        raise NotFound(f"There is no station {station_id}.")
    if station.revoked_at_ms is None:
        station.revoked_at_ms = now_real_ms
    note(session, "station", station_id, f"revoked {station.name}")
    return station
