"""Readings of one lamp: the latest, and a range."""

from sqlmodel import Session

from backend.errors import BadInput, NotFound
from backend.kit.pages import Page, PageQuery
from backend.kit.times import EARLIEST_MS, LATEST_MS, UtcIn
from backend.lamps import service as lamps
from backend.telemetry import repository
from backend.telemetry.models import Reading, ReadingPublic


class RangeQuery(PageQuery):
    """Which readings: from `start` (included) to `end` (excluded), both UTC; left out is open."""

    start: UtcIn = EARLIEST_MS
    end: UtcIn = LATEST_MS


def readings(session: Session, lamp_id: int, query: RangeQuery) -> Page[ReadingPublic]:
    """A page of readings, oldest first. Raises NotFound for an unknown lamp, BadInput for an empty range."""
    lamps.get(session, lamp_id)
    if query.start >= query.end:
        raise BadInput.of("end", "the range is empty: end lies at or before start")
    rows, cursor = repository.page(session, lamp_id, query.start, query.end, query)
    return Page(items=[_public(row[0]) for row in rows], next_cursor=cursor)


def latest(session: Session, lamp_id: int) -> ReadingPublic:
    """The newest reading of a lamp in which something was measured (a lamp also tells when its light changes, and then
    only of its light), else the newest; raises NotFound when it has none yet."""
    lamps.get(session, lamp_id)
    reading = repository.find_latest(session, lamp_id)
    if reading is None:
        raise NotFound(
            f"Lamp {lamp_id} has no reading yet.", "Wait for its first report; its status tells if it is heard."
        )
    return _public(reading)


def _public(reading: Reading) -> ReadingPublic:
    values = reading.model_dump(exclude={"at_ms", "lamp_id"})
    return ReadingPublic(at=reading.at_ms, **values)
