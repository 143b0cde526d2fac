"""The schedule: what an operator plans, what a lamp follows, and the preview of it, in one engine for both.

The meaning is in docs/architecture.md, "What a schedule means". The objects are urn:oma:lwm2m:ext:3452, 3453, 3454 and
3456. All functions are pure; `Evaluator` keeps what it computed last.
"""

from contract.schedule.check import check
from contract.schedule.digest import digest
from contract.schedule.evaluator import HORIZON_MS, Evaluator
from contract.schedule.model import (
    FIXED,
    SUNRISE,
    SUNSET,
    CalendarRule,
    Date,
    Explanation,
    Moment,
    Program,
    Schedule,
    ScheduleError,
    Step,
)
from contract.schedule.read import from_objects

__all__ = (
    "FIXED",
    "HORIZON_MS",
    "SUNRISE",
    "SUNSET",
    "CalendarRule",
    "Date",
    "Evaluator",
    "Explanation",
    "Moment",
    "Program",
    "Schedule",
    "ScheduleError",
    "Step",
    "check",
    "digest",
    "explain_at",
    "from_objects",
    "level_at",
    "next_change_after",
    "permille_at",
    "to_objects",
)

_last = None


def level_at(schedule, now_ms):
    """Return the level 0..100 that a valid schedule asks for at a UTC millisecond, fades included.

    None when no program applies: the lamp's default level decides.
    """
    return _evaluator(schedule).level_at(now_ms)


def permille_at(schedule, now_ms):
    """Return the same as `level_at` in permille 0..1000, or None."""
    return _evaluator(schedule).permille_at(now_ms)


def explain_at(schedule, now_ms):
    """Return the `Explanation` of the level at a UTC millisecond."""
    return _evaluator(schedule).explain_at(now_ms)


def next_change_after(schedule, now_ms):
    """Return the UTC millisecond after now at which the next step or fade starts; at most 36 hours on."""
    return _evaluator(schedule).next_change_after(now_ms)


def to_objects(schedule):
    """Return {(object, instance): {resource: value, or {resource instance: value} if multiple}} of a valid schedule."""
    # A lamp only reads: what writes is loaded when it is wanted.
    from contract.schedule import compose

    return compose.to_objects(schedule)


def _evaluator(schedule):
    # The last one is kept: callers ask about one schedule many times. Threads may race for it and lose only time.
    global _last
    evaluator = _last
    if evaluator is None or evaluator.schedule is not schedule:
        evaluator = _last = Evaluator(schedule)
    return evaluator
