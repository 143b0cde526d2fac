"""Insert or update many rows in one statement, without ORM rows, on both databases."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `rows` (all with the same columns, primary key included): the last writer of a key wins.

    `rows` holds each key at most once: PostgreSQL refuses to update a row twice in one statement.
    """
    if not rows:
        return
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    key = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in rows[0] if name not in key}
    statement = (
        statement.on_conflict_do_update(index_elements=key, set_=changes)
        if changes
        else (statement.on_conflict_do_nothing(index_elements=key))
    )
    connection.execute(statement, [dict(row) for row in rows])


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert `rows` (all with the same columns, primary key included): the first writer of a key wins."""
    if not rows:
        return
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).on_conflict_do_nothing(index_elements=[column.name for column in table.primary_key])
    connection.execute(statement, [dict(row) for row in rows])
