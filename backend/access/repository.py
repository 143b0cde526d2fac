"""Tokens in the database."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from backend.access.models import Token


def add(session: Session, token: Token) -> Token:
    session.add(token)
    session.flush()
    return token


def find_by_prefix(session: Session, prefix: str) -> Token | None:
    return session.exec(select(Token).where(Token.prefix == prefix)).first()


def list_all(session: Session) -> Sequence[Token]:
    return session.exec(select(Token).order_by(col(Token.id))).all()
