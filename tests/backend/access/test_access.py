"""Tokens: shown once, hashed, found by prefix, refused when unknown, expired or revoked."""

import hashlib

import httpx
import pytest
from fastapi import FastAPI

from backend.access import service
from backend.access.models import Role, Token
from backend.db import Database
from backend.errors import BadInput, NotFound, Unauthorized
from tests.backend.conftest import MakeClient, MakeToken

NOW_MS = 1_763_800_000_000
DAY_MS = 86_400_000


def make(database: Database, expires_days: int | None = None) -> tuple[Token, str]:
    with database.session(writes=True) as session:
        return service.create(session, NOW_MS, "console", "operator", expires_days)


def authenticate(database: Database, text: str, now_ms: int = NOW_MS) -> service.Actor:
    with database.session(writes=False) as session:
        return service.authenticate(session, text, now_ms)


def test_a_token_proves_its_actor_and_is_kept_as_a_hash_only(database: Database) -> None:
    token, text = make(database)
    actor = authenticate(database, text)
    assert (actor.name, actor.role, actor.token_id) == ("console", Role.OPERATOR, token.id)
    assert token.digest == hashlib.sha256(text.encode()).digest()
    assert text.split("_")[2] not in repr(token)


def test_two_tokens_differ(database: Database) -> None:
    assert make(database)[1] != make(database)[1]


@pytest.mark.parametrize("change", [str.upper, lambda t: t[:-1], lambda t: t + "0", lambda t: "x" + t, lambda t: ""])
def test_a_token_that_is_not_exact_is_refused(database: Database, change: object) -> None:
    _, text = make(database)
    with pytest.raises(Unauthorized, match="not known"):
        authenticate(database, change(text))  # type: ignore[operator]


def test_a_known_prefix_with_another_secret_is_refused(database: Database) -> None:
    _, text = make(database)
    mark, prefix, _ = text.split("_")
    with pytest.raises(Unauthorized, match="not known"):
        authenticate(database, f"{mark}_{prefix}_{'0' * 64}")


def test_a_token_ends_at_its_time(database: Database) -> None:
    _, text = make(database, expires_days=2)
    assert authenticate(database, text, NOW_MS + 2 * DAY_MS - 1).name == "console"
    with pytest.raises(Unauthorized, match="expired"):
        authenticate(database, text, NOW_MS + 2 * DAY_MS)


def test_a_revoked_token_is_refused_and_revoking_again_keeps_the_first_time(database: Database) -> None:
    token, text = make(database)
    for now_ms in (NOW_MS + 1, NOW_MS + 2):
        with database.session(writes=True) as session:
            assert service.revoke(session, token.prefix, now_ms).revoked_at_ms == NOW_MS + 1
    with pytest.raises(Unauthorized, match="revoked"):
        authenticate(database, text)


def test_revoking_what_does_not_exist_says_where_to_look(database: Database) -> None:
    with database.session(writes=True) as session, pytest.raises(NotFound) as missing:
        service.revoke(session, "00000000", NOW_MS)
    assert "token list" in missing.value.advice


@pytest.mark.parametrize(
    ("name", "role", "days", "field"),
    [
        (" ", "viewer", None, "name"),
        ("a\nb", "viewer", None, "name"),
        ("a", "king", None, "role"),
        ("a", "viewer", 0, "expires_days"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_by_field(
    database: Database, name: str, role: str, days: int | None, field: str
) -> None:
    with database.session(writes=True) as session, pytest.raises(BadInput) as refused:
        service.create(session, NOW_MS, name, role, days)
    assert [error.field for error in refused.value.errors] == [field]


def test_each_role_may_do_what_those_before_it_may() -> None:
    assert [role.rank for role in (Role.VIEWER, Role.OPERATOR, Role.TECHNICIAN, Role.ADMIN)] == [0, 1, 2, 3]


async def test_use_is_noted_at_most_once_a_minute(app: FastAPI, make_client: MakeClient, make_token: MakeToken) -> None:
    client = make_client(await make_token(Role.VIEWER))

    async def last_used() -> int | None:
        tokens = await app.state.database.read(service.list_tokens)
        used: int | None = tokens[0].last_used_at_ms
        return used

    assert await last_used() is None
    await client.get("/me")
    first = await last_used()
    assert first is not None
    await client.get("/me")
    assert await last_used() == first


async def test_a_caller_can_ask_who_it_is(make_client: MakeClient, make_token: MakeToken) -> None:
    client = make_client(await make_token(Role.TECHNICIAN, "van 3"))
    assert (await client.get("/me")).json() == {
        "name": "van 3",
        "role": "technician",
        "city": None,
        "expires_at": None,
    }


async def test_a_token_revoked_now_is_refused_now(app: FastAPI, make_client: MakeClient, make_token: MakeToken) -> None:
    text = await make_token(Role.VIEWER)
    client = make_client(text)
    assert (await client.get("/me")).status_code == 200
    prefix = text.split("_")[1]
    await app.state.database.write(lambda session: service.revoke(session, prefix, NOW_MS))
    answer: httpx.Response = await client.get("/me")
    assert answer.status_code == 401
    assert text not in answer.text
