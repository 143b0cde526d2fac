"""What a lamp's light did in a night of chaos, held against what it should have done. Pure.

A lamp may be dark while it has no power and while it boots. From power-up until it has learnt the time it may be lit
at the failsafe level. Otherwise it shows what the schedule or an override asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contract import schedule as engine
from hil.street.trace import Edge

DEFAULT_LEVEL = 100
FAILSAFE_LEVEL = 100


@dataclass(frozen=True)
class Stretch:
    """A level from `start_ns` until `end_ns`, within power `session` (0, 1...). `waking`: it did not know
    the time since power-up, or was not even lit yet (level 0 before the first edge)."""

    start_ns: int
    end_ns: int
    level: int
    session: int
    waking: bool


@dataclass(frozen=True)
class Run:
    """The light was wrong in a way from `start_ns` for `length_ns`."""

    start_ns: int
    length_ns: int


@dataclass(frozen=True)
class Permit:
    """An override may show its level from `start_ns` until `end_ns`."""

    level: int
    start_ns: int
    end_ns: int


def stretches(edges: Sequence[Edge], power: Sequence[int], clocked: Sequence[int], end_ns: int) -> list[Stretch]:
    """The light while there was power; `power`: when it came, went, came... in ns; `clocked`: when the lamp learnt the
    time, of which the first after a power-up counts."""
    found: list[Stretch] = []
    for session, on_ns in enumerate(power[::2]):
        off_ns = min([*power[2 * session + 1 : 2 * session + 2], end_ns])
        knows_ns = min((at_ns for at_ns in clocked if on_ns <= at_ns < off_ns), default=off_ns)
        levels = [(on_ns, 0)]
        for edge in edges:
            if on_ns <= edge.at_ns < off_ns and (len(levels) == 1 or edge.level != levels[-1][1]):
                levels.append((edge.at_ns, edge.level))
        for (start_ns, level), (stop_ns, _) in zip(levels, [*levels[1:], (off_ns, 0)], strict=True):
            middle_ns = min(max(start_ns, knows_ns), stop_ns)
            pieces = ((start_ns, middle_ns, True), (middle_ns, stop_ns, False))
            found += [Stretch(first, last, level, session, waking) for first, last, waking in pieces if first < last]
    return found


def steps(schedule: object, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """(UTC ms, level from then on) of a schedule without fades; the first one is `start_ms`."""
    found: list[tuple[int, int]] = []
    at_ms = start_ms
    while at_ms < end_ms:
        level = engine.level_at(schedule, at_ms)
        level = DEFAULT_LEVEL if level is None else level
        if not found or found[-1][1] != level:
            found.append((at_ms, level))
        at_ms = engine.next_change_after(schedule, at_ms)
    return found


def judge(
    light: Sequence[Stretch], plan: Sequence[tuple[int, int]], permits: Sequence[Permit], slack_ns: int
) -> tuple[list[Run], list[Run]]:
    """(runs of darkness by night, runs of a level that nobody asked for), however short. `plan`: the schedule's steps
    as (ns, level); a step may come `slack_ns` early or late, and so may an override's end."""
    marks = sorted(
        {at_ns + shift for at_ns, _ in plan for shift in (-slack_ns, slack_ns)}
        | {permit.start_ns for permit in permits}
        | {permit.end_ns + slack_ns for permit in permits}
    )
    dark: list[Run] = []
    wrong: list[Run] = []
    for stretch in light:
        ends = [mark for mark in marks if stretch.start_ns < mark < stretch.end_ns]
        for start_ns, end_ns in zip([stretch.start_ns, *ends], [*ends, stretch.end_ns], strict=True):
            # Between two marks no step comes or goes: the middle stands for all of the piece.
            middle_ns = (start_ns + end_ns) // 2
            wanted = _levels_within(plan, middle_ns - slack_ns, middle_ns + slack_ns)
            allowed = wanted | {
                permit.level for permit in permits if permit.start_ns < end_ns and start_ns < permit.end_ns + slack_ns
            }
            if stretch.waking:
                allowed = allowed | {FAILSAFE_LEVEL}
            if stretch.level == 0 and 0 not in wanted:
                _extend(dark, start_ns, end_ns)
            elif stretch.level not in allowed:
                _extend(wrong, start_ns, end_ns)
    return dark, wrong


def _levels_within(plan: Sequence[tuple[int, int]], first_ns: int, last_ns: int) -> set[int]:
    """Levels that the plan has at some moment from `first_ns` to `last_ns`."""
    ends = [*(at_ns for at_ns, _ in plan[1:]), last_ns + 1]
    return {level for (at_ns, level), end_ns in zip(plan, ends, strict=True) if at_ns <= last_ns and end_ns > first_ns}


def _extend(runs: list[Run], start_ns: int, end_ns: int) -> None:
    """Add a piece, to the run before when it follows at once."""
    if runs and runs[-1].start_ns + runs[-1].length_ns == start_ns:
        runs[-1] = Run(runs[-1].start_ns, runs[-1].length_ns + end_ns - start_ns)
    else:
        runs.append(Run(start_ns, end_ns - start_ns))


def executions(light: Sequence[Stretch], permit: Permit, slack_ns: int) -> int:
    """How often a lamp began an override, by its light. A lamp that had it before a power cut and takes it up again
    goes on with it; near its end (by a clock that is being put right) it may be left and taken up again."""
    count = 0
    begun_in: int | None = None
    before: Stretch | None = None
    for stretch in light:
        entered = stretch.level == permit.level and (
            before is None or before.session != stretch.session or before.level != permit.level
        )
        if entered and stretch.start_ns < permit.end_ns - slack_ns:
            if begun_in is None or begun_in == stretch.session:
                count += 1
            begun_in = stretch.session
        before = stretch
    return count
