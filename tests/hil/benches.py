"""A bench whose boards are made up, whose wires can be wrong, and whose time only passes when somebody waits.

It obeys the rules of a real one: a board boots dark, shines at its failsafe level, joins, and then does what the
backend wishes, which is its schedule's level or the newest override's; a backend calls a board online for a while after
it has gone, and what it asked of a board that was away reaches it when it joins. The instrument sees what its channels
are wired to, in levels or in pulses, on a clock of its own.
"""

from dataclasses import dataclass, field
from typing import Any, cast

from hil.bench import Bench, Stand
from hil.desk import Desk
from hil.edges import EdgeTrace
from hil.errors import ConsoleFailed, NetworkFailed, PowerFailed
from hil.seams import BoardFacts, Instant
from hil.street.backend import BackendFailed

MS, SECOND = 1_000_000, 1_000_000_000
BOOT_NS, JOIN_NS, LIFETIME_NS = 1_500 * MS, 6 * SECOND, 20 * SECOND
FAILSAFE, STEADY = 1.0, 0.8
APART_NS = 5 * SECOND
# An open input hears the mains.
HUM_HZ = 50.0


@dataclass
class Board:
    """`wish` is what the backend wants of its light; `edges` what the light did, by host moments."""

    endpoint: str
    wish: float
    hz: float | None = None
    drop_v: float = 0.0
    is_deaf: bool = False
    has_power: bool = True
    has_network: bool = True
    boots_ns: int | None = None
    joins_ns: int | None = None
    left_ns: int | None = None
    edges: list[tuple[int, float]] = field(default_factory=list)

    @property
    def is_joined(self) -> bool:
        return self.has_power and self.has_network and self.boots_ns is None and self.joins_ns is None

    def run(self, now_ns: int) -> None:
        """What was due by now has happened."""
        if self.boots_ns is not None and self.boots_ns <= now_ns:
            self.shine(self.boots_ns, FAILSAFE)
            self.boots_ns = None
        if self.boots_ns is None and self.joins_ns is not None and self.joins_ns <= now_ns:
            at_ns, self.joins_ns, self.left_ns = self.joins_ns, None, None
            self.shine(at_ns, self.wish)

    def shine(self, at_ns: int, level: float) -> None:
        if not self.edges or self.edges[-1][1] != level:
            self.edges.append((at_ns, level))

    def switch(self, now_ns: int, is_on: bool) -> None:
        if is_on == self.has_power:
            return
        self.has_power = is_on
        if is_on:
            self.boots_ns = now_ns + BOOT_NS
            self.joins_ns = self.boots_ns + JOIN_NS if self.has_network else None
        else:
            self.boots_ns = self.joins_ns = None
            self.left_ns = now_ns if self.left_ns is None else self.left_ns
            self.shine(now_ns, 0.0)

    def connect(self, now_ns: int, is_on: bool) -> None:
        if is_on == self.has_network:
            return
        self.has_network = is_on
        self.joins_ns = now_ns + JOIN_NS if is_on and self.has_power else None
        self.left_ns = now_ns if self.left_ns is None else self.left_ns

    def ask(self, now_ns: int, level: float) -> None:
        if not self.is_deaf:
            self.wish = level
            if self.is_joined:
                self.shine(now_ns, level)


class MadeUp:
    """Wiring maps say which board is at the end of each stand's wire; each is the identity on a healthy bench.

    `shared[stand]` is another board that its switch feeds too. `hz`: the dimming outputs pulse, and bench.toml says so.
    `lost` boards do not come back after a cut. `refuses` has (verb, number of the stand, or of the override).
    """

    def __init__(self, boards: int = 3, hz: float | None = None, steady: float = STEADY) -> None:
        count = range(boards)
        self.now = 1000 * SECOND
        self.steady, self.hz = steady, hz
        self.boards = [Board(f"urn:dev:mac:{number:016x}", steady, hz, edges=[(0, steady)]) for number in count]
        self.power = list(count)
        self.channel: list[int | None] = list(count)
        self.supply: list[int | None] = list(count)
        self.console = list(count)
        self.endpoint = list(count)
        self.shared: dict[int, int] = {}
        self.feeder_v = (4.75, 5.25)
        self.stuck_on: set[int] = set()
        self.floating: set[int] = set()
        self.leaking: set[int] = set()
        self.lost: set[int] = set()
        self.has_access_point = False
        self.refusal: Exception = BackendFailed("POST /overrides was refused with 409")
        self.nameless: set[int] = set()
        self.unheard: set[int] = set()
        self.refuses: set[tuple[str, int]] = set()
        self.unsure_ms = 1.0
        self.error: BaseException | None = None
        self.traces = 0
        self.traces_until_error = 0
        self.overrides: dict[int, tuple[int, float]] = {}
        self.asked = 0
        self.cut: set[int] = set()

    def now_ns(self) -> int:
        return self.now

    def pause(self, until_ns: int) -> None:
        self.now = max(self.now, until_ns)
        for board in self.boards:
            board.run(self.now)

    def check(self, verb: str, number: int, error: BaseException) -> None:
        if (verb, number) in self.refuses:
            raise error

    @property
    def is_as_it_was(self) -> bool:
        """Once all had the time to join."""
        self.pause(self.now + 60 * SECOND)
        return not self.overrides and not self.cut and all(
            board.is_joined and board.edges[-1][1] == self.steady for board in self.boards
        )  # fmt: skip

    def bench(self) -> Bench:
        stands = tuple(
            Stand(
                name=f"board-{number}",
                endpoint=self.boards[self.endpoint[number]].endpoint,
                power=cast(Any, _Power(self, number)),
                channel=f"light{number}",
                console=cast(Any, _Console(self, number)),
                supply_channel=None if self.supply[number] is None else f"supply{number}",
                feeder_v=self.feeder_v,
            )
            for number in range(len(self.boards))
        )
        return Bench(
            name="made up", is_simulated=False, stands=stands, instrument=cast(Any, _Instrument(self)),
            network=cast(Any, _Network(self)), clock=cast(Any, _Clock(self)), desk=cast(Desk, _Desk(self)),
            pwm_hz=self.hz,
        )  # fmt: skip


@dataclass
class _Power:
    made: MadeUp
    number: int

    @property
    def _board(self) -> Board:
        return self.made.boards[self.made.power[self.number]]

    @property
    def _fed(self) -> list[Board]:
        return [
            self._board,
            *(self.made.boards[other] for stand, other in self.made.shared.items() if stand == self.number),
        ]

    def on(self) -> None:
        """A relay that sticks refuses when it is open; one that is closed is on."""
        if not self._board.has_power:
            self.made.check("on", self.number, PowerFailed("the relay does not close", "look at it"))
        for board in self._fed:
            board.switch(self.made.now, True)

    def off(self) -> None:
        self.made.check("off", self.number, PowerFailed("there is no such relay", "look at bench.toml"))
        if self.number not in self.made.stuck_on:
            for board in self._fed:
                board.switch(self.made.now, False)

    def voltage_v(self) -> float | None:
        return 5.0 - self._board.drop_v * self._board.edges[-1][1]


@dataclass
class _Console:
    made: MadeUp
    number: int

    def describe(self) -> BoardFacts:
        self.made.check("describe", self.number, ConsoleFailed("it does not answer", "look at its cable"))
        says = "" if self.number in self.made.nameless else self.made.boards[self.made.console[self.number]].endpoint
        return BoardFacts(says, "b", "m", "f")


@dataclass
class _Instrument:
    """Moments are the host's plus APART_NS."""

    made: MadeUp

    def start(self) -> None: ...

    def stamp(self, host_ns: int) -> Instant:
        return Instant(host_ns + APART_NS, 0)

    def trace(self, channel: str, since_ns: int) -> EdgeTrace:
        self.made.traces += 1
        if self.made.error is not None and self.made.traces > self.made.traces_until_error:
            raise self.made.error
        start_ns, end_ns = since_ns - APART_NS, self.made.now
        kind, number = channel[:-1], int(channel[-1])
        wired = (self.made.supply if kind == "supply" else self.made.channel)[number]
        if wired is None:
            seen = [(start_ns, 0.0)]
        elif kind == "supply":
            seen = [(start_ns, float(self.made.boards[wired].has_power))]
        else:
            seen = self._light(number, self.made.boards[wired], start_ns, end_ns)
        return EdgeTrace(
            channel, tuple(at + APART_NS for at, _ in seen), tuple(level for _, level in seen), 8, 8, "made up"
        )

    def _light(self, number: int, board: Board, start_ns: int, end_ns: int) -> list[tuple[int, float]]:
        held = [level for at, level in board.edges if at <= start_ns]
        edges = [(start_ns, held[-1]), *(edge for edge in board.edges if start_ns < edge[0] <= end_ns)]
        if number in self.made.floating and not board.has_power:
            return _pulses(start_ns, end_ns, 0.5, HUM_HZ)
        if board.hz is None:
            return edges
        seen: list[tuple[int, float]] = []
        for (at, level), (until, _) in zip(edges, [*edges[1:], (end_ns, 0.0)], strict=True):
            pulses = _pulses(at, until, level, board.hz) if 0 < level < 1 else [(at, level)]
            seen += pulses[1:] if seen and pulses[0][1] == seen[-1][1] else pulses
        return seen


def _pulses(start_ns: int, end_ns: int, level: float, hz: float) -> list[tuple[int, float]]:
    period = 1e9 / hz
    first = int(start_ns // period)
    seen = [(start_ns, 1.0 if start_ns - first * period < level * period else 0.0)]
    for cycle in range(first, int(end_ns // period) + 1):
        for at, value in ((cycle * period, 1.0), ((cycle + level) * period, 0.0)):
            if start_ns < at < end_ns and seen[-1][1] != value:
                seen.append((round(at), value))
    return seen


@dataclass
class _Network:
    made: MadeUp

    def cut(self, board: int) -> None:
        self.made.check("cut", board, NetworkFailed("the access point is still there", "look at its check"))
        self.made.cut.add(board)
        self._connect()

    def restore(self, board: int) -> None:
        if board in self.made.cut:
            self.made.check("restore", board, NetworkFailed("the access point is not there", "look at it"))
        self.made.cut.discard(board)
        self._connect()

    def _connect(self) -> None:
        """An access point takes the air from all. A board that is lost does not come back."""
        cut = set(range(len(self.made.boards))) if self.made.cut and self.made.has_access_point else self.made.cut
        for stand, at in enumerate(self.made.endpoint):
            board = self.made.boards[at]
            if stand in cut - self.made.leaking:
                board.connect(self.made.now, False)
            elif stand not in self.made.lost:
                board.connect(self.made.now, True)


@dataclass
class _Clock:
    made: MadeUp

    def utc_ms(self, host_ns: int) -> float:
        return host_ns / MS

    def uncertainty_ms(self) -> float:
        return self.made.unsure_ms


@dataclass
class _Desk:
    made: MadeUp

    def is_online(self, board: int) -> bool:
        """A backend learns late that a lamp has gone."""
        one = self.made.boards[self.made.endpoint[board]]
        was_here = one.left_ns is None or self.made.now - one.left_ns < LIFETIME_NS
        return board not in self.made.unheard and (one.is_joined or was_here)

    def override(self, board: int, level: int, duration_s: int = 3600, fade_s: float = 0.0) -> int:
        self.made.check("override", board, self.made.refusal)
        self.made.asked += 1
        self.made.overrides[self.made.asked] = (board, level / 100)
        self._tell(board)
        return self.made.asked

    def cancel(self, override: int) -> None:
        board, _ = self.made.overrides[override]
        self.made.check("cancel", override, BackendFailed("DELETE /overrides was refused with 500"))
        del self.made.overrides[override]
        self._tell(board)

    def _tell(self, board: int) -> None:
        asked = [level for of, level in self.made.overrides.values() if of == board]
        self.made.boards[self.made.endpoint[board]].ask(self.made.now, asked[-1] if asked else self.made.steady)
