"""From an operator's schedule to the engine's, for a place; and what goes wrong there, as fields of the request."""

from typing import Any

from backend.errors import BadInput, FieldError
from backend.schedules.timezones import time_zone
from contract import schedule as engine
from contract import talq


def compiled(document: dict[str, Any], place: tuple[int, int, str], now_ms: int) -> Any:
    """The engine's schedule at a place (latitude_e6, longitude_e6, IANA zone). Raises BadInput with the field."""
    latitude_e6, longitude_e6, zone = place
    try:
        return talq.compile(document, latitude_e6, longitude_e6, time_zone(zone, now_ms))
    except engine.ScheduleError as error:
        raise BadInput(
            f"{error.path}: {error.reason}", errors=[FieldError(field=str(error.path), reason=error.reason)]
        ) from None


def empty(place: tuple[int, int, str], now_ms: int) -> Any:
    """What a lamp without a schedule should hold: no program, and its place."""
    latitude_e6, longitude_e6, zone = place
    return engine.Schedule((), latitude_e6, longitude_e6, time_zone(zone, now_ms))


ANYWHERE = (0, 0, "UTC")
"""A place for checks that do not depend on it."""
