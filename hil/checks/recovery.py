"""Coming back: from a hung program, and from a supply that goes at any moment."""

import random
import time

from hil import light
from hil.bench import Bench
from hil.checks.common import PATIENCE_S, a_moment, on_each_board, quiet, restart, sample, settle
from hil.effort import Effort
from hil.errors import ConsoleFailed
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.scene import STEADY_LEVEL

# Nobody waits longer for a lamp that hangs.
HUNG_S = 20.0
# So many short lives in a row, and a lamp starts in safe mode; one that loses its power begins to count anew.
HANGS_IN_A_ROW = 3
# A command that met a lamp without power comes again by CoAP's back-off (RFC 7252, 4.2): late, and not lost.
LOST_S = 120.0
LEVELS = (20, 60)


def watchdog(bench: Bench, effort: Effort) -> list[Measurement]:
    """All boards side by side: most of the time is the watchdog's patience."""

    def one(board: int, chance: random.Random, turn: int) -> Sample:
        stand = bench.stands[board]
        if stand.console is None:
            raise ConsoleFailed(f"{stand.name} has no console in bench.toml", "give it one, or leave this check out")
        if turn and turn % HANGS_IN_A_ROW == 0:
            restart([stand])
        settle(bench, [board])
        light.reached(bench, board, STEADY_LEVEL / 100, light.now_ns(bench), PATIENCE_S)
        a_moment(chance, 0.5)
        begin = bench.instrument.stamp(time.monotonic_ns())
        stand.console.hang()
        left_ns = light.first_change(bench, board, begin.t_ns, HUNG_S)
        back_ns = None
        if left_ns is not None:
            back_ns = light.reached(bench, board, STEADY_LEVEL / 100, left_ns + 1, HUNG_S)
        found = sample(bench, board, begin, back_ns, HUNG_S)
        if back_ns is None:
            restart([stand])
        return found

    samples = on_each_board(bench, effort.samples, one)
    return [Measurement("watchdog", of("watchdog"), tuple(samples))]


def power_cut(bench: Bench, effort: Effort) -> list[Measurement]:
    """All boards side by side; each sample is a command and a cut (one, a brown-out, or several in a row) around it."""
    overrides: dict[int, int] = {}

    def one(board: int, chance: random.Random, turn: int) -> Sample:
        stand = bench.stands[board]
        held = bench.desk.schedule(board)["sent_at"]
        begin_ns = light.now_ns(bench)
        overrides[board] = bench.desk.override(board, LEVELS[turn % 2])
        a_moment(chance, 0.3)
        kind = chance.choice(("cut", "brown-out", "rapid"))
        for _ in range(chance.randrange(3, 6) if kind == "rapid" else 1):
            stand.power.off()
            a_moment(chance, 0.04 if kind == "brown-out" else 0.4)
            stand.power.on()
            if kind == "rapid":
                a_moment(chance, 0.6)
        back_ns = light.now_ns(bench)
        settle(bench, [board])
        lit_ns = light.reached(bench, board, LEVELS[turn % 2] / 100, light.now_ns(bench), LOST_S)
        lost = []
        if lit_ns is None:
            lost.append("override")
        if bench.desk.schedule(board)["sent_at"] != held:
            lost.append("schedule")
        return Sample(
            value=float(len(lost)),
            board=stand.name,
            at_ms=bench.clock.utc_ms(time.monotonic_ns()),
            trace=light.levels(bench, board, begin_ns),
            marks={"power for good": back_ns},
            facts={"kind": kind, "lost": lost},
        )

    samples = on_each_board(bench, effort.samples, one)
    quiet(bench, overrides)
    return [Measurement("power-cut", of("power-cut"), tuple(samples))]
