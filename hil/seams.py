"""What a check asks of a bench: a few verbs each, with one driver a device in `hil.drivers`.

Moments: a host moment is `time.monotonic_ns()` of this computer; an instrument's moment is its own clock's ns. Only
`Instrument.stamp` leads from one to the other. Every verb raises a `hil.errors.BenchError` when the device fails;
none hides a failure behind a value.
"""

from dataclasses import dataclass
from typing import Protocol

from hil.edges import EdgeTrace
from hil.street.impairment import Rules


@dataclass(frozen=True)
class Instant:
    """A moment on an instrument's clock, true within plus or minus `uncertainty_ns` (95 %)."""

    t_ns: int
    uncertainty_ns: int


@dataclass(frozen=True)
class BoardFacts:
    """Who a board says it is, for the report and against swapped cables. Unknown is an empty text."""

    endpoint: str
    board: str
    micropython: str
    firmware: str


@dataclass(frozen=True)
class Waveform:
    """Light against time, evenly sampled: `level[i]` (0 dark, any linear unit) at `start_ns + i * period_ns`."""

    start_ns: int
    period_ns: float
    level: tuple[float, ...]
    uncertainty: float


class Power(Protocol):
    """The supply of one board."""

    def on(self) -> None: ...

    def off(self) -> None:
        """No goodbye: what a feeder does."""

    def voltage_v(self) -> float | None:
        """The supply as measured now, under load; None when nothing measures it."""

    def close(self) -> None: ...


class Console(Protocol):
    """The USB port of one board."""

    def describe(self) -> BoardFacts:
        """Ask the board who it is. It may be restarted by that: call it before measuring, and let it join again."""

    def hang(self) -> None:
        """Hang the firmware: nothing feeds the watchdog any more, and the pins stay as they are."""

    def log(self) -> str:
        """What the board printed since the last call; empty when nothing listens."""

    def close(self) -> None: ...


class Instrument(Protocol):
    """Stamps the edges of its channels and the host's marks on one clock, from `start` to `close`."""

    def describe(self) -> str:
        """Kind, firmware and serial number, for the report."""

    def start(self) -> None:
        """Begin to watch; earlier edges are forgotten."""

    def stamp(self, host_ns: int) -> Instant:
        """A host moment since `start` on the instrument's clock."""

    def trace(self, channel: str, since_ns: int) -> EdgeTrace:
        """All edges from `since_ns` on (instrument's clock), begun by the level in force then, if it is known.
        Raises TraceOverflow when one is missing, InstrumentReset, InstrumentSilent."""

    def wait(self, channel: str, since_ns: int, timeout_s: float) -> int:
        """The moment of the first edge after `since_ns`; raises NothingSeen after `timeout_s`."""

    def close(self) -> None: ...


class LightSensor(Protocol):
    """A photodiode under one luminaire."""

    def waveform(self, duration_s: float) -> Waveform: ...

    def close(self) -> None: ...


class Network(Protocol):
    """What lies between the boards and the backend. Boards are numbered as in the bench."""

    def cut(self, board: int) -> None:
        """The board has no network (the access point is off, the cable out) until `restore`."""

    def restore(self, board: int) -> None: ...

    def impair(self, up: Rules, down: Rules) -> None:
        """From the next datagram on; `Rules()` is a good network."""

    def inject(self, board: int, data: bytes) -> None:
        """Send a datagram of a stranger to the lamp, as the lamp's own path carries it; it may be empty."""

    def deliveries(self, board: int, since_ns: int) -> list[int]:
        """Host moments at which a datagram was handed over towards the board."""

    def close(self) -> None: ...


class Clock(Protocol):
    """True time: what the lamps' and the backend's clocks are judged by."""

    def utc_ms(self, host_ns: int) -> float: ...

    def host_ns(self, utc_ms: float) -> int: ...

    def uncertainty_ms(self) -> float:
        """Half width (95 %) of `utc_ms` against true UTC."""

    def pass_until(self, utc_ms: float, then_rate: int) -> None:
        """Let time pass for lamps that hear nobody. A simulated clock hurries to get there, and goes on at `then_rate`;
        true time cannot."""
