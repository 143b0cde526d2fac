"""What checks share: the work spread over the boards, a command and its light, and the way back to a quiet bench."""

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from hil import light
from hil.bench import Bench, Stand
from hil.errors import NothingSeen
from hil.measurement import Sample
from hil.patience import ADVICE, pause, until
from hil.scene import STEADY_LEVEL
from hil.seams import Instant

Found = TypeVar("Found")

# A lamp that has done nothing for so long has failed; the sample says so with this value.
PATIENCE_S = 30.0
SETTLE_S = 90.0
# Capacitors of a real supply are empty by then.
DARK_NS = 400_000_000
# Neither the level of a scene nor the failsafe level.
OTHER_LEVEL = 30
# Between two commands, so that they meet the lamp at any moment of what it does by itself.
MOST_PAUSE_S = 0.06
# What is shown of a trace before and after what was measured.
AROUND_NS = 50_000_000
NOTE_NS = 200_000_000


def on_each_board(bench: Bench, samples: int, measure: Callable[[int, random.Random, int], Found]) -> list[Found]:
    """`samples` of `measure(board, chance, turn)`, boards side by side, turns of one board in a row."""
    boards = len(bench.stands)

    def turns(board: int) -> list[Found]:
        chance = random.Random(f"bench/{board}")
        return [measure(board, chance, turn) for turn in range(len(range(board, samples, boards)))]

    with ThreadPoolExecutor(boards) as hands:
        return [found for row in hands.map(turns, range(boards)) for found in row]


@dataclass(frozen=True)
class Seen:
    """A command and the first change of the light after it; `changed_ns` (instrument's clock) None: it never came."""

    override: int
    asked: Instant
    handed_ns: int | None
    changed_ns: int | None


def command(bench: Bench, board: int, level: int, patience_s: float = PATIENCE_S) -> Seen:
    """Ask for another level than the light has, and wait for the light."""
    asked_ns = time.monotonic_ns()
    asked = bench.instrument.stamp(asked_ns)
    override = bench.desk.override(board, level)
    changed_ns = light.first_change(bench, board, asked.t_ns, patience_s)
    handed = bench.network.deliveries(board, asked_ns)
    if changed_ns is not None and not handed:
        # The light was quicker than the network's own note of what it had just handed over.
        pause(time.monotonic_ns() + NOTE_NS)
        handed = bench.network.deliveries(board, asked_ns)
    return Seen(override, asked, handed[0] if handed else None, changed_ns)


def sample(
    bench: Bench, board: int, begin: Instant, end_ns: int | None, patience_s: float = PATIENCE_S, **facts: object
) -> Sample:
    """Seconds from `begin` to `end_ns` on the instrument's clock; `patience_s` when it never came (None).

    The uncertainty is what the stamps do not know.
    """
    last_ns = end_ns if end_ns is not None else begin.t_ns + round(patience_s * 1e9)
    shown = light.levels(bench, board, begin.t_ns - AROUND_NS, last_ns + AROUND_NS)
    return Sample(
        value=(last_ns - begin.t_ns) / 1e9,
        uncertainty=(begin.uncertainty_ns + shown.uncertainty_ns) / 1e9,
        board=bench.stands[board].name,
        at_ms=bench.clock.utc_ms(time.monotonic_ns()),
        trace=shown,
        marks={"begin": begin.t_ns, "changed" if end_ns is not None else "gave up": last_ns},
        facts=facts if end_ns is not None else {**facts, "never": True},
        held_up=held_up_s(bench, board, begin.t_ns, last_ns),
    )


def held_up_s(bench: Bench, board: int, start_ns: int, end_ns: int) -> float:
    """Seconds of a stretch for which this computer may have let a board wait: never more than there are. Stamps that
    are not sure may put its end before its start."""
    return max(0, min(bench.stall_ns(board, start_ns, end_ns), end_ns - start_ns)) / 1e9


def a_moment(chance: random.Random, most_s: float = MOST_PAUSE_S) -> None:
    pause(time.monotonic_ns() + round(chance.random() * most_s * 1e9))


def restart(stands: Sequence[Stand]) -> None:
    """Power off and on again, at these boards together."""
    for stand in stands:
        stand.power.off()
    pause(time.monotonic_ns() + DARK_NS)
    for stand in stands:
        stand.power.on()


def settle(bench: Bench, boards: Sequence[int] | None = None) -> None:
    """Wait until the boards are online and hold their schedule; raises NothingSeen for one that does not."""
    for board in range(len(bench.stands)) if boards is None else boards:
        until(
            partial(_is_settled, bench, board),
            SETTLE_S,
            f"{bench.stands[board].name} is online and holds its schedule",
            every_s=0.05,
        )


def _is_settled(bench: Bench, board: int) -> bool:
    return bench.desk.is_online(board) and bool(bench.desk.schedule(board)["status"] == "verified")


def obeyed(bench: Bench) -> None:
    """Wait until every board follows a command, and quiet it again: one that was dark has to join anew, and the backend
    may call it online all the while. Raises NothingSeen for one that does not come."""
    overrides = {board: bench.desk.override(board, OTHER_LEVEL) for board in range(len(bench.stands))}
    for board in overrides:
        if light.reached(bench, board, OTHER_LEVEL / 100, light.now_ns(bench), SETTLE_S) is None:
            name = bench.stands[board].name
            raise NothingSeen(f"{name} follows no command within {SETTLE_S:g} s", ADVICE)
    quiet(bench, overrides)


def quiet(bench: Bench, overrides: dict[int, int]) -> None:
    """End overrides (by board) and wait for the schedule's level; raises NothingSeen when it does not come."""
    for override in overrides.values():
        bench.desk.cancel(override)
    for board in overrides:
        if light.reached(bench, board, STEADY_LEVEL / 100, light.now_ns(bench), PATIENCE_S) is None:
            name = bench.stands[board].name
            raise NothingSeen(
                f"{name} is not back at {STEADY_LEVEL} % within {PATIENCE_S:g} s after its override was cancelled",
                "look at the lamp's log, and at its overrides in the console",
            )
