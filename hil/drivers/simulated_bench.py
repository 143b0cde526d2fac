"""Opens scenes on the simulated bench: for each a street of its own, with its own backend and its own wall clock."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from hil.bench import Bench, Stand
from hil.desk import Desk
from hil.drivers.simulated import (
    INSTRUMENT,
    SimulatedClock,
    SimulatedConsole,
    SimulatedInstrument,
    SimulatedNetwork,
    SimulatedPower,
    channel,
)
from hil.errors import BenchError
from hil.patience import pause, until
from hil.scene import Scene, Traits
from hil.seams import BoardFacts
from hil.street import vm
from hil.street.backend import BackendFailed
from hil.street.rough import RoughStreet
from hil.street.stalls import Stalls
from hil.street.waits import Waits
from hil.street.walltime import WallTime

BOARDS = 8
# 2027-03-10 13:00 in Ho Chi Minh City, an afternoon on which nothing happens.
ANY_TIME_MS = 1_804_658_400_000
# Real seconds between the start of a backend and the moment at which all lamps hold their schedule, at the most.
LEAD_S = 30.0
# So much later is no harm: a check's own first step is further away.
SLACK_S = 20.0
SETTLE_S = 60.0

SETTINGS = {
    "lifetime_s": 20,
    "report_interval_s": 900,
    "registration_jitter_s": 0,
    "default_fade_ms": 0,
    "minimum_level": 0,
}
# So many wakes are the floor: two seconds on a quiet computer.
FLOOR_WAKES = 400
BUSY = "end what else runs on this computer, or ask for fewer boards"


class SimulatedBenches:
    """`directory` keeps what the streets leave behind; `tree`: another firmware/ and contract/ than this product's.

    Raises BenchError when the VM is not installed or the firmware does not compile.
    """

    name = "simulated"

    def __init__(self, directory: Path, boards: int = BOARDS, tree: Path | None = None) -> None:
        self._directory = directory
        self._boards = boards
        self._numbers = itertools.count(1)
        self._streets: list[RoughStreet] = []
        self.traits = Traits(is_simulated=True, boards=boards, has_consoles=True)
        self.stalls = Stalls()
        try:
            self._image = vm.build_image(directory, tree)
            self.facts = BoardFacts(
                endpoint="",
                board="simulated luminaire on the MicroPython VM",
                micropython=vm.version(),
                firmware=self.firmware_sha256()[:16],
            )
        except vm.MissingVm as error:
            raise BenchError(str(error), vm.ADVICE) from error

    def start(self) -> None:
        """Begin to watch how late this computer is, and wait until that says something."""
        self.stalls.start()
        until(lambda: self.stalls.wakes >= FLOOR_WAKES, SETTLE_S, "the VM wakes up", BUSY)
        self._floor_s = self.stalls.floor().p99_ms / 1000

    def describe(self) -> str:
        return INSTRUMENT

    def boards(self) -> tuple[tuple[str, BoardFacts], ...]:
        return tuple((channel(number), self.facts) for number in range(self._boards))

    def firmware_sha256(self) -> str:
        return sha256(self._image.read_bytes()).hexdigest()

    def jitter_floor_s(self) -> float | None:
        return self._floor_s

    def close(self) -> None:
        """Ends the streets too that somebody broke off."""
        for street in list(self._streets):
            street.close()
        self.stalls.close()

    @contextmanager
    def open(self, scene: Scene, is_settled: bool = True) -> Iterator[Bench]:
        """A street that stands as the scene wants it, all lamps registered and verified: there is no other here.
        Raises BenchError."""
        start_ms = ANY_TIME_MS
        if scene.start is not None:
            start_ms = round(scene.start.replace(tzinfo=ZoneInfo(scene.time_zone)).timestamp() * 1000)
        lead_ms = 0 if scene.start is None else round(LEAD_S * 1000) * scene.rate
        wall = WallTime.starting(start_ms - lead_ms, scene.rate)
        boards = min(self._boards, scene.boards or self._boards)
        street = RoughStreet(
            self._directory / f"scene-{next(self._numbers)}",
            boards,
            wall,
            seed=1,
            settings=SETTINGS,
            physics=[dict(scene.physics)] * boards,
            image=self._image,
            time_zone=scene.time_zone,
        )
        self._streets.append(street)
        waits = Waits(street.lamps)
        try:
            self._settle(street, scene)
            waits.start()
            if scene.start is not None:
                if wall.now_ms() > start_ms + SLACK_S * 1000 * scene.rate:
                    raise BenchError(f"{boards} lamps were not there within {LEAD_S + SLACK_S:.0f} s", BUSY)
                pause(wall.monotonic_ns(start_ms))
            yield self._bench(street, wall, waits)
        finally:
            waits.close()
            street.close()
            self._streets.remove(street)

    def _settle(self, street: RoughStreet, scene: Scene) -> None:
        try:
            street.open(scene.schedule)
            street.power_on(*range(len(street.lamps)))
            street.settle(SETTLE_S)
        except BackendFailed as error:
            raise BenchError(str(error), BUSY) from error

    def _bench(self, street: RoughStreet, wall: WallTime, waits: Waits) -> Bench:
        def stall_ns(board: int, start_ns: int, end_ns: int) -> int:
            """A late wake of all, and the lamp's own wait for its turn."""
            return self.stalls.worst_ns(start_ns, end_ns) + waits.waited_ns(board, start_ns, end_ns)

        stands = tuple(
            Stand(
                name=channel(number),
                endpoint=pole.endpoint,
                power=SimulatedPower(street, number),
                channel=channel(number),
                console=SimulatedConsole(street.lamps[number], self.facts),
            )
            for number, pole in enumerate(street.poles)
        )
        return Bench(
            name=self.name,
            is_simulated=True,
            stands=stands,
            instrument=SimulatedInstrument(street),
            network=SimulatedNetwork(street),
            clock=SimulatedClock(wall, street.lamps),
            desk=Desk(street.api, street.ids),
            stall_ns=stall_ns,
        )
