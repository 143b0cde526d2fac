"""Making, checking and revoking tokens.

A token reads `slt_<prefix>_<secret>`: 8 and 64 hexadecimal digits. The secret has 256 random bits, so that a plain
SHA-256 is enough (slow hashes protect guessable passwords); comparison takes the same time whatever differs.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from backend.access import repository
from backend.access.models import Role, Token
from backend.errors import BadInput, NotFound, Unauthorized
from backend.kit.pages import PageQuery

MARK = "slt"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LONGEST_HOURS = 8784
"""A leap year: what is meant to last longer is counted in days."""
USE_RESOLUTION_MS = 60_000
"""`last used` is written at most once a minute a token, so that reading does not become writing."""


@dataclass(frozen=True)
class Actor:
    """Who makes a request; `city_id`: the top-level zone that it is limited to, None: everywhere."""

    token_id: int
    name: str
    role: Role
    must_note_use: bool = False
    city_id: int | None = None
    expires_at_ms: int | None = None


def create(
    session: Session,
    now_ms: int,
    name: str,
    role: str,
    expires_days: int | None = None,
    expires_hours: int | None = None,
    city_id: int | None = None,
) -> tuple[Token, str]:
    """Return the new row and the token's text, which nobody can show again. `now_ms` is real time; `city_id` is a
    top-level zone that the caller has looked up."""
    name = name.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise BadInput.of("name", "give the token a name of 1 to 120 printable characters: who or what will use it")
    if role not in list(Role):
        raise BadInput.of("role", f"choose one of {', '.join(Role)}")
    if expires_days is not None and not 1 <= expires_days <= 36_500:
        raise BadInput.of("expires_days", "choose 1 to 36500 days, or leave it out for a token that does not expire")
    if expires_hours is not None and not 1 <= expires_hours <= LONGEST_HOURS:
        raise BadInput.of("expires_hours", f"choose 1 to {LONGEST_HOURS} hours")
    if expires_days is not None and expires_hours is not None:
        raise BadInput.of("expires_hours", "give hours or days, not both")
    if city_id is not None and role != Role.TECHNICIAN:
        raise BadInput.of("city", f"only the role {Role.TECHNICIAN} can be limited to a city; leave the city out")
    span_ms = expires_hours * HOUR_MS if expires_hours else expires_days * DAY_MS if expires_days else None
    prefix = secrets.token_hex(4)
    text = f"{MARK}_{prefix}_{secrets.token_hex(32)}"
    token = Token(
        name=name,
        role=role,
        prefix=prefix,
        digest=_digest(text),
        created_at_ms=now_ms,
        city_id=city_id,
        expires_at_ms=None if span_ms is None else now_ms + span_ms,
    )
    return repository.add(session, token), text


def authenticate(session: Session, text: str, now_ms: int) -> Actor:
    """The actor that `text` proves. Raises `Unauthorized`; unknown and wrong are told alike."""
    parts = text.split("_")
    token = repository.find_by_prefix(session, parts[1]) if _is_token(parts) else None
    if token is None or not hmac.compare_digest(token.digest, _digest(text)):
        raise Unauthorized("This token is not known.")
    if token.revoked_at_ms is not None:
        raise Unauthorized("This token was revoked.")
    if token.expires_at_ms is not None and token.expires_at_ms <= now_ms:
        raise Unauthorized("This token has expired.")
    assert token.id is not None
    stale = token.last_used_at_ms is None or now_ms - token.last_used_at_ms >= USE_RESOLUTION_MS
    return Actor(token.id, token.name, Role(token.role), stale, token.city_id, token.expires_at_ms)


def note_use(session: Session, token_id: int, now_ms: int) -> None:
    token = session.get(Token, token_id)
    if token is not None:
        token.last_used_at_ms = now_ms


def page(session: Session, query: PageQuery) -> tuple[list[Any], str | None]:
    """One page of tokens, and the cursor of the next."""
    return repository.page(session, query)


def list_tokens(session: Session) -> Sequence[Token]:
    return repository.list_all(session)


def revoke(session: Session, prefix: str, now_ms: int) -> Token:
    """Make the token with this prefix useless from now on; revoking it again changes nothing."""
    token = repository.find_by_prefix(session, prefix)
    if token is None:
        raise NotFound(f"No token starts with {MARK}_{prefix}.", "List the tokens with: streetlight token list")
    if token.revoked_at_ms is None:
        token.revoked_at_ms = now_ms
    return token


def _is_token(parts: list[str]) -> bool:
    return len(parts) == 3 and parts[0] == MARK and len(parts[1]) == 8 and parts[1].isalnum() and parts[1].isascii()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
