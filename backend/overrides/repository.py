"""Overrides and commands in the database."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select, update
from sqlmodel import Session, col

from backend.kit.pages import fetch
from backend.lamps.models import Lamp
from backend.overrides.models import HELD, WAITING, CommandState, OutcomeQuery, Override, OverrideCommand, OverrideQuery

COMMANDS: Table = OverrideCommand.__table__  # type: ignore[attr-defined]
OVERRIDES: Table = Override.__table__  # type: ignore[attr-defined]
_CHUNK = 500


def add(session: Session, override: Override, lamp_ids: Sequence[int]) -> None:
    """Store an override and one accepted command a lamp."""
    session.add(override)
    session.flush()
    rows = [
        {
            "override_id": override.id,
            "lamp_id": lamp_id,
            "state": CommandState.ACCEPTED,
            "accepted_ms": override.created_ms,
            "detail": "",
        }
        for lamp_id in lamp_ids
    ]
    session.execute(COMMANDS.insert(), rows)


def supersede(session: Session, override: Override, lamp_ids: Sequence[int], now_ms: int) -> None:
    """End the older commands of these lamps that the new override would meet in time."""
    overlapping = select(OVERRIDES.c.id).where(OVERRIDES.c.id != override.id, OVERRIDES.c.end_ms > override.start_ms)
    for start in range(0, len(lamp_ids), _CHUNK):
        session.execute(
            update(COMMANDS)
            .where(COMMANDS.c.lamp_id.in_(lamp_ids[start : start + _CHUNK]))
            .where(COMMANDS.c.state.in_(WAITING + HELD), COMMANDS.c.override_id.in_(overlapping))
            .values(state=CommandState.SUPERSEDED, ended_ms=now_ms, detail=f"by override {override.id}")
        )


def hold_no_more(session: Session, lamp_ids: Sequence[int], now_ms: int) -> None:
    """These lamps have other controllers: what they held and is not over is to be sent again."""
    lasting = select(OVERRIDES.c.id).where(OVERRIDES.c.end_ms > now_ms)
    session.execute(
        update(COMMANDS)
        .where(COMMANDS.c.lamp_id.in_(lamp_ids), COMMANDS.c.state.in_(HELD))
        .where(COMMANDS.c.override_id.in_(lasting))
        .values(state=CommandState.ACCEPTED, sent_ms=None, received_ms=None, executed_ms=None, detail="")
    )


def find(session: Session, override_id: int, for_change: bool = False) -> Override | None:
    statement = select(Override).where(col(Override.id) == override_id)
    if for_change:
        statement = statement.with_for_update()
    return session.execute(statement).scalar_one_or_none()


def page(session: Session, query: OverrideQuery, now_ms: int) -> tuple[list[Any], str | None]:
    statement = select(Override)
    if query.lamp_id is not None:
        of_lamp = select(col(OverrideCommand.override_id)).where(col(OverrideCommand.lamp_id) == query.lamp_id)
        statement = statement.where(col(Override.id).in_(of_lamp))
    if query.zone_id is not None:
        statement = statement.where(col(Override.zone_id) == query.zone_id)
    if query.active is not None:
        active = (col(Override.end_ms) > now_ms) & col(Override.cancelled_ms).is_(None)
        statement = statement.where(active if query.active else ~active)
    return fetch(session, statement, [col(Override.id)], query, descending=True)


def counts(session: Session, override_ids: Iterable[int | None]) -> dict[int, dict[str, int]]:
    """How many commands of each override are in which state."""
    statement = (
        select(COMMANDS.c.override_id, COMMANDS.c.state, func.count())
        .where(COMMANDS.c.override_id.in_(list(override_ids)))
        .group_by(COMMANDS.c.override_id, COMMANDS.c.state)
    )
    found: dict[int, dict[str, int]] = {}
    for override_id, state, count in session.execute(statement):
        found.setdefault(override_id, {})[state] = count
    return found


def outcomes(session: Session, override_id: int, query: OutcomeQuery) -> tuple[list[Any], str | None]:
    """Rows of (OverrideCommand, endpoint), by lamp."""
    statement = (
        select(OverrideCommand, col(Lamp.endpoint))
        .join(Lamp, col(Lamp.id) == col(OverrideCommand.lamp_id))
        .where(col(OverrideCommand.override_id) == override_id)
    )
    if query.state is not None:
        statement = statement.where(col(OverrideCommand.state) == query.state)
    return fetch(session, statement, [col(OverrideCommand.lamp_id)], query)


def lamps_of(session: Session, override_id: int) -> list[int]:
    statement = select(col(OverrideCommand.lamp_id)).where(col(OverrideCommand.override_id) == override_id)
    return list(session.execute(statement).scalars())


def cancel(session: Session, override_id: int, now_ms: int) -> None:
    """Unsent commands end at once; for those that a lamp holds or may hold it must be told."""
    of_override = COMMANDS.c.override_id == override_id
    session.execute(
        update(COMMANDS)
        .where(of_override, COMMANDS.c.state == CommandState.ACCEPTED, COMMANDS.c.sent_ms.is_(None))
        .values(state=CommandState.CANCELLED, ended_ms=now_ms)
    )
    session.execute(
        update(COMMANDS)
        .where(of_override, COMMANDS.c.state.in_((CommandState.ACCEPTED, CommandState.SENT, *HELD)))
        .values(state=CommandState.CANCELLING)
    )


def of_lamp(session: Session, lamp_id: int) -> list[tuple[OverrideCommand, Override]]:
    """The commands of a lamp that are not over, with their overrides; oldest first."""
    statement = (
        select(OverrideCommand, Override)
        .join(Override, col(Override.id) == col(OverrideCommand.override_id))
        .where(col(OverrideCommand.lamp_id) == lamp_id, col(OverrideCommand.state).in_(WAITING + HELD))
        .order_by(col(OverrideCommand.id))
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def waiting_lamps(session: Session) -> list[int]:
    """Lamps that still have to hear something."""
    statement = select(col(OverrideCommand.lamp_id)).where(col(OverrideCommand.state).in_(WAITING)).distinct()
    return list(session.execute(statement).scalars())


def unsend(session: Session) -> None:
    """What counts as sent, and was never heard to arrive, is to be sent."""
    sent = COMMANDS.c.state == CommandState.SENT
    session.execute(update(COMMANDS).where(sent).values(state=CommandState.ACCEPTED))


def has_overdue(session: Session, now_ms: int) -> bool:
    """Whether a command still waits although its override has ended."""
    return session.execute(select(COMMANDS.c.id).where(_overdue(now_ms)).limit(1)).first() is not None


def end_overdue(session: Session, now_ms: int) -> None:
    """End what waits although its override has ended. What is on its way at this moment is left to its delivery."""
    for state, end in (
        (CommandState.ACCEPTED, CommandState.EXPIRED),
        (CommandState.CANCELLING, CommandState.CANCELLED),
    ):
        session.execute(
            update(COMMANDS).where(COMMANDS.c.state == state, _overdue(now_ms)).values(state=end, ended_ms=now_ms)
        )


def _overdue(now_ms: int) -> ColumnElement[bool]:
    ended = select(OVERRIDES.c.id).where(OVERRIDES.c.end_ms <= now_ms)
    return COMMANDS.c.state.in_((CommandState.ACCEPTED, CommandState.CANCELLING)) & COMMANDS.c.override_id.in_(ended)


def move(session: Session, command_id: int, expected: Sequence[str], **values: Any) -> bool:
    """Change a command if it is still in one of the expected states; False when something overtook it."""
    statement = update(COMMANDS).where(COMMANDS.c.id == command_id, COMMANDS.c.state.in_(expected)).values(**values)
    changed: int = session.execute(statement).rowcount  # type: ignore[attr-defined]
    return changed > 0


def _is_in_force(at_ms: int) -> ColumnElement[bool]:
    """That the override of a command has begun by then, and not ended."""
    begun = select(OVERRIDES.c.id).where(OVERRIDES.c.start_ms <= at_ms, OVERRIDES.c.end_ms > at_ms)
    return COMMANDS.c.override_id.in_(begun)


def execute_held(connection: Connection, lamp_id: int, at_ms: int, changed_ms: int) -> None:
    """A lamp reported that an override rules it: its received command, begun by then, is executed."""
    connection.execute(
        update(COMMANDS)
        .where(COMMANDS.c.lamp_id == lamp_id, COMMANDS.c.state == CommandState.RECEIVED)
        .where(_is_in_force(at_ms))
        .values(state=CommandState.EXECUTED, executed_ms=changed_ms)
    )


def note_executed(connection: Connection, lamp_id: int, at_ms: int, detail: str) -> None:
    """Keep what a lamp says of the override that it executes: its words when its safety floor holds it, else ""."""
    connection.execute(
        update(COMMANDS)
        .where(COMMANDS.c.lamp_id == lamp_id, COMMANDS.c.state == CommandState.EXECUTED, COMMANDS.c.detail != detail)
        .where(_is_in_force(at_ms))
        .values(detail=detail)
    )
