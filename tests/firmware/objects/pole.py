"""A whole lamp without its network: every object on the real tree, over flash, board and client that obey us."""

from collections import namedtuple
from types import SimpleNamespace

from contract import paths
from contract.paths import Path
from firmware.clock import Clock
from firmware.counters import Counters
from firmware.health import Health
from firmware.identity import Identity
from firmware.lamp import Lamp
from firmware.log import Log
from firmware.lwm2m.errors import LwM2MError
from firmware.lwm2m.node import Change
from firmware.lwm2m.objects import build
from firmware.lwm2m.queue import Queue
from firmware.lwm2m.tree import Tree
from firmware.meter import Meter
from firmware.override import Override
from firmware.program import Program
from firmware.settings import Settings
from firmware.store import Store
from tests.firmware.flash import Flash
from tests.firmware.nights import EVENING, MUNICH
from tests.firmware.test_identity import GOOD

Reading = namedtuple("Reading", "voltage_v current_a power_w power_factor frequency_hz energy_wh")


class Board:
    """The verbs of the hardware seam that objects use."""

    name = "simulated"
    model = "Simulated lamp"

    def __init__(self, lux: float | None) -> None:
        self.ticks = 100_000
        self.light = lux
        self.rssi: int | None = -61
        self.ip: str | None = "192.0.2.7"
        self.heat: float | None = 31.5

    def rtc_ms(self) -> int:
        return self.ticks

    def ticks_ms(self) -> int:
        return self.ticks

    def lux(self) -> float | None:
        return self.light

    def celsius(self) -> float | None:
        return self.heat

    def rssi_dbm(self) -> int | None:
        return self.rssi

    def address(self) -> str | None:
        return self.ip

    def memory(self) -> tuple[int, int]:
        return 61_440, 131_072


class Client:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def disable(self) -> None:
        self.asked.append("disable")

    def trigger_update(self) -> None:
        self.asked.append("update")


class Pole:
    def __init__(self, flash: Flash | None = None, lux: float | None = None, clock: bool = True) -> None:
        self.flash = flash or Flash()
        self.board = Board(lux)
        store = Store("", files=self.flash)
        settings = Settings(store, MUNICH)
        program = Program(settings, store)
        parts = SimpleNamespace(
            store=store,
            settings=settings,
            program=program,
            clock=Clock(),
            board=self.board,
            meter=Meter(store),
            counters=Counters(store, "watchdog"),
            identity=Identity(GOOD),
            log=Log(),
            queue=Queue(store),
            client=Client(),
            restart=lambda: self.client.asked.append("restart"),
            factory_reset=lambda: self.client.asked.append("factory reset"),
        )
        parts.lamp = Lamp(settings, program, Override(settings, store), lambda: parts.meter.lamp_hours)
        parts.health = Health(parts)
        self.parts = parts
        self.client = parts.client
        if clock:
            parts.clock.offer(EVENING, 0, self.board.ticks)
        self.tree = Tree(build(parts))

    def decide(self):
        board = self.board
        return self.parts.lamp.decide(self.parts.clock.trusted_ms(board.ticks), board.ticks, board.light)

    def measure(self, **values: float) -> None:
        reading = Reading(230.5, 0.44, 100.25, 0.97, 50.0, 12.5)._replace(**values)
        self.parts.meter.update(reading, True, self.board.ticks)

    def wait(self, ms: int) -> None:
        self.board.ticks += ms

    def read(self, text: str):
        """One value by path; None where the tree has none."""
        try:
            return self.tree.value(paths.parse(text))
        except LwM2MError as error:
            if error.code == 0x84:
                return None
            raise

    def write(self, values: dict[str, object], kind: str = "write") -> None:
        """One composite request of {path of a resource: value}."""
        changes: dict[tuple[int, int], dict] = {}
        for text, value in values.items():
            path: Path = paths.parse(text)
            changes.setdefault((path.object, path.instance), {})[path.resource] = value
        self.tree.apply([Change(*key, held, kind) for key, held in changes.items()])

    def execute(self, text: str, arguments: str = "") -> None:
        self.tree.execute(paths.parse(text), arguments)
