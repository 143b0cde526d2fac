"""Fades: as long as they were told, in steps too small to see, never turning back."""

import random
import time

from hil import light
from hil.analysis.fade import fade
from hil.bench import Bench
from hil.checks.common import AROUND_NS, a_moment, held_up_s, on_each_board, quiet
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.patience import pause

FADE_S = 6.0
LEVELS = (40, 60)
# Of its own time, beyond it: a fade that is far too long has failed and not gone unseen.
PATIENCE = 2.0
# How late a fade may begin.
START_S = 10.0
REST_NS = 250_000_000


def measure(bench: Bench, effort: Effort) -> list[Measurement]:
    """Up and down by turns, all boards side by side."""
    overrides = {board: bench.desk.override(board, LEVELS[1]) for board in range(len(bench.stands))}
    for board in overrides:
        light.reached(bench, board, LEVELS[1] / 100, light.now_ns(bench), START_S)
    rest()

    def one(board: int, chance: random.Random, turn: int) -> tuple[Sample, Sample]:
        a_moment(chance)
        begin_ns = light.now_ns(bench)
        overrides[board] = bench.desk.override(board, LEVELS[turn % 2], fade_s=FADE_S)
        began_ns = light.first_change(bench, board, begin_ns, START_S)
        if began_ns is not None:
            light.reached(bench, board, LEVELS[turn % 2] / 100, began_ns, FADE_S * PATIENCE)
        # `reached` is content with what nobody sees; the last steps still come.
        rest()
        return faded(bench, board, LEVELS[turn % 2], begin_ns)

    pairs = on_each_board(bench, effort.samples, one)
    quiet(bench, overrides)
    notes = (f"{FADE_S:g} s between {LEVELS[0]} and {LEVELS[1]} %",)
    return [
        Measurement("fade", of("fade"), tuple(pair[0] for pair in pairs), notes),
        Measurement("fade-step", of("fade-step"), tuple(pair[1] for pair in pairs), notes),
    ]


def rest() -> None:
    """Long enough for the last half percent of a fade, and for a trace that begins before the next."""
    pause(time.monotonic_ns() + REST_NS)


def faded(bench: Bench, board: int, level: int, begin_ns: int) -> tuple[Sample, Sample]:
    """How far (%) the fade's duration is from FADE_S, and its largest step or step back (% of full scale).

    One that never began, or did not get to its level, is off by all of its time and of its way.
    """
    seen = light.levels(bench, board, begin_ns - AROUND_NS)
    whole = abs(LEVELS[1] - LEVELS[0])
    name, at_ms = bench.stands[board].name, bench.clock.utc_ms(time.monotonic_ns())
    doubt = light.uncertainty(bench, seen)
    try:
        found = fade(seen, doubt)
    except ValueError as error:
        facts: dict[str, object] = {"never": True, "why": str(error)}
        return Sample(100.0, 0.0, name, at_ms, seen, facts=facts), Sample(float(whole), 0.0, name, at_ms, seen)
    ends_ns = (found.begin_ns, found.end_ns)
    late_ns = sum(bench.stall_ns(board, at_ns - AROUND_NS, at_ns + AROUND_NS) for at_ns in ends_ns)
    duration = Sample(
        value=abs(found.duration_ns / 1e9 - FADE_S) / FADE_S * 100,
        uncertainty=(found.uncertainty_ns + late_ns) / 1e9 / FADE_S * 100,
        board=name,
        at_ms=at_ms,
        trace=seen,
        marks={"begin": found.begin_ns, "end": found.end_ns},
        facts={"to": level, "duration_s": found.duration_ns / 1e9, "steps": found.steps, "r_squared": found.r_squared},
    )
    # What this computer held up came in one step afterwards.
    held_up = held_up_s(bench, board, *found.largest_ns) / FADE_S * whole
    step = Sample(
        value=max(found.largest_step * 100, 0.0 if found.is_monotonic else 100.0),
        uncertainty=2 * doubt * 100,
        board=name,
        at_ms=at_ms,
        trace=seen,
        facts={"monotonic": found.is_monotonic, "deviation_percent": found.deviation * 100},
        # No wait makes a light turn back.
        held_up=held_up if found.is_monotonic else 0.0,
    )
    return duration, step
