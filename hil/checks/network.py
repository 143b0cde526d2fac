"""The network goes, for as long as the backend gives the lamp up, and comes back."""

import random
import time

from hil.bench import Bench
from hil.checks.common import SETTLE_S, a_moment, held_up_s, on_each_board, settle
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.patience import until

# A lamp that is not back by then has failed.
LOST_S = 120.0
# Beyond its lifetime (LwM2M Core 1.1, 6.2.1) a lamp is offline; the backend grants it some more.
GRACE = 3.0
LOOK_EVERY_S = 0.1
# Nothing hangs on when exactly it went.
GONE_EVERY_S = 0.5


def rejoin(bench: Bench, effort: Effort) -> list[Measurement]:
    """All boards side by side."""
    samples = on_each_board(bench, effort.samples, lambda board, chance, turn: back(bench, board, chance))
    settle(bench)
    return [Measurement("rejoin", of("rejoin"), tuple(samples))]


def back(bench: Bench, board: int, chance: random.Random) -> Sample:
    """From the network's return until the backend has the lamp online again."""
    stand = bench.stands[board]
    lifetime_s = float(bench.desk.lamp(board)["lifetime_s"])
    bench.network.cut(board)
    try:
        until(
            lambda: not bench.desk.is_online(board),
            lifetime_s * GRACE + SETTLE_S,
            f"{stand.name} is offline without its network",
            "see whether the network was cut at all: `streetlight hil doctor`",
            every_s=GONE_EVERY_S,
        )
        a_moment(chance, 5.0)
    finally:
        restored_ns = time.monotonic_ns()
        bench.network.restore(board)
    value = LOST_S
    while time.monotonic_ns() - restored_ns < LOST_S * 1e9:
        asked_ns = time.monotonic_ns()
        if bench.desk.is_online(board):
            value = (time.monotonic_ns() - restored_ns) / 1e9
            break
        a_moment(chance, LOOK_EVERY_S)
    else:
        asked_ns = time.monotonic_ns()
    now_ns = time.monotonic_ns()
    # The backend was asked every now and then: it knew up to one question earlier.
    doubt_s = (now_ns - asked_ns) / 1e9 + LOOK_EVERY_S
    held_up = held_up_s(bench, board, restored_ns, now_ns)
    return Sample(value, doubt_s, stand.name, bench.clock.utc_ms(now_ns), held_up=held_up)
