"""Times at the API's edge: ISO 8601 in UTC with milliseconds and `Z` outside, whole milliseconds since 1970 inside."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

# 2000-01-01 and 2106-02-07, the last second of an unsigned 32-bit count: nothing that a lamp does lies outside.
EARLIEST_MS = 946_684_800_000
LATEST_MS = 4_294_967_295_000


def format_utc(ms: int) -> str:
    """`1763845200123` -> `2025-11-22T21:00:00.123Z`."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


def parse_utc(text: object) -> int:
    """ISO 8601 with an offset or `Z` to ms; raises ValueError naming what is missing."""
    if not isinstance(text, str):
        raise ValueError("write a time as text like 2026-11-22T21:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write a time like 2026-11-22T21:00:00Z or 2026-11-22T21:00:00+07:00") from None
    if moment.tzinfo is None:
        raise ValueError("the time has no zone: end it with Z or an offset like +07:00")
    try:
        # By integer parts: a float of seconds would lose milliseconds.
        seconds = int(moment.replace(microsecond=0).timestamp())
    except (OverflowError, OSError):
        raise ValueError("the time is not one of this era") from None
    ms = seconds * 1000 + moment.microsecond // 1000
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise ValueError("the time lies outside 2000..2106")
    return ms


_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T21:00:00.000Z"]})

UtcOut = Annotated[int, PlainSerializer(format_utc, return_type=str), _SCHEMA]
"""A field of an answer: ms inside, ISO text outside."""
UtcIn = Annotated[int, BeforeValidator(parse_utc), _SCHEMA]
"""A field or parameter of a request: ISO text outside, ms inside."""
