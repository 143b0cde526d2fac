"""The state machine of the RP2040 probe, cycle by cycle: what it pushes is when the pin changed.

The program is assembled by a stand-in of MicroPython's `rp2.asm_pio`, and run by the rules of the RP2040 datasheet,
chapter 3.4: one instruction a cycle; X is decremented whether the jump is taken or not; `wait` stalls; the pin is what
it is in that cycle. What no simulation can show is the chip itself: no RP2040 was at hand.
"""

import builtins
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

TURN = 1 << 32


@dataclass
class Program:
    instructions: list[tuple[Any, ...]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    target: int = 0
    end: int = 0


def assemble(function: Callable[[], None]) -> Program:
    program = Program()
    add = program.instructions.append
    words: dict[str, Any] = {name: name for name in ("x", "isr", "null", "gpio", "pin", "noblock", "x_dec")}
    words |= {
        "invert": lambda source: ("invert", source),
        "mov": lambda target, source: add(("mov", target, source)),
        "wait": lambda level, kind, number: add(("wait", level, kind, number)),
        "push": lambda how: add(("push", how)),
        "jmp": lambda *where: add(("jmp", *where)),
        "label": lambda name: program.labels.__setitem__(name, len(program.instructions)),
        "wrap_target": lambda: setattr(program, "target", len(program.instructions)),
        "wrap": lambda: setattr(program, "end", len(program.instructions) - 1),
    }
    names = function.__globals__
    kept = dict(names)
    # As MicroPython does it: the function sees the assembler's words and nothing of its module.
    names.clear()
    names.update(words, __builtins__=builtins)
    try:
        function()
    finally:
        names.clear()
        names.update(kept)
    return program


@pytest.fixture(scope="module")
def pio() -> Iterator[ModuleType]:
    rp2 = SimpleNamespace(asm_pio=lambda **_: assemble, PIO=SimpleNamespace(JOIN_RX=1))
    stubs = {"machine": SimpleNamespace(), "rp2": rp2, "uctypes": SimpleNamespace(), "micropython": SimpleNamespace()}
    with pytest.MonkeyPatch.context() as patch:
        for name, stub in stubs.items():
            patch.setitem(sys.modules, name, stub)
        yield importlib.import_module("hil.probe.pio")
    sys.modules.pop("hil.probe.pio")
    sys.modules.pop("hil.probe.stream", None)


def run(program: Program, pin: Callable[[int], int], cycles: int, x: int | None = None) -> list[tuple[int, int]]:
    """(cycle after the pistol, word) of each push. `x` replaces the counter at the start."""
    at, isr, counter, pushed, cycle = 0, 0, 0, [], -3
    assert len(program.instructions) <= 32
    while cycle < cycles:
        kind, *what = program.instructions[at]
        following = program.target if at == program.end else at + 1
        if kind == "mov":
            inverted, source = what[1] if isinstance(what[1], tuple) else ("", what[1])
            value = {"null": 0, "x": counter}[source]
            value = ~value % TURN if inverted else value
            if what[0] == "x":
                counter = value if x is None else x
            else:
                isr = value
        elif kind == "wait":
            following = following if cycle >= -1 else at
        elif kind == "push":
            pushed.append((cycle, isr))
        elif len(what) == 1:
            following = program.labels[what[0]]
        elif what[0] == "pin":
            following = program.labels[what[1]] if pin(cycle) else following
        else:
            following = program.labels[what[1]] if counter else following
            counter = (counter - 1) % TURN
        at = following
        cycle += 1
    return pushed


def seen(pio: ModuleType, edges: list[int], cycles: int, x: int | None = None) -> list[int]:
    """Steps at which the pin, dark at first, is seen to change at `edges` (cycles)."""
    pushed = run(pio.stamp_edges, lambda cycle: sum(edge <= cycle for edge in edges) % 2, cycles, x)
    return [word for _, word in pushed]


@settings(max_examples=60)
@given(gaps=st.lists(st.integers(6, 400), min_size=1, max_size=20))
def test_each_edge_is_stamped_within_a_step_however_many_came_before(pio: ModuleType, gaps: list[int]) -> None:
    edges = [sum(gaps[: end + 1]) for end in range(len(gaps))]
    words = seen(pio, edges, edges[-1] + 20)
    assert len(words) == len(edges)
    assert all(0 <= pio.CYCLES_A_STEP * word - edge <= 2 for word, edge in zip(words, edges, strict=True)), words


def test_a_pin_that_is_lit_at_the_start_has_its_first_edge_there(pio: ModuleType) -> None:
    assert seen(pio, [-10], 30) == [0]
    assert seen(pio, [-10, 9], 30)[1] in (4, 5)


def test_a_dimming_signal_keeps_its_frequency_and_duty_over_a_thousand_periods(pio: ModuleType) -> None:
    edges = [500 + 200 * number + extra for number in range(1000) for extra in (0, 14)]
    words = seen(pio, edges, edges[-1] + 20)
    assert len(words) == 2000
    assert abs((words[-2] - words[0]) - 999 * 100) <= 1
    lit = [words[number + 1] - words[number] for number in range(0, 2000, 2)]
    assert set(lit) <= {6, 7, 8}
    assert sum(lit) / 1000 == pytest.approx(7, abs=0.5)


@pytest.mark.parametrize("is_lit", [False, True])
def test_a_turn_of_the_counter_costs_half_a_step_at_most(pio: ModuleType, is_lit: bool) -> None:
    """X starts 50 steps before its turn; the edge after it is where it would be without."""
    begin = [] if not is_lit else [-10]
    for edge in range(150, 170):
        (*_, word) = seen(pio, [*begin, edge], 200, x=50)
        steps = word - (TURN - 1 - 50)
        assert -1 <= 2 * (steps % TURN) - edge <= 2


def test_no_edge_is_seen_while_the_pistol_is_down(pio: ModuleType) -> None:
    program = pio.stamp_edges
    assert program.instructions[1] == ("wait", 1, "gpio", pio.START_PIN)
    assert pio.Capture.STEP_PS == 8000
