"""A bench that is open: its boards and its devices, behind their seams. `hil.bench_file` makes one of bench.toml."""

from collections.abc import Callable
from dataclasses import dataclass

from hil.desk import Desk
from hil.seams import Clock, Console, Instrument, LightSensor, Network, Power


@dataclass(frozen=True)
class Stand:
    """One board and what is wired to it.

    `channel` is the instrument's channel at the dimming output (or, on a luminaire, of the light); `supply_channel`
    the one that sees the board's supply, None when it is not wired. `feeder_v` is the supply's lowest and highest
    voltage, None when nothing measures it.
    """

    name: str
    endpoint: str
    power: Power
    channel: str
    console: Console | None = None
    supply_channel: str | None = None
    feeder_v: tuple[float, float] | None = None


@dataclass(frozen=True)
class Bench:
    """Boards are numbered by their place in `stands`, everywhere. `pwm_hz` is the dimming output's frequency as set;
    None where the instrument sees levels and no pulses. `stall_ns(board, start, end)` is how long this computer may
    have let a board wait in a stretch of host time: 0 when boards have a processor of their own."""

    name: str
    is_simulated: bool
    stands: tuple[Stand, ...]
    instrument: Instrument
    network: Network
    clock: Clock
    desk: Desk
    stall_ns: Callable[[int, int, int], int] = lambda board, start_ns, end_ns: 0
    sensor: LightSensor | None = None
    pwm_hz: float | None = None
