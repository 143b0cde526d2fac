"""Insert or update on both databases."""

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, select

from backend.db import Database
from backend.kit.upserts import insert_new, upsert

TABLE = Table(
    "thing",
    MetaData(),
    Column("a", Integer, primary_key=True),
    Column("b", Integer, primary_key=True),
    Column("c", String),
)
KEYS = Table("key_only", MetaData(), Column("a", Integer, primary_key=True, autoincrement=False))


def rows(connection: Connection) -> list[tuple[int, int, str]]:
    return [tuple(row) for row in connection.execute(select(TABLE).order_by(TABLE.c.a, TABLE.c.b))]


def test_an_upsert_inserts_and_updates(database: Database) -> None:
    with database.writing() as connection:
        TABLE.create(connection)
        upsert(connection, TABLE, [])
        upsert(connection, TABLE, [{"a": 1, "b": 1, "c": "x"}, {"a": 1, "b": 2, "c": "y"}])
        upsert(connection, TABLE, [{"a": 1, "b": 2, "c": "z"}, {"a": 2, "b": 1, "c": "w"}])
        assert rows(connection) == [(1, 1, "x"), (1, 2, "z"), (2, 1, "w")]


def test_an_insert_of_new_rows_keeps_the_old_ones(database: Database) -> None:
    with database.writing() as connection:
        TABLE.create(connection)
        insert_new(connection, TABLE, [])
        insert_new(connection, TABLE, [{"a": 1, "b": 1, "c": "x"}])
        insert_new(connection, TABLE, [{"a": 1, "b": 1, "c": "y"}, {"a": 1, "b": 2, "c": "z"}])
        assert rows(connection) == [(1, 1, "x"), (1, 2, "z")]


def test_a_row_that_is_all_key_is_written_once(database: Database) -> None:
    with database.writing() as connection:
        KEYS.create(connection)
        upsert(connection, KEYS, [{"a": 1}])
        upsert(connection, KEYS, [{"a": 1}, {"a": 2}])
        assert connection.execute(select(KEYS.c.a).order_by(KEYS.c.a)).scalars().all() == [1, 2]
