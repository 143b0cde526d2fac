"""Tokens in the database."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from backend.access.models import Token
from backend.kit import pages


def add(session: Session, token: Token) -> Token:
    session.add(token)
    session.flush()
    return token


def find_by_prefix(session: Session, prefix: str) -> Token | None:
    return session.exec(select(Token).where(Token.prefix == prefix)).first()


def list_all(session: Session) -> Sequence[Token]:
    return session.exec(select(Token).order_by(col(Token.id))).all()


def page(session: Session, query: pages.PageQuery) -> tuple[list[Any], str | None]:
    return pages.fetch(session, select(Token), (col(Token.id),), query)
