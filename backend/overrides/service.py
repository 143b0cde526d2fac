"""Asking for overrides, cancelling them, and the next step of a lamp's commands (for `delivery`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from backend.errors import BadInput, Conflict, NotFound
from backend.kit.pages import Page
from backend.lamps import service as lamps
from backend.overrides import repository
from backend.overrides.models import (
    HELD,
    LONGEST_S,
    CommandPublic,
    CommandState,
    OutcomeQuery,
    Override,
    OverrideCommand,
    OverrideCreate,
    OverridePublic,
    OverrideQuery,
)
from backend.zones import service as zones
from contract import limits


def create(session: Session, body: OverrideCreate, by: str, now_ms: int) -> tuple[OverridePublic, list[int]]:
    """Accept an override; the lamps that it is for.

    Raises NotFound for an unknown lamp or zone, BadInput for times that cannot be and for a zone without lamps.
    """
    start_ms = body.start if body.start is not None else now_ms
    duration_s = body.duration_s if body.duration_s is not None else limits.OVERRIDE_DEFAULT_S
    end_ms = body.end if body.end is not None else start_ms + duration_s * 1000
    if end_ms <= start_ms:
        raise BadInput.of("end", "it lies at or before the start")
    if end_ms <= now_ms:
        raise BadInput.of("end", "it has passed already")
    if end_ms - start_ms > LONGEST_S * 1000:
        raise BadInput.of("end", f"an override lasts at most {LONGEST_S // 86400} days; plan a schedule for longer")
    lamp_ids = _targets(session, body)
    override = Override(
        lamp_id=body.lamp_id,
        zone_id=body.zone_id,
        level=body.level,
        fade_ms=round(body.fade_s * 1000),
        start_ms=start_ms,
        end_ms=end_ms,
        reason=body.reason,
        created_by=by,
        created_ms=now_ms,
    )
    repository.add(session, override, lamp_ids)
    repository.supersede(session, override, lamp_ids, now_ms)
    return _public(override, {CommandState.ACCEPTED: len(lamp_ids)}), lamp_ids


def _targets(session: Session, body: OverrideCreate) -> list[int]:
    if body.lamp_id is not None:
        lamp = lamps.get(session, body.lamp_id)
        if lamp.retired_at_ms is not None:
            raise BadInput.of("lamp_id", "this lamp is retired")
        return [body.lamp_id]
    assert body.zone_id is not None  # OverrideCreate has checked it
    members = zones.lamp_ids(session, body.zone_id)
    if not members:
        raise BadInput.of("zone_id", "this zone has no lamps")
    return members


def follow_swaps(session: Session, lamp_ids: Sequence[int], now_ms: int) -> None:
    """Send again what these lamps' controllers before held."""
    repository.hold_no_more(session, lamp_ids, now_ms)


def listed(session: Session, query: OverrideQuery, now_ms: int) -> Page[OverridePublic]:
    rows, cursor = repository.page(session, query, now_ms)
    overrides = [row[0] for row in rows]
    counts = repository.counts(session, [override.id for override in overrides])
    return Page(items=[_public(override, counts.get(override.id, {})) for override in overrides], next_cursor=cursor)


def get(session: Session, override_id: int) -> OverridePublic:
    override = _find(session, override_id)
    return _public(override, repository.counts(session, [override_id]).get(override_id, {}))


def outcomes(session: Session, override_id: int, query: OutcomeQuery) -> Page[CommandPublic]:
    """What became of an override at each lamp."""
    _find(session, override_id)
    rows, cursor = repository.outcomes(session, override_id, query)
    return Page(items=[_command(row[0], row[1]) for row in rows], next_cursor=cursor)


def cancel(session: Session, override_id: int, by: str, now_ms: int) -> tuple[OverridePublic, list[int]]:
    """End an override before its time; the lamps that must be told. Raises Conflict when it is over."""
    override = _find(session, override_id, for_change=True)
    if override.cancelled_ms is not None:
        raise Conflict(f"{override.cancelled_by} has cancelled this override already.", "Nothing is left to do.")
    if override.end_ms <= now_ms:
        raise Conflict("This override has ended by itself.", "Nothing is left to do.")
    override.cancelled_ms, override.cancelled_by = now_ms, by
    session.add(override)
    repository.cancel(session, override_id, now_ms)
    return get(session, override_id), repository.lamps_of(session, override_id)


@dataclass(frozen=True)
class Step:
    """What a lamp must be told next: the override itself, or that it is over."""

    command_id: int
    kind: Literal["send", "clear"]
    level: int
    fade_s: float
    start_s: int
    end_s: int


def next_step(session: Session, lamp_id: int, now_ms: int) -> Step | None:
    """Decide and note (as sent) the next message to a lamp; None when there is none to send now."""
    rows = repository.of_lamp(session, lamp_id)
    held_until_ms = max((o.end_ms for c, o in rows if c.state in HELD and o.end_ms > now_ms), default=0)
    for command, override in rows:
        assert command.id is not None
        if command.state in HELD:
            continue
        if override.end_ms <= now_ms:
            state = CommandState.CANCELLED if command.state == CommandState.CANCELLING else CommandState.EXPIRED
            repository.move(session, command.id, (command.state,), state=state, ended_ms=now_ms)
            continue
        if command.state == CommandState.CANCELLING:
            if held_until_ms:
                # The lamp holds another override by now: this one is gone with it, and clearing would end the other.
                repository.move(session, command.id, (command.state,), state=CommandState.CANCELLED, ended_ms=now_ms)
                continue
            return Step(command.id, "clear", 0, 0.0, 0, 0)
        if held_until_ms and held_until_ms <= override.start_ms:
            # The lamp has room for one: it gets this one when the one before has ended.
            continue
        repository.move(
            session, command.id, (command.state,), state=CommandState.SENT, sent_ms=command.sent_ms or now_ms
        )
        # 0 is "at once": a start of this very second would wait for a lamp's clock that is a little behind. So is what
        # was asked for at once, though a clock was read before that or has been put back since: the lamp would fall
        # back to its schedule until the second is full.
        is_due = override.start_ms <= max(now_ms, override.created_ms)
        start_s = 0 if is_due else -(-override.start_ms // 1000)
        return Step(command.id, "send", override.level, override.fade_ms / 1000, start_s, -(-override.end_ms // 1000))
    return None


def _find(session: Session, override_id: int, for_change: bool = False) -> Override:
    override = repository.find(session, override_id, for_change)
    if override is None:
        raise NotFound(f"There is no override {override_id}.")
    return override


def _public(override: Override, counts: dict[str, int]) -> OverridePublic:
    assert override.id is not None
    return OverridePublic(
        id=override.id,
        lamp_id=override.lamp_id,
        zone_id=override.zone_id,
        level=override.level,
        fade_s=override.fade_ms / 1000,
        start=override.start_ms,
        end=override.end_ms,
        reason=override.reason,
        created_by=override.created_by,
        created_at=override.created_ms,
        cancelled_at=override.cancelled_ms,
        cancelled_by=override.cancelled_by,
        outcomes={CommandState(state): count for state, count in sorted(counts.items())},
    )


def _command(command: OverrideCommand, endpoint: str) -> CommandPublic:
    return CommandPublic(
        lamp_id=command.lamp_id,
        endpoint=endpoint,
        state=CommandState(command.state),
        accepted_at=command.accepted_ms,
        sent_at=command.sent_ms,
        received_at=command.received_ms,
        executed_at=command.executed_ms,
        ended_at=command.ended_ms,
        detail=command.detail,
    )
