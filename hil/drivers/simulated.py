"""The simulated bench: true lamps on the MicroPython VM behind the seams of a real one.

Power is SIGKILL and a new process, the network is the impairment proxy, and edges are those of the simulated board's
trace, which is stamped by the VM on the host's CLOCK_MONOTONIC: instrument and host share one clock.
"""

import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path

from hil.edges import EdgeTrace
from hil.errors import NothingSeen
from hil.patience import ADVICE, pause
from hil.seams import BoardFacts, Instant
from hil.street import trace
from hil.street.impairment import Rules
from hil.street.lamp import Lamp
from hil.street.rough import RoughStreet
from hil.street.walltime import WallTime

INSTRUMENT = "edge trace of the simulated board, on this computer's CLOCK_MONOTONIC"
RESOLUTION_NS = 1000  # ticks_us of the VM
# The VM stamps an edge right before it writes the line; between the two steps of its ticks nothing else happens.
UNCERTAINTY_NS = 50_000
LOOK_EVERY_S = 0.002

# While nothing is due the RTC of lamps that are alone runs FAST. A lamp looks at its conditions four times
# a second, and has to know before a rate begins.
FAST = 4000
NOTICE_NS = 1_500_000_000


class SimulatedPower:
    def __init__(self, street: RoughStreet, number: int) -> None:
        self._street = street
        self._number = number

    def on(self) -> None:
        self._street.power_on(self._number)

    def off(self) -> None:
        self._street.power_off(self._number)

    def voltage_v(self) -> float | None:
        return None

    def close(self) -> None:
        self._street.power_off(self._number)


class SimulatedConsole:
    """`facts` are those of the image that all lamps share."""

    def __init__(self, lamp: Lamp, facts: BoardFacts) -> None:
        self._lamp = lamp
        self._facts = facts
        self._read = 0
        self._hangs = 0

    def describe(self) -> BoardFacts:
        return self._facts

    def hang(self) -> None:
        self._hangs += 1
        self._lamp.simulate(hangs=self._hangs)

    def log(self) -> str:
        text = self._lamp.log()
        fresh, self._read = text[self._read :], len(text)
        return fresh

    def close(self) -> None:
        pass


class SimulatedInstrument:
    """Channel n ("lamp-n") is the dimming output behind the relay of lamp n; without power it is dark."""

    def __init__(self, street: RoughStreet) -> None:
        self._street = street
        self._files = {channel(n): _TraceFile(lamp.trace_file) for n, lamp in enumerate(street.lamps)}
        self._numbers = {channel(n): n for n in range(len(street.lamps))}

    def describe(self) -> str:
        return INSTRUMENT

    def start(self) -> None:
        pass

    def stamp(self, host_ns: int) -> Instant:
        return Instant(host_ns, 0)

    def trace(self, channel: str, since_ns: int) -> EdgeTrace:
        times, levels = [], []
        held = 0.0 if self._street.power[self._numbers[channel]] else None
        for at_ns, level in self._since(channel, since_ns):
            if at_ns < since_ns:
                held = level
            else:
                times.append(at_ns)
                levels.append(level)
        if held is not None and times[:1] != [since_ns]:
            times.insert(0, since_ns)
            levels.insert(0, held)
        source = f"simulated board, {channel}"
        return EdgeTrace(channel, tuple(times), tuple(levels), RESOLUTION_NS, UNCERTAINTY_NS, source)

    def wait(self, channel: str, since_ns: int, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        while True:
            for at_ns, _ in self._since(channel, since_ns):
                if at_ns > since_ns:
                    return at_ns
            if time.monotonic() > deadline:
                raise NothingSeen(f"{channel} did not change within {timeout_s:g} s", ADVICE)
            time.sleep(LOOK_EVERY_S)

    def _since(self, channel: str, since_ns: int) -> list[tuple[int, float]]:
        """All edges from a moment on, and the last one before it, cuts of the power among them."""
        edges = self._files[channel].edges()
        first = max(0, bisect_left(edges, since_ns, key=lambda edge: edge.at_ns) - 1)
        seen = [(edge.at_ns, edge.permille / 1000 if edge.closed else 0.0) for edge in edges[first:]]
        cuts = self._street.power[self._numbers[channel]][1::2]
        first = max(0, bisect_left(cuts, since_ns) - 1)
        return sorted(seen + [(at_ns, 0.0) for at_ns in cuts[first:]])

    def close(self) -> None:
        pass


class SimulatedNetwork:
    def __init__(self, street: RoughStreet) -> None:
        self._street = street

    def cut(self, board: int) -> None:
        self._street.lamps[board].simulate(network=False)

    def restore(self, board: int) -> None:
        self._street.lamps[board].simulate(network=True)

    def impair(self, up: Rules, down: Rules) -> None:
        self._street.network.set_rules(up, down)

    def inject(self, board: int, data: bytes) -> None:
        self._street.network.inject(board, data)

    def deliveries(self, board: int, since_ns: int) -> list[int]:
        return self._street.network.passages(board).handed_since(since_ns)

    def close(self) -> None:
        pass


class SimulatedClock:
    """True time is what `wall` says, until `pass_until` makes the RTC of all lamps run fast for a while."""

    def __init__(self, wall: WallTime, lamps: Sequence[Lamp]) -> None:
        self._pieces = [wall]
        self._lamps = lamps

    def utc_ms(self, host_ns: int) -> float:
        piece = self._piece([piece.anchor_ns for piece in self._pieces], host_ns)
        return piece.anchor_utc_ms + (host_ns - piece.anchor_ns) * piece.rate / 1e6

    def host_ns(self, utc_ms: float) -> int:
        piece = self._piece([piece.anchor_utc_ms for piece in self._pieces], utc_ms)
        return piece.anchor_ns + round((utc_ms - piece.anchor_utc_ms) * 1e6 / piece.rate)

    def uncertainty_ms(self) -> float:
        return 0.0

    def pass_until(self, utc_ms: float, then_rate: int) -> None:
        begin_ns = time.monotonic_ns() // 1000 * 1000 + NOTICE_NS
        if utc_ms > self.utc_ms(begin_ns):
            self._pieces.append(WallTime(begin_ns, round(self.utc_ms(begin_ns)), FAST))
            end_ns = self.host_ns(utc_ms) // 1000 * 1000
            self._pieces.append(WallTime(end_ns, round(self.utc_ms(end_ns)), then_rate))
            plan = [(piece.anchor_ns // 1000, piece.rate) for piece in self._pieces[1:]]
            for lamp in self._lamps:
                lamp.simulate(rtc_plan=plan)
        pause(self.host_ns(utc_ms))

    def _piece(self, begins: list[int], moment: float) -> WallTime:
        return self._pieces[max(0, bisect_right(begins, moment) - 1)]


def channel(number: int) -> str:
    return f"lamp-{number}"


class _TraceFile:
    """The edges of a file that grows; only its new part is read each time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._edges: list[trace.Edge] = []
        self._read = 0
        self._lock = threading.Lock()

    def edges(self) -> list[trace.Edge]:
        with self._lock:
            try:
                with self._path.open("rb") as file:
                    file.seek(self._read)
                    fresh = file.read()
            except FileNotFoundError:
                return []
            whole = fresh[: fresh.rfind(b"\n") + 1]
            self._edges += trace.parse(whole.decode("ascii"))
            self._read += len(whole)
            return self._edges
