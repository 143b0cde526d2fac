"""Types of request fields, and the base of every request body: strict, bounded, and silent about what was sent."""

import unicodedata
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

BIGGEST_ID = 2**63 - 1


class Input(BaseModel):
    """Base of request bodies: unknown fields are refused by name, NaN and infinity are not numbers."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=True, hide_input_in_errors=True)


def _printable(text: str) -> str:
    # PostgreSQL has no NUL in text; the other control characters would break logs and labels.
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("control characters are not allowed")
    return text


def _known_time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError("no such IANA time zone; write it like Asia/Ho_Chi_Minh or Europe/Berlin")
    return name


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _hex_bytes(text: str) -> str:
    try:
        bytes.fromhex(text)
    except ValueError:
        raise ValueError("write whole bytes as hexadecimal digits, two a byte") from None
    return text.lower()


Text = Annotated[str, StringConstraints(max_length=200), AfterValidator(_printable)]
"""A line of text, perhaps empty."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_printable)]
"""A line of text that is not empty."""
Notes = Annotated[str, StringConstraints(max_length=4000)]
TimeZoneName = Annotated[str, AfterValidator(_known_time_zone)]
Hex = Annotated[str, AfterValidator(_hex_bytes)]
"""Bytes as hexadecimal digits; bound its length with StringConstraints, two digits a byte."""
Latitude = Annotated[float, Field(ge=-90, le=90)]
"""Degrees, WGS 84; stored as whole micro-degrees (0.11 m)."""
Longitude = Annotated[float, Field(ge=-180, le=180)]
RowId = Annotated[int, Field(ge=1, le=BIGGEST_ID)]
"""A key of a row, in a body or a query."""
PathId = Annotated[int, Path(ge=1, le=BIGGEST_ID)]
"""A key of a row, in the path."""


def micro_degrees(degrees: float) -> int:
    """Degrees to the nearest whole micro-degree."""
    return round(degrees * 1_000_000)


def degrees(micro: int) -> float:
    """Micro-degrees to degrees, exact to six decimals."""
    return micro / 1_000_000
