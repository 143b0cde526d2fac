"""Why a lamp is at its level, in its own words and in the backend's: the same engine, so the same words."""

from typing import Any

from sqlmodel import Session

from backend.explain import repository
from backend.explain.comparison import Circumstances, differences, reasons
from backend.explain.models import Expected, Explanation, Said
from backend.kit.times import format_utc
from backend.lamps import service as lamps
from backend.lamps.liveness import Status, status
from backend.lamps.models import Lamp
from backend.lamps.service import LampRow
from backend.overrides.models import CommandState, Override
from backend.schedules.desired import for_lamp
from backend.schedules.models import Status as Verification
from contract import levels, sun
from contract import schedule as engine


def explain(session: Session, lamp_id: int, now_ms: int, now_real_ms: int) -> Explanation:
    """Raises NotFound for an unknown lamp."""
    row = lamps.get_row(session, lamp_id)
    wanted = repository.find_schedule(session, lamp_id)
    commands = repository.overrides(session, lamp_id, now_ms)
    holding = [(one, override) for one, override in commands if one.state != CommandState.CANCELLING]
    said = _said(row)
    expected = _by_override(holding[0][1]) if holding else _by_schedule(row.lamp, wanted, now_ms)
    expected = _held(expected, row, now_ms)
    found = differences(said, expected)
    heard = row.registration
    known = Circumstances(
        is_online=heard is not None
        and status(heard.last_heard_real_ms, heard.lifetime_s, heard.active, now_real_ms) is Status.ONLINE,
        heard_words="never" if heard is None else f"last heard at {format_utc(heard.last_heard_real_ms)}",
        schedule_status=None if wanted is None else wanted.row.status,
        schedule_detail="" if wanted is None else wanted.row.detail,
        holds_other_schedule=wanted is not None
        and row.state is not None
        and wanted.row.status != Verification.VERIFIED
        and row.state.digest_reported not in (None, wanted.row.digest),
        override_state=holding[0][0].state if holding else None,
        cancelling=len(holding) < len(commands),
        clock_error_ms=None if row.state is None else row.state.clock_error_ms,
    )
    return Explanation(
        lamp_id=lamp_id,
        at=now_ms,
        said=said,
        expected=expected,
        agrees=None if said.rung is None else not found,
        differences=found,
        reasons=reasons(said, expected, known) if found else [],
    )


def _said(row: LampRow) -> Said:
    state = row.state
    if state is None:
        return Said(at=None, rung=None, level=None, level_now=None, words=None, until=None)
    return Said(
        at=(state.times or {}).get("rung"),
        rung=state.rung,
        level=state.command_in_action,
        level_now=state.level,
        words=state.explanation,
        until=state.until_ms or None,
    )


def _held(expected: Expected, row: LampRow, now_ms: int) -> Expected:
    """What the lamp's safety floor makes of it: by night it is not below the level that the lamp reported."""
    floor = 0 if row.state is None else row.state.safety_floor or 0
    if not floor or expected.level is None or expected.level >= floor:
        return expected
    night, until_s, turns = sun.night_at(row.lamp.latitude_e6, row.lamp.longitude_e6, now_ms // 1000)
    if not night:
        return expected
    words = levels.held(expected.words, expected.level, floor, expected.rung == "schedule", levels.UNTIL_SUNRISE)
    ends = [at_ms for at_ms in (expected.until, until_s * 1000 if turns else None) if at_ms]
    level_now = None if expected.level_now is None else max(floor, expected.level_now)
    return expected.model_copy(
        update={"level": floor, "level_now": level_now, "words": words, "until": min(ends, default=None)}
    )


def _by_override(override: Override) -> Expected:
    assert override.id is not None
    return Expected(
        rung="override",
        level=override.level,
        level_now=None,
        words="manual command",
        program=None,
        rule=None,
        schedule_id=None,
        version=None,
        override_id=override.id,
        source=f"override {override.id} by {override.created_by}: {override.reason}",
        since=override.start_ms,
        until=override.end_ms,
    )


def _by_schedule(lamp: Lamp, wanted: repository.Wanted | None, now_ms: int) -> Expected:
    held = None if wanted is None else wanted.schedule
    place = (lamp.latitude_e6, lamp.longitude_e6, lamp.time_zone)
    schedule: Any = for_lamp(held, place, now_ms)
    found = engine.Evaluator(schedule).explain_at(now_ms)
    program = None if found.program is None else schedule.programs[found.program]
    return Expected(
        rung="default" if program is None else "schedule",
        level=None if program is None else 0 if found.step is None else program.steps[found.step].level,
        level_now=found.level,
        # The lamp's own words for its default level (firmware.lamp).
        words="no program applies" if program is None else found.words,
        program=None if program is None else program.name,
        # A calendar rule of an operator is a program of the engine (contract.talq).
        rule=None if found.program is None else found.program + 1,
        schedule_id=None if held is None else held.id,
        version=None if wanted is None or held is None else wanted.row.version,
        override_id=None,
        source="no schedule" if held is None else f"schedule {held.name}, version {held.version}",
        since=found.since_ms or None,
        until=found.until_ms or None,
    )
