"""A bench whose boards are made up, and whose wires can be wrong. It obeys the rules of a real one: a board without
power is dark and offline, a light follows its endpoint's commands while it has power and network, and an instrument
sees what its channel is wired to, on a clock of its own."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, cast

from hil.bench import Bench, Stand
from hil.desk import Desk
from hil.edges import EdgeTrace
from hil.errors import NothingSeen
from hil.seams import BoardFacts, Instant
from hil.street.impairment import Rules

FAILSAFE, STEADY = 1.0, 0.8
APART_NS = 5_000_000_000


@dataclass
class Board:
    """`level` is its light; `is_deaf`: it registers and follows no command; `drop_v`: what its load takes."""

    endpoint: str
    has_power: bool = True
    has_network: bool = True
    level: float = STEADY
    is_deaf: bool = False
    drop_v: float = 0.0
    edges: list[tuple[int, float]] = field(default_factory=list)

    def shine(self, level: float) -> None:
        self.level = level
        self.edges.append((time.monotonic_ns(), level if self.has_power else 0.0))

    def switch(self, is_on: bool) -> None:
        if is_on != self.has_power:
            self.has_power = is_on
            self.shine(FAILSAFE)


class MadeUp:
    """Wiring maps say which board is at the end of each stand's wire; each is the identity on a healthy bench."""

    def __init__(self, boards: int = 3) -> None:
        count = range(boards)
        self.boards = [Board(f"urn:dev:mac:{number:016x}") for number in count]
        for board in self.boards:
            board.shine(STEADY)
        self.power = list(count)
        self.channel: list[int | None] = list(count)
        self.console = list(count)
        self.endpoint = list(count)
        self.stuck_on: set[int] = set()
        self.floating: set[int] = set()
        self.leaking: set[int] = set()
        self.supply_is_dead = False
        self.unsure_ms = 1.0
        self.error: Exception | None = None
        self.traces_until_error = 0
        self.overrides: dict[int, int] = {}
        self.cut: set[int] = set()

    def bench(self) -> Bench:
        stands = tuple(
            Stand(
                name=f"board-{number}",
                endpoint=self.boards[self.endpoint[number]].endpoint,
                power=cast(Any, _Power(self, number)),
                channel=f"ch{number}",
                console=cast(Any, _Console(self, number)),
                supply_channel=f"supply{number}",
                feeder_v=(4.75, 5.25),
            )
            for number in range(len(self.boards))
        )
        return Bench(
            name="made up", is_simulated=False, stands=stands, instrument=cast(Any, _Instrument(self)),
            network=cast(Any, _Network(self)), clock=cast(Any, _Clock(self)), desk=cast(Desk, _Desk(self)),
        )  # fmt: skip


class _Power:
    def __init__(self, made: MadeUp, number: int) -> None:
        self._made, self._number = made, number

    @property
    def _board(self) -> Board:
        return self._made.boards[self._made.power[self._number]]

    def on(self) -> None:
        self._board.switch(True)

    def off(self) -> None:
        if self._number not in self._made.stuck_on:
            self._board.switch(False)

    def voltage_v(self) -> float | None:
        return 5.0 - self._board.drop_v * self._board.level


class _Console:
    def __init__(self, made: MadeUp, number: int) -> None:
        self._made, self._number = made, number

    def describe(self) -> BoardFacts:
        return BoardFacts(self._made.boards[self._made.console[self._number]].endpoint, "b", "m", "f")


class _Instrument:
    """Moments are the host's plus APART_NS."""

    def __init__(self, made: MadeUp) -> None:
        self._made = made

    def start(self) -> None: ...

    def stamp(self, host_ns: int) -> Instant:
        return Instant(host_ns + APART_NS, 0)

    def trace(self, channel: str, since_ns: int) -> EdgeTrace:
        if self._made.error is not None:
            if not self._made.traces_until_error:
                raise self._made.error
            self._made.traces_until_error -= 1
        kind, number = ("supply", channel[6:]) if channel.startswith("supply") else ("light", channel[2:])
        wired = self._made.channel[int(number)]
        if kind == "supply":
            supplied = self._made.boards[self._made.power[int(number)]]
            level = 1.0 if self._made.supply_is_dead else float(supplied.has_power)
            return self._of(channel, [(since_ns - APART_NS, level)], since_ns)
        if wired is None:
            return self._of(channel, [(since_ns - APART_NS, 0.0)], since_ns)
        board = self._made.boards[wired]
        edges = list(board.edges)
        if int(number) in self._made.floating and not board.has_power:
            now_ns = time.monotonic_ns()
            edges += [(at, float(at // 1_000_000 % 2)) for at in range(edges[-1][0] + 1, now_ns, 1_000_000)]
            edges.append((now_ns, 0.0))
        return self._of(channel, edges, since_ns)

    def _of(self, channel: str, edges: list[tuple[int, float]], since_ns: int) -> EdgeTrace:
        moved = [(at + APART_NS, level) for at, level in edges]
        held = [level for at, level in moved if at <= since_ns]
        seen = ([(since_ns, held[-1])] if held else []) + [(at, level) for at, level in moved if at > since_ns]
        return EdgeTrace(channel, tuple(at for at, _ in seen), tuple(level for _, level in seen), 1000, 1000, "made up")

    def wait(self, channel: str, since_ns: int, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for at in self.trace(channel, since_ns).t_ns:
                if at > since_ns:
                    return at
        raise NothingSeen("nothing", "look")


class _Network:
    def __init__(self, made: MadeUp) -> None:
        self._made = made

    def cut(self, board: int) -> None:
        self._made.cut.add(board)
        if board not in self._made.leaking:
            self._made.boards[self._made.endpoint[board]].has_network = False

    def restore(self, board: int) -> None:
        self._made.cut.discard(board)
        self._made.boards[self._made.endpoint[board]].has_network = True

    def impair(self, up: Rules, down: Rules) -> None: ...


class _Clock:
    def __init__(self, made: MadeUp) -> None:
        self._made = made

    def uncertainty_ms(self) -> float:
        return self._made.unsure_ms


class _Desk:
    def __init__(self, made: MadeUp) -> None:
        self._made = made
        self._lock = threading.Lock()

    def is_online(self, board: int) -> bool:
        one = self._made.boards[self._made.endpoint[board]]
        return one.has_power and one.has_network

    def override(self, board: int, level: int, duration_s: int = 3600, fade_s: float = 0.0) -> int:
        one = self._made.boards[self._made.endpoint[board]]
        number = len(self._made.overrides) + 1
        self._made.overrides[number] = board
        if one.has_power and one.has_network and not one.is_deaf:
            one.shine(level / 100)
        return number

    def cancel(self, override: int) -> None:
        del self._made.overrides[override]
