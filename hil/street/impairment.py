"""The network between lamps and backend at its worst: it loses, doubles, delays, reorders and harms datagrams, falls
silent, and moves every lamp to a new port, as a NAT does that forgets.

`fate` decides, as a pure function of the seed, the rules, the number of the datagram and the time; `Impairment` only
carries it out, for many lamps in one thread. Each lamp has a port of its own to send to, so that nothing needs to be
known about the datagrams. Everything is bounded: what does not fit is dropped and counted.
"""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import NamedTuple

from hil.street.passages import Passages

LARGEST = 65_535
# Datagrams on their way at any time; a street of 50 lamps in a storm has some hundred.
MOST_WAITING = 4096
# Taken from one socket before the others have their turn: a flood at one port is no silence at the others.
TURN = 32
# A truncated datagram instead of a flipped bit, of those that are harmed.
TRUNCATED = 0.25

Address = tuple[str, int]


@dataclass(frozen=True)
class Rules:
    """What happens to the datagrams of one direction; shares are 0..1, times are ms. The default harms nothing.

    Every datagram takes `delay_ms` and up to `jitter_ms` more; one that is reordered takes up to `late_ms` on top, so
    that others overtake it. In a window of `blackouts` (start, end in the network's own time) nothing passes.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    reorder: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    late_ms: float = 300.0
    blackouts: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "blackouts":
                if any(start > end for start, end in value):
                    raise ValueError("a blackout ends before it starts: give (start_ms, end_ms)")
            elif not 0 <= value <= (60_000 if one.name.endswith("_ms") else 1):
                raise ValueError(f"{one.name} is {value}: shares are 0 to 1, times 0 to 60000 ms")


class Fate(NamedTuple):
    """Copies of a datagram, each with the ms after which it arrives, and what was done to it, in words to count."""

    copies: tuple[tuple[float, bytes], ...]
    deeds: tuple[str, ...]


def fate(seed: str, rules: Rules, index: int, data: bytes, now_ms: float) -> Fate:
    """What becomes of datagram `index` (of its lamp and direction, which `seed` names) that comes at `now_ms`.

    The draws do not depend on the rules: with a second rule the first one still hits the same datagrams.
    """
    if any(start <= now_ms < end for start, end in rules.blackouts):
        return Fate((), ("blackout",))
    draw = Random(f"{seed}/{index}")
    dropped, doubled, harmed, late = (draw.random() for _ in range(4))
    if dropped < rules.drop:
        return Fate((), ("dropped",))
    deeds = ["passed"]
    first_ms = rules.delay_ms + rules.jitter_ms * draw.random()
    second_ms = rules.delay_ms + rules.jitter_ms * draw.random() + rules.late_ms * draw.random()
    if late < rules.reorder:
        first_ms += rules.late_ms * draw.random()
        deeds.append("reordered")
    copies = [(first_ms, data)]
    if doubled < rules.duplicate:
        copies.append((second_ms, data))
        deeds.append("duplicated")
    if harmed < rules.corrupt and data:
        copies[0] = (first_ms, _harm(data, draw))
        deeds.append("corrupted")
    return Fate(tuple(copies), tuple(deeds))


def _harm(data: bytes, draw: Random) -> bytes:
    """One bit flipped, or the end missing."""
    place = draw.randrange(len(data))
    if draw.random() < TRUNCATED:
        return data[:place]
    return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]


def mapping(seed: int, lamp: int, rebind_ms: float, now_ms: float) -> int:
    """Number of the address mapping that a lamp has at `now_ms`: another one each `rebind_ms` (0: never), with a phase
    of its own for each lamp."""
    if not rebind_ms:
        return 0
    return int((now_ms + Random(f"{seed}/{lamp}/mapping").random() * rebind_ms) // rebind_ms)


class _Way:
    """One lamp's two sockets: `front`, which the lamp knows, and `behind`, which the backend sees."""

    def __init__(self, lamp: int, address: Address) -> None:
        self.lamp = lamp
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.setblocking(False)
        try:
            self.front.bind(address)
        except OSError:
            self.front.close()
            raise
        self.behind: socket.socket | None = None
        self.mapping = 0
        self.lamp_address: Address | None = None
        self.index = {"up": 0, "down": 0}
        self.passages = Passages()


class Impairment:
    """The network for `lamps` lamps in front of `server`; lamp n sends to `host`:`ports[n]`.

    Runs in a thread from `start` to `close`. Its time starts at 0 with `start`. `up` is from lamp to backend.
    `ports` left out, or 0 in it: any that is free. Raises OSError when one is taken, or `host` is no address of this
    computer.
    """

    def __init__(
        self,
        server: Address,
        lamps: int,
        seed: int,
        rebind_ms: float = 0,
        host: str = "127.0.0.1",
        ports: Sequence[int] = (),
    ) -> None:
        self._server = server
        self._seed = seed
        self._rebind_ms = rebind_ms
        self._rules: dict[str, Rules] = {"up": Rules(), "down": Rules()}
        self._ways: list[_Way] = []
        try:
            for lamp, port in zip(range(lamps), ports or (0,) * lamps, strict=True):
                self._ways.append(_Way(lamp, (host, port)))
        except OSError:
            for way in self._ways:
                way.front.close()
            raise
        self.ports: list[int] = [way.front.getsockname()[1] for way in self._ways]
        self._counters: Counter[str] = Counter()
        self._blackouts: dict[int, list[tuple[float, float]]] = {}
        self._waiting = 0
        self._begun_ns = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._begun_ns = time.monotonic_ns()
        self._thread.start()

    def close(self) -> None:
        """Idempotent; what is still on its way is lost."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        for way in self._ways:
            way.front.close()
            if way.behind is not None:
                way.behind.close()
        self._loop.close()

    def now_ms(self) -> float:
        return (time.monotonic_ns() - self._begun_ns) / 1e6

    def set_rules(self, up: Rules, down: Rules | None = None) -> None:
        """From the next datagram on; `down` left out: as `up`."""
        self._rules = {"up": up, "down": up if down is None else down}

    def black_out(self, lamps: Sequence[int], for_ms: float) -> None:
        """Nothing passes to and from these lamps from now on, for `for_ms`."""
        now_ms = self.now_ms()
        for lamp in lamps:
            ahead = [window for window in self._blackouts.get(lamp, []) if window[1] > now_ms]
            self._blackouts[lamp] = [*ahead, (now_ms, now_ms + for_ms)]

    def lift_blackout(self, lamps: Sequence[int]) -> None:
        """These lamps have their network again, whatever `black_out` said before."""
        for lamp in lamps:
            self._blackouts.pop(lamp, None)

    def lamp_address(self, lamp: int) -> Address | None:
        """Where the lamp was heard last; None before it ever was."""
        return self._ways[lamp].lamp_address

    def inject(self, lamp: int, data: bytes) -> None:
        """Send a stranger's datagram to where the lamp was heard last, from the only address that a NAT in between
        lets through; it may be empty. No rule applies to it, and it is not among the passages. From any thread.

        Raises LookupError when the lamp was never heard, OSError when the datagram cannot be sent.
        """
        way = self._ways[lamp]
        address = way.lamp_address
        if address is None:
            raise LookupError(f"lamp {lamp} was never heard: nobody knows its address")
        way.front.sendto(data, address)

    def passages(self, lamp: int) -> Passages:
        """What came through of this lamp, and what was lost."""
        return self._ways[lamp].passages

    def counters(self) -> dict[str, int]:
        """What was done so far: `up passed`, `down dropped`, `rebound`, `overflowed` ..."""
        return dict(sorted(self._counters.items()))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for way in self._ways:
            self._loop.add_reader(way.front, self._from_lamp, way)
        self._loop.run_forever()

    def _from_lamp(self, way: _Way) -> None:
        for _ in range(TURN):
            try:
                data, way.lamp_address = way.front.recvfrom(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # the echo of a datagram to a lamp that has no power
            self._carry(way, "up", data)

    def _from_backend(self, way: _Way, behind: socket.socket) -> None:
        for _ in range(TURN):
            try:
                data = behind.recv(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # the echo of a datagram to a backend that is down
            self._renew(way)
            if way.behind is not behind:
                self._counters["down to a mapping that is gone"] += 1
                way.passages.lost(time.monotonic_ns())
                return
            self._carry(way, "down", data)

    def _carry(self, way: _Way, direction: str, data: bytes) -> None:
        rules, now_ms = self._rules[direction], self.now_ms()
        if any(start <= now_ms < end for start, end in self._blackouts.get(way.lamp, ())):
            self._counters[f"{direction} blackout"] += 1
            way.passages.lost(time.monotonic_ns())
            return
        way.index[direction] += 1
        found = fate(f"{self._seed}/{way.lamp}/{direction}", rules, way.index[direction], data, now_ms)
        self._counters.update(f"{direction} {deed}" for deed in found.deeds)
        copies = [(delay_ms, copy, copy == data) for delay_ms, copy in found.copies]
        if not any(is_whole for _, _, is_whole in copies):
            way.passages.lost(time.monotonic_ns())
        for delay_ms, copy, is_whole in copies:
            if self._waiting >= MOST_WAITING:
                self._counters["overflowed"] += 1
                way.passages.lost(time.monotonic_ns())
                continue
            self._waiting += 1
            self._loop.call_later(delay_ms / 1000, self._arrive, way, direction, copy, is_whole)

    def _arrive(self, way: _Way, direction: str, data: bytes, is_whole: bool) -> None:
        self._waiting -= 1
        try:
            if direction == "up":
                self._renew(way)
                assert way.behind is not None
                way.behind.send(data)
                if is_whole:
                    way.passages.delivered(data, time.monotonic_ns())
            elif way.lamp_address is not None:
                now_ns = time.monotonic_ns()
                way.front.sendto(data, way.lamp_address)
                if is_whole:
                    way.passages.handed(now_ns)
        except OSError:
            self._counters[f"{direction} to nobody"] += 1
            way.passages.lost(time.monotonic_ns())

    def _renew(self, way: _Way) -> None:
        """Give the lamp a new address when it is time; the old one is gone for good."""
        number = mapping(self._seed, way.lamp, self._rebind_ms, self.now_ms())
        if way.behind is not None:
            if number == way.mapping:
                return
            self._loop.remove_reader(way.behind)
            way.behind.close()
            self._counters["rebound"] += 1
            way.passages.lost(time.monotonic_ns())  # what is on its way to the old one
        way.mapping = number
        behind = way.behind = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        behind.setblocking(False)
        behind.connect(self._server)
        self._loop.add_reader(behind, self._from_backend, way, behind)
