"""What a transaction changed that others must follow up, before it is committed.

A domain notes the keys here without knowing who listens; the composition root's `before_commit` hooks take them.
"""

from collections.abc import Iterable

from sqlmodel import Session


def note_changed(session: Session, kind: str, keys: Iterable[int]) -> None:
    """Say that something of this kind changed at these keys."""
    session.info.setdefault("changes", {}).setdefault(kind, set()).update(keys)


def take_changed(session: Session, kind: str) -> set[int]:
    """The keys that were noted for this kind since it was last asked."""
    taken: set[int] = session.info.get("changes", {}).pop(kind, set())
    return taken
