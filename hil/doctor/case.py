"""What the doctor's examinations share: the bench, its time, and what is known by now. And the doctor's eyes.

Shares of light are means over the time that an instrument watched, so pulses need no frequency: a wrong `pwm_hz` blinds
nobody. Boards are numbered as in `hil.bench.Bench.stands`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hil.analysis.pulses import pulses
from hil.bench import Bench
from hil.edges import EdgeTrace

# Shares of full scale: less is darkness (a boot's flash is more), and less than MOVED is the same light.
DARK = 0.01
MOVED = 0.05


@dataclass(frozen=True)
class Patience:
    """Seconds: for a supply to empty and to fill, for a look at a channel, for a board to boot, to join, to obey."""

    dark: float = 1.0
    look: float = 0.3
    start: float = 5.0
    join: float = 60.0
    follow: float = 5.0


PATIENT = Patience()


@dataclass(frozen=True)
class Sight:
    """What a channel did while it was watched: the share of light, and how often it changed."""

    share: float
    edges: int
    trace: EdgeTrace

    def frequency_hz(self) -> float | None:
        """Of its pulses; None when it was steady. Raises ValueError when they keep no period, or for levels."""
        found = pulses(self.trace) if self.edges else None
        return None if found is None else 1e9 / found.period_ns


@dataclass
class Case:
    """`sound` boards have shown nothing that makes later examinations of them senseless. `by_switch[board]` are other
    boards' channels that its switch moves. `now_ns` and `pause` (until a moment of it) are the host's time."""

    bench: Bench
    patience: Patience
    now_ns: Callable[[], int]
    pause: Callable[[int], None]
    overrides: list[int] = field(default_factory=list)
    sound: set[int] = field(default_factory=set)
    nameless: set[int] = field(default_factory=set)
    offline: set[int] = field(default_factory=set)
    drooping: set[int] = field(default_factory=set)
    by_switch: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sound = set(self.boards)

    @property
    def boards(self) -> range:
        return range(len(self.bench.stands))

    def name(self, *boards: int) -> str:
        return ", ".join(self.bench.stands[board].name for board in boards)

    def wait(self, seconds: float) -> None:
        self.pause(self.now_ns() + round(seconds * 1e9))

    def moment(self) -> int:
        """Now, on the instrument's clock."""
        return self.bench.instrument.stamp(self.now_ns()).t_ns

    def look(self) -> list[Sight]:
        """All channels for a moment."""
        since_ns = self.moment()
        self.wait(self.patience.look)
        return self.seen_since(since_ns)

    def seen_since(self, since_ns: int) -> list[Sight]:
        end_ns = self.moment()
        traces = [self.bench.instrument.trace(stand.channel, since_ns) for stand in self.bench.stands]
        return [_sight(trace.between(since_ns, end_ns), end_ns) for trace in traces]

    def supply(self, board: int) -> float | None:
        """The level of its supply's channel now; None when there is none."""
        channel = self.bench.stands[board].supply_channel
        if channel is None:
            return None
        seen = self.bench.instrument.trace(channel, self.moment())
        return seen.level[-1] if len(seen) else 0.0

    def follow(self, board: int, level: int, patience_s: float, or_another: bool = False) -> bool:
        """Ask a board for a level, 0..100, and wait until its channel has it, or (`or_another`) any comes to it."""
        deadline_ns = self.now_ns() + round(patience_s * 1e9)
        before = self.look()
        self.overrides.append(self.bench.desk.override(board, level))
        while True:
            for other, sight in enumerate(self.look()):
                is_there = abs(sight.share - level / 100) <= MOVED
                has_come = or_another and abs(before[other].share - level / 100) > MOVED
                if is_there and (other == board or has_come):
                    return True
            if self.now_ns() >= deadline_ns:
                return False


def _sight(trace: EdgeTrace, end_ns: int) -> Sight:
    """Of a channel of which nothing at all was seen: darkness."""
    if not len(trace) or end_ns <= trace.t_ns[0]:
        return Sight(0.0, 0, trace)
    ends = (*trace.t_ns[1:], end_ns)
    light = sum(level * (end - at) for at, end, level in zip(trace.t_ns, ends, trace.level, strict=True))
    return Sight(light / (end_ns - trace.t_ns[0]), len(trace) - 1, trace)
