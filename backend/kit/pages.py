"""Lists in pages: an opaque cursor over a stable order (keyset pagination).

A cursor names the last row that was given, not an offset, so that rows inserted or removed meanwhile neither repeat nor
hide others. The order is any non-null columns that end in a unique one.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic import Field as PydanticField
from sqlalchemy import ColumnElement, Select, tuple_
from sqlmodel import Session

from backend.errors import BadInput

T = TypeVar("T")

Statement = Select[*tuple[Any, ...]]
"""A query of any columns."""

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000


class PageQuery(BaseModel):
    """Query parameters of every list; a list with filters inherits and adds its own. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    cursor: Annotated[str, StringConstraints(max_length=600)] | None = PydanticField(
        None, description="`next_cursor` of the page before; leave it out for the first page."
    )
    limit: int = PydanticField(DEFAULT_LIMIT, ge=1, le=LARGEST_LIMIT, description="Most items in the page.")


class Page(BaseModel, Generic[T]):
    """One page; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None


def fetch(
    session: Session, statement: Statement, keys: Sequence[Any], query: PageQuery, *, descending: bool = False
) -> tuple[list[Any], str | None]:
    """Rows of `statement` in the order of `keys`, after the cursor, and the cursor of the next page.

    `keys` are columns that are never NULL, the last one unique. Raises `BadInput` for a cursor of another list.
    """
    columns: list[ColumnElement[Any]] = list(keys)
    order = _order_of(columns, descending)
    if query.cursor is not None:
        last = _decode(query.cursor, order, columns)
        left, right = tuple_(*columns), tuple_(*last)
        statement = statement.where(left < right if descending else left > right)
    statement = statement.add_columns(*columns).order_by(*(c.desc() if descending else c.asc() for c in columns))
    found = session.execute(statement.limit(query.limit + 1)).all()
    width = len(columns)
    rows = list(found[: query.limit])
    cursor = _encode(order, list(rows[-1][-width:])) if len(found) > query.limit else None
    return rows, cursor


def _order_of(columns: Sequence[ColumnElement[Any]], descending: bool) -> str:
    return ("-" if descending else "") + ",".join(str(column) for column in columns)


def _encode(order: str, values: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([order, *values])).decode().rstrip("=")


def _decode(cursor: str, order: str, columns: Sequence[ColumnElement[Any]]) -> list[Any]:
    reason = "this cursor is not from this list with this order; leave it out to start at the first page"
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise BadInput.of("cursor", reason) from None
    if not isinstance(content, list) or len(content) != 1 + len(columns) or content[0] != order:
        raise BadInput.of("cursor", reason)
    for value, column in zip(content[1:], columns, strict=True):
        # A forged cursor must not reach the database with a value that its column cannot hold.
        if type(value) is not column.type.python_type or "\0" in str(value):
            raise BadInput.of("cursor", reason)
        if isinstance(value, int) and abs(value) >= 2**63:
            raise BadInput.of("cursor", reason)
    return list(content[1:])
