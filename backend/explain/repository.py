"""What is desired of one lamp, as far as an explanation needs it."""

from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from backend.overrides.models import HELD, WAITING, Override, OverrideCommand
from backend.schedules.models import DesiredSchedule, Schedule


class Wanted(NamedTuple):
    """The schedule that a lamp should hold; `schedule` is None when it should hold an empty one."""

    row: DesiredSchedule
    schedule: Schedule | None


def find_schedule(session: Session, lamp_id: int) -> Wanted | None:
    """None when the lamp never had a schedule."""
    statement = (
        select(DesiredSchedule, Schedule)
        .outerjoin(Schedule, col(Schedule.id) == col(DesiredSchedule.schedule_id))
        .where(col(DesiredSchedule.lamp_id) == lamp_id)
    )
    row = session.execute(statement).first()
    return None if row is None else Wanted(row[0], row[1])


def overrides(session: Session, lamp_id: int, now_ms: int) -> list[tuple[OverrideCommand, Override]]:
    """The commands of a lamp that are not over and whose override holds now, newest first."""
    statement = (
        select(OverrideCommand, Override)
        .join(Override, col(Override.id) == col(OverrideCommand.override_id))
        .where(
            col(OverrideCommand.lamp_id) == lamp_id,
            col(OverrideCommand.state).in_(WAITING + HELD),
            col(Override.start_ms) <= now_ms,
            col(Override.end_ms) > now_ms,
        )
        .order_by(col(OverrideCommand.id).desc())
    )
    return [(row[0], row[1]) for row in session.execute(statement)]
