"""What the captures of both chips do with their rings, against stand-ins of the chips' modules: lost is said."""

import importlib
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.firmware.hal import vm

CHIP = Path(__file__).parent / "esp32_modules"


class Registers(dict[int, int]):
    """FDEBUG is cleared by writing ones."""

    def __setitem__(self, address: int, value: int) -> None:
        super().__setitem__(address, self[address] & ~value)


class Dma:
    """A channel of the RP2040's DMA: it counts down, and wraps where it writes."""

    def __init__(self) -> None:
        self.count = 0
        self.ring: Any = None
        self.ctrl: dict[str, Any] = {}
        self.is_active = False

    def active(self, value: int | None = None) -> bool:
        if value is not None:
            self.is_active = bool(value)
        return self.is_active

    def pack_ctrl(self, **ctrl: Any) -> dict[str, Any]:
        return ctrl

    def config(self, read: int, write: Any, count: int, ctrl: dict[str, Any], trigger: bool) -> None:
        self.source, self.ring, self.count, self.ctrl, self.total = read, write, count, ctrl, count
        self.is_active = trigger

    def push(self, *words: int) -> None:
        for word in words:
            at = 4 * (self.total - self.count) % (1 << self.ctrl["ring_size"])
            self.ring[at : at + 4] = struct.pack("<I", word)
            self.count -= 1


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module, as on an RP2040 whose memory begins at an odd place."""
    pins = type("Pin", (), {"IN": 0, "OUT": 1, "PULL_DOWN": 2, "__init__": lambda self, *a, **k: None})
    pins.value = lambda self, *level: 0  # type: ignore[attr-defined]
    memory = Registers({0x50200008: 0b1111, 0x50300008: 0b1111})  # of an earlier start
    running = SimpleNamespace(active=lambda on: None, init=lambda *a, **k: None)
    rp2 = SimpleNamespace(
        asm_pio=lambda **_: lambda function: function,
        PIO=SimpleNamespace(JOIN_RX=1),
        DMA=Dma,
        StateMachine=lambda *a, **k: running,
    )
    machine = SimpleNamespace(freq=lambda hz: None, Pin=pins, mem32=memory, unique_id=lambda: b"\1\2")
    stubs = {"machine": machine, "rp2": rp2, "uctypes": SimpleNamespace(addressof=lambda _: 0x20001234)}
    for name, stub in {**stubs, "micropython": SimpleNamespace()}.items():
        monkeypatch.setitem(sys.modules, name, stub)
    monkeypatch.setattr(time, "ticks_us", lambda: 77, raising=False)
    sys.modules.pop("hil.probe.pio", None)
    yield importlib.import_module("hil.probe.pio")
    sys.modules.pop("hil.probe.pio")
    sys.modules.pop("hil.probe.stream", None)


def words(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data))


def test_the_rings_lie_where_the_dma_wraps(chip: ModuleType) -> None:
    capture = chip.Capture()
    size = 1 << chip.RING_BITS
    first = -0x20001234 % size
    capture._memory[first] = 99
    assert [len(ring) for ring in capture._rings] == [size] * 8
    assert capture._rings[0][0] == 99
    assert capture.start(0xFF) == 77
    assert [dma.source for dma in capture._dma] == [
        base + 0x20 + 4 * place for base in (0x50200000, 0x50300000) for place in range(4)
    ]
    # RP2040 datasheet, table of DREQs: PIO0_RX0 is 4, PIO1_RX0 is 12.
    assert [dma.ctrl["treq_sel"] for dma in capture._dma] == [4, 5, 6, 7, 12, 13, 14, 15]


def test_a_ring_may_be_fetched_late_but_not_too_late(chip: ModuleType) -> None:
    capture = chip.Capture()
    capture.start(0b11)
    dma, expected = capture._dma[1], 0
    for _ in range(5):  # around the ring more than once
        dma.push(*range(expected, expected + 1500))
        got: list[int] = []
        while data := capture.drain(1, 128):
            got += words(data)
        assert got == list(range(expected, expected + 1500))
        expected += 1500
    assert capture.overflowed() == 0
    dma.push(*range(capture.RING_WORDS + 1))
    capture.drain(1, 128)
    assert capture.overflowed() == 0b10
    capture.start(0b11)
    assert (capture.overflowed(), capture.drain(1, 128), capture.drain(2, 128)) == (0, b"", b"")


def test_a_fifo_that_was_full_is_an_overflow_of_its_channel(chip: ModuleType) -> None:
    capture = chip.Capture()
    capture.start(0b01100110)
    assert capture.overflowed() == 0
    chip.machine.mem32.update({0x50200008: 0b0011, 0x50300008: 0b0100})
    assert capture.overflowed() == 0b01000010


SCRIPT = """
import machine
from hil.probe.esp32 import Capture
capture = Capture()
machine.set(34, 1)
begun = capture.start(15)
tell(len(capture.drain(0, 128)))  # lit at the start: an edge there
for level in (0, 1, 0):
    machine.set(34, level)
    machine.fire(34)
import struct
data = capture.drain(0, 128)
stamps = struct.unpack("<3I", data)
tell(list(stamps) == sorted(stamps) and stamps[2] < 1000000)
tell([capture.drain(1, 128) == b"", capture.overflowed()])
machine.fire(34)  # the level is what it was: a pulse came and went
tell(capture.overflowed())
capture.start(15)
for number in range(capture.RING_WORDS + 1):
    machine.set(35, 1 - number % 2)
    machine.fire(35)
capture.drain(1, 128)
tell(capture.overflowed())
tell(capture.sample(1000, 10))
"""


def test_the_esp32_stamps_edges_and_notices_a_pulse_that_it_missed(tmp_path: Path) -> None:
    assert vm.run(SCRIPT, tmp_path, CHIP) == [4, True, [True, 0], 1, 2, None]
