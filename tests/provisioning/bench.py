"""A bench for procedures: a board in memory that obeys NOR flash and boots what it holds, a backend, and a cable.

`Cable.cut_after` pulls the plug: that operation of the board happens by half, and every later one fails until the next
run. Nothing here is a simulation of protocols; `tests.provisioning.board` is.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from provisioning import chips, filesystem, identity, nvs, partitions, procedure, self_test
from provisioning.base_image import Segment
from provisioning.chips import Found
from provisioning.enrolment import Known, Order, Outcome
from provisioning.errors import Failure
from provisioning.firmware_files import Firmware
from provisioning.journal import Journal
from provisioning.plate import Plate
from provisioning.station import Progress, Station, Tools
from tests.provisioning import bases

MAC = bytes.fromhex("240ac400beef")
PLATE = Plate("LAMP-7", "SN-7", "", {"latitude": 10.7626, "longitude": 106.6602, "time_zone": "Asia/Ho_Chi_Minh"})
REST = {
    "server_host": "lights.example",
    "server_port": 5683,
    "wifi_ssid": "street",
    "wifi_password": "of lamps and lanes",
    "settings": {"safety_floor": 30},
}
FIRMWARE = Firmware({"main.py": b"print('lamp')\n", "firmware/app.mpy": b"M\x06\x00\x1f" + bytes(9000)}, None, 6)


class Cable:
    """Counts what the board is asked to do; `cut_after` operations the plug is pulled."""

    def __init__(self) -> None:
        self.count = 0
        self.cut_after: int | None = None

    def use(self) -> bool:
        """False: this very operation happens by half. Raises Failure `unplugged` after that."""
        self.count += 1
        if self.cut_after is None or self.count <= self.cut_after:
            return True
        if self.count == self.cut_after + 1:
            return False
        raise Failure("unplugged", "the plug is out")

    def plug(self) -> None:
        self.cut_after = None
        self.count = 0


class Board:
    """A chip with its flash. `tells` overrides what the self-test script would print."""

    def __init__(self, chip: str = "esp32", flash_bytes: int = 4 * chips.MIB) -> None:
        self.found = Found(chips.get(chip), MAC, flash_bytes)
        self.flash = bytearray(b"\xff" * flash_bytes)
        self.cable = Cable()
        self.tells: dict[str, Any] = {}
        self.mpy = 6
        self.rots = False
        self.boots = 0
        self.restarts = 0

    # the loader
    def open_chip(self) -> "Board":
        if not self.cable.use():
            raise Failure("unplugged", "the plug is out")
        return self

    def read(self, address: int, size: int, progress: Progress | None = None) -> bytes:
        self._use()
        return bytes(self.flash[address : address + size])

    def erase(self, address: int, size: int) -> None:
        assert address % 4096 == 0
        assert size % 4096 == 0
        whole = self.cable.use()
        size = size if whole else size // 8192 * 4096
        self.flash[address : address + size] = b"\xff" * size
        self._pulled(whole)

    def write(self, segments: tuple[Segment, ...], progress: Progress | None = None) -> None:
        for part in segments:
            whole = self.cable.use()
            data = part.data if whole else part.data[: len(part.data) // 2 + 1]
            first, last = part.address // 4096 * 4096, -(-(part.address + len(data)) // 4096) * 4096
            self.flash[first:last] = b"\xff" * (last - first)
            there = self.flash[part.address : part.address + len(data)]
            kept = int.from_bytes(there, "big") & int.from_bytes(data, "big")
            self.flash[part.address : part.address + len(data)] = kept.to_bytes(len(data), "big")
            if self.rots and part.name == "files":
                self.flash[part.address + 100] ^= 1
            self._pulled(whole)

    def md5(self, address: int, size: int) -> str:
        self._use()
        return hashlib.md5(self.flash[address : address + size]).hexdigest()

    def reset(self) -> None:
        self._use()

    def close(self) -> None: ...

    # the prompt
    def open_prompt(self) -> "Board":
        self._use()
        try:
            self.files()
        except (Failure, ValueError) as error:
            raise Failure("no_boot", str(error)) from None
        self.boots += 1
        return self

    def ask(self, code: str, timeout_s: float = 30.0) -> Any:
        if code == procedure.HELLO:
            self._use()
            return [self.mpy, "1.29.0"]
        if code == procedure.SEAL:
            whole = self.cable.use()
            self._seal()
            self._pulled(whole)
            return 1
        self._use()
        held = self.identity()
        told: dict[str, Any] = {
            "word": 4, "mpy": 6, "free": 60_000, "mac": MAC.hex(), "air": [["street", -60], ["next door", -70]],
            "flash": [300, 1_500_000], "celsius": 31.5, "lux": None, "sweep": [None] * 4, "relay": [None, None],
            "who": [held.endpoint, held.sender_id.hex()] if held else None,
        }  # fmt: skip
        return json.loads(json.dumps({**told, **self.tells}))

    def hash_files(self, paths: tuple[str, ...]) -> dict[str, str]:
        self._use()
        held = self.files()
        return {path: hashlib.sha256(held[path]).hexdigest() if path in held else "" for path in paths}

    def restart(self) -> None:
        self._use()
        self.restarts += 1

    # what it holds
    def rows(self) -> tuple[partitions.Partition, ...]:
        return partitions.parse(bytes(self.flash[0x8000:0x9000]))

    def files(self) -> dict[str, bytes]:
        place = partitions.files(self.rows())
        assert place is not None
        return filesystem.read(bytes(self.flash[place.offset : place.end]))

    def entries(self) -> dict[nvs.Key, nvs.Value]:
        place = partitions.nvs(self.rows())
        assert place is not None
        return nvs.parse(bytes(self.flash[place.offset : place.end]))

    def identity(self) -> identity.Drawn | None:
        document = self.entries().get(identity.NVS_IDENTITY)
        return identity.parse(document) if isinstance(document, bytes) else None

    @property
    def is_sealed(self) -> bool:
        return self.entries().get(identity.NVS_SEALED) == 1

    def put(self, entries: dict[nvs.Key, nvs.Value]) -> None:
        self.flash[0x9000:0xF000] = nvs.build(entries, 0x6000)

    def _seal(self) -> None:
        self.put({**self.entries(), identity.NVS_SEALED: 1})

    def _use(self) -> None:
        self._pulled(self.cable.use())

    def _pulled(self, whole: bool) -> None:
        if not whole:
            raise Failure("unplugged", "the plug is out")


class City:
    """A backend that follows the rules of POST /enrolments; `loses` answers after it did the work."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[bytes, bytes, bytes]] = {}
        self.taken: list[tuple[bytes, bytes, bytes]] = []
        self.orders: list[Order] = []
        self.facts: dict[str, Any] = {}
        self.loses = 0
        self.refuses: Failure | None = None

    def enrol(self, order: Order) -> Outcome:
        if self.refuses is not None:
            raise self.refuses
        keys = (order.sender_id, bytes(order.secret), bytes(order.salt))
        held = self.keys.get(order.endpoint)
        if held not in (None, keys) and not order.replace:
            raise Failure("lamp_known", order.endpoint)
        if held != keys:
            self.taken.append(keys)
        self.keys[order.endpoint] = keys
        self.orders.append(order)
        self.facts = dict(order.facts)
        if self.loses:
            self.loses -= 1
            raise Failure("backend_slow", "no answer")
        return Outcome("unchanged" if held == keys else "enrolled", order.endpoint, 1)

    def find(self, endpoint: str) -> Known | None:
        return Known(1, endpoint, "LAMP-7", "enrolled") if endpoint in self.keys else None


class Shown:
    """A screen that keeps what it was shown."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.failures: list[tuple[str, Failure]] = []

    def step(self, step: str, state: str, done_bytes: int = 0, total: int = 0, **facts: Any) -> None:
        if state == "done":
            self.steps.append(step)

    def failed(self, step: str, failure: Failure) -> None:
        self.failures.append((step, failure))

    def close(self) -> None: ...


class Bench:
    """A table with a board, a computer with its journal, and the city."""

    def __init__(self, folder: Path, board: Board | None = None) -> None:
        self.board = board or Board()
        self.city = City()
        folder.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(folder, "tester", lambda: 1_795_000_000_000)
        self.shown = Shown()
        self.backups: list[bytes] = []
        self.labels: list[tuple[str, str, str]] = []
        self.plate = PLATE
        self.request = procedure.Request(bases.made(), None, {KNOWN: "made"}, REST)

    def tools(self) -> Tools:
        return Tools(
            open_chip=self.board.open_chip,
            open_prompt=self.board.open_prompt,
            journal=self.journal,
            backend=self.city,
            load_firmware=lambda chip, with_romfs: FIRMWARE,
            ask_plate=lambda mac: self.plate,
            backup=self._backup,
            label=self._label,
        )

    def run(self, steps: Any = None) -> Any:
        """Provision, or what is given; a Failure passes."""
        self.shown = Shown()
        return Station(self.tools(), self.shown).run(steps or procedure.provision(self.request))

    def fails(self, steps: Any = None) -> Failure:
        try:
            done = self.run(steps)
        except Failure as failure:
            return failure
        raise AssertionError(f"it did not fail: {done}")

    def _backup(self, mac: bytes, document: bytes) -> str:
        self.backups.append(document)
        return "backup"

    def _label(self, endpoint: str, asset_id: str, serial: str) -> str:
        self.labels.append((endpoint, asset_id, serial))
        return "label.pdf"


KNOWN = hashlib.sha256(bases.made()).hexdigest()

__all__ = ["FIRMWARE", "MAC", "PLATE", "REST", "Bench", "Board", "City", "self_test"]
