"""A night as the lamps will play it, before anything is sent: the same engine, the same answers."""

from datetime import date
from typing import Any

from sqlmodel import Session

from backend.errors import BadInput
from backend.kit.fields import micro_degrees
from backend.lamps import service as lamps
from backend.schedules.compiler import compiled
from backend.schedules.shapes import Preview, PreviewQuery, Segment
from backend.schedules.timezones import time_zone
from contract import localtime, sun
from contract import schedule as engine

MOST_SEGMENTS = 200
"""More than any schedule within its limits can have in a night."""
_NOON_S = 43_200


def place_of(session: Session, query: PreviewQuery) -> tuple[int, int, str]:
    """The place that a preview is for; raises NotFound for an unknown lamp."""
    if query.lamp_id is not None:
        lamp = lamps.get(session, query.lamp_id)
        return lamp.latitude_e6, lamp.longitude_e6, lamp.time_zone
    assert query.latitude is not None and query.longitude is not None and query.time_zone is not None
    return micro_degrees(query.latitude), micro_degrees(query.longitude), query.time_zone


def night(document: dict[str, Any], place: tuple[int, int, str], begins: date, now_ms: int) -> Preview:
    """Local noon of `begins` to local noon of the next day. Raises BadInput for a schedule that does not compile."""
    if not 2000 <= begins.year <= 2105:
        raise BadInput.of("date", "choose a date from 2000 to 2105")
    # The table of the year that is asked for, so that a preview of next spring knows its daylight saving.
    year_ms = localtime.days_from_civil(begins.year, 1, 1) * 86_400_000
    schedule = compiled(document, place, min(now_ms, year_ms) if now_ms > year_ms else year_ms)
    zone = time_zone(place[2], year_ms)
    days = localtime.days_from_civil(begins.year, begins.month, begins.day)
    start_ms = localtime.utc_from_local(zone, days, _NOON_S) * 1000
    end_ms = localtime.utc_from_local(zone, days + 1, _NOON_S) * 1000
    sunset_ms, _ = _sun(place, days)
    _, sunrise_ms = _sun(place, days + 1)
    segments: list[Segment] = []
    at_ms = start_ms
    while at_ms < end_ms and len(segments) < MOST_SEGMENTS:
        until_ms = min(engine.next_change_after(schedule, at_ms), end_ms)
        # At the end of the stretch: a fade that begins it has arrived by then.
        explanation = engine.explain_at(schedule, until_ms - 1)
        program = None if explanation.program is None else schedule.programs[explanation.program].name
        last = segments[-1] if segments else None
        if last is not None and (last.level, last.program) == (explanation.level, program):
            last.end = until_ms
        else:
            segments.append(
                Segment(start=at_ms, end=until_ms, level=explanation.level, program=program, words=explanation.words)
            )
        at_ms = until_ms
    return Preview(start=start_ms, end=end_ms, sunset=sunset_ms, sunrise=sunrise_ms, segments=segments)


def _sun(place: tuple[int, int, str], days: int) -> tuple[int | None, int | None]:
    """(sunset, sunrise) of a date in ms UTC; None when there is none."""
    events = sun.events(place[0], place[1], days)
    if events in (sun.ALWAYS_UP, sun.ALWAYS_DOWN):
        return None, None
    sunrise_s, sunset_s = events
    midnight_s = days * 86_400
    return (midnight_s + sunset_s) * 1000, (midnight_s + sunrise_s) * 1000
