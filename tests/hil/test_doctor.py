"""The doctor names what is wrong with a bench, names nothing else, and leaves it as it was."""

from collections.abc import Callable
from itertools import permutations

import pytest
from rich.console import Console

from hil.doctor.examine import Doctor, Patience
from hil.doctor.findings import Finding, Kind, show
from hil.errors import InstrumentReset, InstrumentSilent, TraceOverflow
from tests.hil.benches import MadeUp

QUICK = Patience(dark=0.002, look=0.004, start=0.002, join=0.01, follow=0.03)


def examine(made: MadeUp) -> list[Finding]:
    return Doctor(made.bench(), QUICK).examine()


def found(made: MadeUp) -> set[tuple[Kind, str]]:
    return {(one.kind, one.board) for one in examine(made)}


def is_as_it_was(made: MadeUp) -> bool:
    return all(board.has_power and board.has_network for board in made.boards) and not made.overrides and not made.cut


def test_a_healthy_bench_has_no_finding_and_is_left_as_it_was() -> None:
    made = MadeUp()
    assert found(made) == set()
    assert is_as_it_was(made)


@pytest.mark.parametrize("wiring", [order for order in permutations(range(3)) if order != (0, 1, 2)])
@pytest.mark.parametrize("wire", ["power", "channel"])
def test_every_way_to_swap_three_boards_wires_is_named(wire: str, wiring: tuple[int, ...]) -> None:
    made = MadeUp()
    setattr(made, wire, list(wiring))
    wrong = {(Kind.POWER_SWAPPED, f"board-{n}") for n in range(3) if wiring[n] != n}
    assert found(made) == wrong
    assert is_as_it_was(made)


def test_swapped_consoles_name_whose_they_are() -> None:
    made = MadeUp()
    made.console = [1, 0, 2]
    findings = examine(made)
    assert [(one.kind, one.board) for one in findings] == [
        (Kind.CONSOLE_SWAPPED, "board-0"),
        (Kind.CONSOLE_SWAPPED, "board-1"),
    ]
    assert "board-1" in findings[0].met


def test_boards_whose_commands_move_the_other_light_are_swapped() -> None:
    made = MadeUp(2)
    made.endpoint = [1, 0]
    made.console = [1, 0]
    assert found(made) == {(Kind.COMMAND_SWAPPED, "board-0"), (Kind.COMMAND_SWAPPED, "board-1")}


def deaf(made: MadeUp) -> None:
    made.boards[1].is_deaf = True


def droop(made: MadeUp) -> None:
    made.boards[1].drop_v = 0.5


def no_wire(made: MadeUp) -> None:
    made.channel[1] = None


def stuck(made: MadeUp) -> None:
    made.stuck_on.add(1)


def floating(made: MadeUp) -> None:
    made.floating.add(1)


def leaking(made: MadeUp) -> None:
    made.leaking.add(1)


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (deaf, Kind.DEAF),
        (droop, Kind.DROOP),
        (no_wire, Kind.NO_LIGHT),
        (stuck, Kind.STAYS_ON),
        (floating, Kind.FLOATING),
        (leaking, Kind.LEAKS),
    ],
)
def test_one_fault_of_one_board_is_one_kind_of_finding(plant: Callable[[MadeUp], None], kind: Kind) -> None:
    made = MadeUp()
    plant(made)
    kinds = found(made)
    # A supply that stays on has a supply channel that stays up.
    kinds.discard((Kind.SUPPLY_CHANNEL, "board-1") if kind is Kind.STAYS_ON else (Kind.BENCH, "none"))
    assert kinds == {(kind, "board-1")}
    assert is_as_it_was(made)


def test_a_supply_channel_that_stays_is_told() -> None:
    made = MadeUp(1)
    made.supply_is_dead = True
    assert found(made) == {(Kind.SUPPLY_CHANNEL, "board-0")}


def test_a_clock_that_nobody_vouches_for_is_told() -> None:
    made = MadeUp(1)
    made.unsure_ms = 900
    assert found(made) == {(Kind.CLOCK, "")}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InstrumentSilent("nothing comes", "look"), Kind.SILENT),
        (TraceOverflow("edges are lost", "look"), Kind.OVERFLOW),
        (InstrumentReset("it began anew", "look"), Kind.RESET),
    ],
)
@pytest.mark.parametrize("after", [0, 20])
def test_an_instrument_that_fails_ends_the_examination_and_blames_no_wire(
    error: Exception, kind: Kind, after: int
) -> None:
    made = MadeUp()
    made.error, made.traces_until_error = error, after
    assert found(made) == {(kind, "")}
    assert is_as_it_was(made)


def test_an_examination_that_is_broken_off_leaves_the_bench_as_it_was() -> None:
    made = MadeUp()
    made.error, made.traces_until_error = KeyboardInterrupt(), 40  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        examine(made)
    assert is_as_it_was(made)


def test_each_finding_is_shown_with_what_to_do() -> None:
    console = Console(record=True, width=200)
    show([Finding(Kind.DROOP, "4.2 V", "left")], console)
    text = console.export_text()
    assert "left: supply droops: 4.2 V" in text
    assert Kind.DROOP.advice in text
    show([], console)
    assert "as bench.toml says" in console.export_text()
