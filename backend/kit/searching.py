"""Search in text columns without regard to case, the same on both databases."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_


def contains_text(columns: Sequence[Any], text: str) -> ColumnElement[bool]:
    """True where any column contains `text`; `%` and `_` in it mean themselves.

    `lower` knows all of Unicode: in SQLite because `backend.db` replaces it, in PostgreSQL with a UTF-8 locale.
    """
    return or_(*(func.lower(column).contains(text.lower(), autoescape=True) for column in columns))
