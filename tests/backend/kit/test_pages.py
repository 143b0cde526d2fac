"""Cursor pagination on both databases."""

import asyncio
import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from backend.access.models import Token
from backend.db import Database
from backend.errors import BadInput
from backend.kit.pages import Page, PageQuery, fetch

BY_ID = (col(Token.id),)
BY_ROLE = (col(Token.role), col(Token.id))


def add(session: Session, *numbers: int) -> None:
    for number in numbers:
        role = ["viewer", "admin"][number % 2]
        session.add(Token(name=f"t{number}", role=role, prefix=str(number), digest=b"", created_at_ms=number))
    session.flush()


def walk(session: Session, keys: Any, limit: int, descending: bool = False) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        rows, cursor = fetch(session, select(Token), keys, PageQuery(cursor=cursor, limit=limit), descending=descending)
        assert len(rows) <= limit
        found += [row[0].name for row in rows]
        assert len(found) <= 100
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 6, 7, 100])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_hold_every_row_once_in_order(database: Database, limit: int, descending: bool) -> None:
    with database.session(writes=True) as session:
        add(session, *range(6))
        expected = [f"t{number}" for number in range(6)]
        assert walk(session, BY_ID, limit, descending) == (expected[::-1] if descending else expected)
        by_role = ["t1", "t3", "t5", "t0", "t2", "t4"]
        assert walk(session, BY_ROLE, limit, descending) == (by_role[::-1] if descending else by_role)


async def test_rows_that_come_and_go_meanwhile_neither_repeat_nor_hide_others(database: Database) -> None:
    await database.write(lambda session: add(session, *range(100, 200)))
    stop = asyncio.Event()

    async def disturb() -> int:
        number = 1000
        while not stop.is_set():
            await database.write(lambda session, number=number: add(session, number))  # type: ignore[misc]
            number += 1
        return number - 1000

    disturber = asyncio.create_task(disturb())
    seen: list[str] = []
    cursor = None
    while True:
        query = PageQuery(cursor=cursor, limit=7)
        rows, cursor = await database.read(lambda session, query=query: fetch(session, select(Token), BY_ROLE, query))  # type: ignore[misc]
        seen += [row[0].name for row in rows]
        assert len(seen) < 10_000
        if cursor is None:
            break
    stop.set()
    assert await disturber > 0
    assert len(seen) == len(set(seen))
    assert set(seen) >= {f"t{number}" for number in range(100, 200)}


def cursor_of(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!!!",
        "AAAA",
        cursor_of({}),
        cursor_of([]),
        cursor_of(["Token.id"]),
        cursor_of(["Token.id", "1"]),
        cursor_of(["Token.id", 1.5]),
        cursor_of(["Token.id", True]),
        cursor_of(["Token.id", None]),
        cursor_of(["Token.id", 2**63]),
        cursor_of(["-Token.id", 1]),
        cursor_of(["Lamp.id", 1]),
    ],
)
def test_a_cursor_that_is_not_from_this_list_is_refused_by_name(database: Database, cursor: str) -> None:
    with database.session(writes=False) as session, pytest.raises(BadInput) as refused:
        fetch(session, select(Token), BY_ID, PageQuery(cursor=cursor))
    assert [error.field for error in refused.value.errors] == ["cursor"]


def test_a_text_key_with_a_nul_is_refused(database: Database) -> None:
    with database.session(writes=False) as session, pytest.raises(BadInput):
        cursor = cursor_of(["Token.role,Token.id", "a\0b", 1])
        fetch(session, select(Token), BY_ROLE, PageQuery(cursor=cursor))


@given(st.text(max_size=600))
def test_no_cursor_makes_anything_but_a_refusal(text: str) -> None:
    from backend.kit.pages import _decode

    with pytest.raises(BadInput):
        _decode(text, "Token.id", [Token.__table__.c.id])  # type: ignore[attr-defined]


def test_the_last_page_has_no_cursor() -> None:
    assert Page(items=[1, 2]).model_dump() == {"items": [1, 2], "next_cursor": None}
