"""The heap under load: what collections of garbage cost the light, and what each command costs for ever."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from hil import light
from hil.analysis.trend import trend
from hil.bench import Bench
from hil.checks.common import PATIENCE_S, command, held_up_s, quiet
from hil.edges import EdgeTrace
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample

FREE_MEMORY = "/3/0/10"  # Device, memory free (KB)
KB = 1024
LEVEL = 20
# Modules that are loaded once, tables that fill: what the first commands take is not taken again.
WARM_UP = 200
READINGS = 40

FADE_LEVELS = (10, 100)
FADE_S = 20.0
QUICK_FADE_S = 8.0
MOST_FADES = 5


def heap(bench: Bench, effort: Effort) -> list[Measurement]:
    """One board, one command after the other, an override and its cancellation by turns: free memory against the number
    of commands."""
    board, override = 0, None
    every = max(1, effort.commands // READINGS)
    boots = _read(bench, board, BOOTS)
    counts: list[float] = []
    free: list[float] = []
    begin_ns = time.monotonic_ns()
    done = -WARM_UP
    while done <= effort.commands:
        if done >= 0 and done % every == 0:
            counts.append(float(done))
            free.append(float(_read(bench, board, FREE_MEMORY) * KB))
        override, has_changed = _commanded(bench, board, override)
        if not has_changed:
            break
        done += 1
    passed_s = (time.monotonic_ns() - begin_ns) / 1e9
    facts: dict[str, object] = {"free_bytes": free, "commands_per_s": (done + WARM_UP) / passed_s}
    name, at_ms = bench.stands[board].name, bench.clock.utc_ms(time.monotonic_ns())
    notes = (f"{max(done, 0)} commands on one board",)
    if done <= effort.commands or _read(bench, board, BOOTS) != boots:
        # It does not follow any more, or had to start anew: all that was free is gone.
        lost = (free[0] if free else float(KB)) / (done + WARM_UP + 1)
        facts |= {"ended after": done + WARM_UP, "log": _last_words(bench, board)}
        sample = Sample(max(lost, float(KB)), 0.0, name, at_ms, facts=facts)
        bench.stands[board].power.off()
        bench.stands[board].power.on()
        return [Measurement("heap", of("heap"), (sample,), notes)]
    quiet(bench, {} if override is None else {board: override})
    line = trend(counts, [-bytes_ for bytes_ in free], [KB / 2] * len(free))
    sample = Sample(line.slope, line.uncertainty, name, at_ms, facts=facts)
    return [Measurement("heap", of("heap"), (sample,), notes)]


def _commanded(bench: Bench, board: int, override: int | None) -> tuple[int | None, bool]:
    """Cancels the override, or asks for one when there is none; the override that holds now, and whether the light
    followed."""
    if override is None:
        seen = command(bench, board, LEVEL)
        return seen.override, seen.changed_ns is not None
    asked_ns = light.now_ns(bench)
    bench.desk.cancel(override)
    return None, light.first_change(bench, board, asked_ns, PATIENCE_S) is not None


def _last_words(bench: Bench, board: int) -> str:
    """What the board said last of its starts and its memory."""
    console = bench.stands[board].console
    lines = console.log().splitlines() if console is not None else []
    told = [line for line in lines if "started" in line or "emory" in line or "failed" in line]
    return "\n".join(told[-10:])


def _read(bench: Bench, board: int, path: str) -> int:
    return int(bench.desk.resources(board, path)[path])


BOOTS = "/42769/0/4"  # Lamp status, boot counter


def pauses(bench: Bench, effort: Effort) -> list[Measurement]:
    """Long fades while the lamp is asked without a pause: each of their steps is a sample of how late it was. As many
    as it takes: a busy lamp takes larger steps, and so fewer."""
    board = 0
    fade_s = QUICK_FADE_S if effort.is_quick else FADE_S
    overrides = {board: bench.desk.override(board, FADE_LEVELS[0])}
    light.reached(bench, board, FADE_LEVELS[0] / 100, light.now_ns(bench), PATIENCE_S)
    samples: list[Sample] = []
    asked = 0
    for turn in range(1, MOST_FADES + 1):
        level = FADE_LEVELS[turn % 2]
        overrides[board], found, questions = _fade_amid_questions(bench, board, level, fade_s)
        samples += found
        asked += questions
        if len(samples) >= effort.latency or "never" in found[0].facts:
            break
    quiet(bench, overrides)
    notes = (f"{asked} questions in {turn * fade_s:g} s",)
    return [Measurement("pauses", of("pauses"), tuple(samples), notes)]


def _fade_amid_questions(bench: Bench, board: int, level: int, fade_s: float) -> tuple[int, tuple[Sample, ...], int]:
    """The override, its steps, and how many questions the lamp was asked meanwhile."""
    stop = threading.Event()

    def ask() -> int:
        asked = 0
        while not stop.is_set():
            bench.desk.resources(board, FREE_MEMORY, BOOTS)
            asked += 1
        return asked

    begin_ns = light.now_ns(bench)
    override = bench.desk.override(board, level, fade_s=fade_s)
    began_ns = light.first_change(bench, board, begin_ns, PATIENCE_S)
    with ThreadPoolExecutor(1) as hands:
        asking = hands.submit(ask)
        try:
            if began_ns is not None:
                light.reached(bench, board, level / 100, began_ns, 2 * fade_s + PATIENCE_S)
        finally:
            stop.set()
    return override, late_steps(bench, board, light.levels(bench, board, begin_ns), fade_s), asking.result()


def late_steps(bench: Bench, board: int, seen: EdgeTrace, fade_s: float) -> tuple[Sample, ...]:
    """How long after the ramp was at its level the light got there, for each step; a fade that never came is as late
    as it is long."""
    name, at_ms = bench.stands[board].name, bench.clock.utc_ms(time.monotonic_ns())
    steps = [(at, level) for at, level in zip(seen.t_ns, seen.level, strict=True)][1:]
    if len(steps) < 2:
        return (Sample(fade_s, 0.0, name, at_ms, seen, facts={"never": True}),)
    pace_ns = sorted(later - before for (before, _), (later, _) in pairwise(steps))[len(steps) // 2]
    samples = []
    for (before, _), (later, level) in pairwise(steps):
        late_ns = max(0, later - before - pace_ns)
        marks = {"step before": before, "step": later}
        held_up = held_up_s(bench, board, before, later)
        samples.append(
            Sample(late_ns / 1e9, 2 * seen.uncertainty_ns / 1e9, name, at_ms, seen, marks, {"level": level}, held_up)
        )
    return tuple(samples)
