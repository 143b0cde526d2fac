"""The history of faults as comma-separated values, page by page, so that a slow reader holds no connection."""

from collections.abc import AsyncIterator

from backend.db import Database
from backend.faults import service
from backend.faults.shapes import ExportFilter, FaultPublic
from backend.kit import comma_rows
from backend.kit.pages import LARGEST_LIMIT, PageQuery
from backend.kit.times import format_utc

COLUMNS = (
    "id",
    "lamp_id",
    "endpoint",
    "lamp_name",
    "feeder",
    "cabinet",
    "name",
    "severity",
    "state",
    "raised_at",
    "cleared_at",
    "cleared_by",
    "flapping",
    "times_raised",
    "acknowledged_at",
    "acknowledged_by",
    "assigned_to",
    "due_at",
    "incident_id",
)
_TIMES = frozenset(("raised_at", "cleared_at", "acknowledged_at", "due_at"))


async def stream(database: Database, filters: ExportFilter) -> AsyncIterator[bytes]:
    """A line of names, then one a fault, newest first, with its notes in the last cell; UTF-8."""
    yield comma_rows.lines([(*COLUMNS, "notes")]).encode()
    cursor: str | None = None
    while True:
        where = PageQuery(cursor=cursor, limit=LARGEST_LIMIT)
        page = await database.read(lambda session, where=where: service.page(session, filters, where))  # type: ignore[misc]
        if page.items:
            yield comma_rows.lines(_row(fault) for fault in page.items).encode()
        cursor = page.next_cursor
        if cursor is None:
            return


def _row(fault: FaultPublic) -> list[object]:
    values = [getattr(fault, name) for name in COLUMNS]
    cells: list[object] = [
        format_utc(value) if name in _TIMES and value is not None else value
        for name, value in zip(COLUMNS, values, strict=True)
    ]
    cells.append("\n".join(f"{format_utc(note.at)} {note.author}: {note.text}" for note in fault.notes))
    return cells
