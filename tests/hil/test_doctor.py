"""The doctor names what is wrong with a bench, names nothing else, and leaves it as it was."""

from collections.abc import Callable
from itertools import permutations

import httpx
import pytest
from rich.console import Console

from hil.doctor.examine import Doctor
from hil.doctor.findings import Finding, Kind, show
from hil.errors import InstrumentReset, InstrumentSilent, TraceOverflow
from hil.street.backend import BackendFailed
from tests.hil.benches import MadeUp

HZ = 200.0
ORDERS = list(permutations(range(3)))
BOARD = "board-1"


def examine(made: MadeUp) -> list[Finding]:
    return Doctor(made.bench(), now_ns=made.now_ns, pause=made.pause).examine()


def found(made: MadeUp) -> list[tuple[Kind, str]]:
    """In order and each as often as it is said: a finding twice is one too many."""
    return [(one.kind, one.board) for one in examine(made)]


@pytest.fixture(params=[None, HZ], ids=["levels", "pulses"])
def made(request: pytest.FixtureRequest) -> MadeUp:
    return MadeUp(hz=request.param)


@pytest.mark.parametrize("steady", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("hz", [None, HZ])
def test_a_healthy_bench_has_no_finding_and_is_left_as_it_was(hz: float | None, steady: float) -> None:
    made = MadeUp(hz=hz, steady=steady)
    assert found(made) == []
    assert made.is_as_it_was


def test_an_access_point_that_takes_the_air_from_all_boards_is_no_finding(made: MadeUp) -> None:
    made.has_access_point = True
    assert found(made) == []
    assert made.is_as_it_was


@pytest.mark.parametrize("channel", ORDERS)
@pytest.mark.parametrize("power", ORDERS)
def test_every_way_to_wire_the_power_and_the_channels_of_three_boards_is_named(
    power: tuple[int, ...], channel: tuple[int, ...]
) -> None:
    made = MadeUp()
    made.power, made.channel, made.supply = list(power), list(channel), [None] * 3
    wrong = []
    for stand in range(3):
        by_switch, by_command = channel.index(power[stand]), channel.index(stand)
        if (by_switch, by_command) == (stand, stand):
            continue
        if by_switch == stand:
            kind = Kind.COMMAND_SWAPPED
        elif by_command == stand:
            kind = Kind.POWER_SWAPPED
        else:
            kind = Kind.CHANNEL_SWAPPED if by_switch == by_command else Kind.MISWIRED
        wrong.append((kind, f"board-{stand}"))
    assert found(made) == wrong
    assert made.is_as_it_was


def test_swapped_power_switches_name_the_board_that_each_feeds(made: MadeUp) -> None:
    made.power = [1, 0, 2]
    findings = examine(made)
    assert [(one.kind, one.board) for one in findings] == [(Kind.POWER_SWAPPED, f"board-{n}") for n in (0, 1)]
    assert findings[0].met == "its switch feeds board-1"


def test_swapped_dimming_channels_name_the_channel_of_the_light(made: MadeUp) -> None:
    made.channel = [1, 0, 2]
    findings = examine(made)
    assert [(one.kind, one.board) for one in findings] == [(Kind.CHANNEL_SWAPPED, f"board-{n}") for n in (0, 1)]
    assert "channel light1, that of board-1" in findings[0].met


def test_a_light_on_another_channel_is_not_waited_for_on_its_own(made: MadeUp) -> None:
    healthy, begun_ns = MadeUp(hz=made.hz), made.now
    examine(healthy)
    made.channel = [1, 0, 2]
    examine(made)
    assert made.now <= healthy.now
    assert made.now > begun_ns


def test_one_switch_that_feeds_two_boards_is_told(made: MadeUp) -> None:
    made.shared[0] = 1
    assert found(made) == [(Kind.POWER_SHARED, "board-0")]
    assert made.is_as_it_was


def test_swapped_consoles_name_whose_they_are(made: MadeUp) -> None:
    made.console = [1, 0, 2]
    findings = examine(made)
    assert [(one.kind, one.board) for one in findings] == [(Kind.CONSOLE_SWAPPED, f"board-{n}") for n in (0, 1)]
    assert "board-1" in findings[0].met


def test_boards_whose_commands_move_the_other_light_are_swapped(made: MadeUp) -> None:
    made.endpoint = made.console = [1, 0, 2]
    assert found(made) == [(Kind.COMMAND_SWAPPED, f"board-{n}") for n in (0, 1)]
    assert made.is_as_it_was


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


def offline(made: MadeUp) -> None:
    made.unheard.add(1)


def nameless(made: MadeUp) -> None:
    made.unheard.add(1)
    made.nameless.add(1)


def silent_console(made: MadeUp) -> None:
    made.refuses.add(("describe", 1))


def no_switch(made: MadeUp) -> None:
    made.refuses.add(("off", 1))


def air_stays(made: MadeUp) -> None:
    made.refuses.add(("cut", 1))


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (deaf, Kind.DEAF), (droop, Kind.DROOP), (no_wire, Kind.NO_LIGHT), (stuck, Kind.STAYS_ON),
        (floating, Kind.FLOATING), (leaking, Kind.LEAKS), (offline, Kind.OFFLINE), (nameless, Kind.NAMELESS),
        (silent_console, Kind.CONSOLE), (no_switch, Kind.POWER), (air_stays, Kind.LEAKS),
    ],
)  # fmt: skip
def test_one_fault_of_one_board_is_one_finding(made: MadeUp, plant: Callable[[MadeUp], None], kind: Kind) -> None:
    plant(made)
    assert found(made) == [(kind, BOARD)]
    assert made.is_as_it_was


@pytest.mark.parametrize("board", [0, 1, 2])
def test_a_board_that_does_not_come_back_with_the_network_is_told_once(board: int) -> None:
    made = MadeUp()
    made.lost.add(board)
    assert found(made) == [(Kind.OFFLINE, f"board-{board}")]
    assert not made.overrides


def test_power_that_stays_on_is_seen_by_the_light_alone(made: MadeUp) -> None:
    made.stuck_on.add(1)
    made.supply[1] = None
    assert found(made) == [(Kind.STAYS_ON, BOARD)]


def test_power_that_stays_on_is_seen_by_the_supply_of_a_lamp_that_is_dark_by_day() -> None:
    made = MadeUp(steady=0.0)
    made.stuck_on.add(1)
    assert found(made) == [(Kind.STAYS_ON, BOARD)]


def test_a_supply_that_droops_is_told_of_a_board_that_nobody_can_command(made: MadeUp) -> None:
    made.boards[1].drop_v = 0.5
    made.unheard.add(1)
    assert found(made) == [(Kind.DROOP, BOARD), (Kind.OFFLINE, BOARD)]


def test_a_board_whose_light_is_not_seen_is_not_called_offline_as_well() -> None:
    made = MadeUp()
    made.channel[1] = None
    made.unheard.add(1)
    assert found(made) == [(Kind.NO_LIGHT, BOARD)]


def test_no_board_is_put_into_the_dark_for_an_instrument_that_sees_nothing() -> None:
    made = MadeUp()
    made.error = InstrumentSilent("nothing comes", "look")
    examine(made)
    assert all(len(board.edges) == 1 for board in made.boards)


def test_a_supply_that_sags_within_its_range_is_told() -> None:
    made = MadeUp()
    made.boards[1].drop_v = 0.26
    made.feeder_v = (4.5, 5.25)
    findings = examine(made)
    assert [(one.kind, one.board) for one in findings] == [(Kind.DROOP, BOARD)]
    assert findings[0].met == "4.74 V at full light, and 5.00 V in darkness"


def test_a_board_without_identity_that_is_online_is_no_finding(made: MadeUp) -> None:
    made.nameless.add(1)
    assert found(made) == []


def test_a_supply_channel_that_sees_another_board_is_told(made: MadeUp) -> None:
    made.supply[1] = 2
    assert found(made) == [(Kind.SUPPLY_CHANNEL, BOARD)]


@pytest.mark.parametrize("hz", [100.0, 197.0, 400.0])
def test_another_frequency_of_one_board_is_told(hz: float) -> None:
    made = MadeUp(hz=HZ)
    made.boards[1].hz = hz
    assert found(made) == [(Kind.FREQUENCY, BOARD)]


def test_another_frequency_of_all_boards_hides_no_wire() -> None:
    made = MadeUp(hz=HZ)
    made.power = [1, 0, 2]
    for board in made.boards:
        board.hz = 100.0
    assert found(made) == [
        (Kind.POWER_SWAPPED, "board-0"), (Kind.POWER_SWAPPED, "board-1"), (Kind.FREQUENCY, "board-2"),
    ]  # fmt: skip


def test_a_clock_that_nobody_vouches_for_is_told(made: MadeUp) -> None:
    made.unsure_ms = 900
    assert found(made) == [(Kind.CLOCK, "")]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InstrumentSilent("nothing comes", "look"), Kind.SILENT),
        (TraceOverflow("edges are lost", "look"), Kind.OVERFLOW),
        (InstrumentReset("it began anew", "look"), Kind.RESET),
    ],
)
@pytest.mark.parametrize("after", [0, 20, 100])
def test_an_instrument_that_fails_ends_the_examination_and_blames_no_wire(
    made: MadeUp, error: Exception, kind: Kind, after: int
) -> None:
    made.error, made.traces_until_error = error, after
    assert found(made) == [(kind, "")]
    assert made.is_as_it_was


def test_an_examination_that_is_broken_off_anywhere_leaves_the_bench_as_it_was() -> None:
    whole = MadeUp()
    examine(whole)
    for after in range(0, whole.traces, 5):
        made = MadeUp()
        made.error, made.traces_until_error = KeyboardInterrupt(), after
        with pytest.raises(KeyboardInterrupt):
            examine(made)
        assert made.is_as_it_was, after


def test_a_relay_that_does_not_close_again_is_told_once_and_keeps_no_other_board_from_its_power() -> None:
    made = MadeUp()
    made.refuses.add(("on", 0))
    made.console = [0, 2, 1]
    assert found(made) == [
        (Kind.CONSOLE_SWAPPED, "board-1"), (Kind.CONSOLE_SWAPPED, "board-2"), (Kind.POWER, "board-0"),
    ]  # fmt: skip
    assert [board.has_power for board in made.boards] == [False, True, True]
    assert not made.overrides


def test_an_access_point_that_does_not_come_back_keeps_no_override_and_no_power_from_being_put_right() -> None:
    made = MadeUp()
    made.refuses.add(("restore", 0))
    findings = examine(made)
    assert {one.kind for one in findings} == {Kind.BENCH}
    assert any("could not be left as it was" in one.met and one.board == "board-0" for one in findings)
    assert not made.overrides
    assert all(board.has_power for board in made.boards)


@pytest.mark.parametrize("refusal", [BackendFailed("POST was refused with 409"), httpx.ConnectError("409")])
def test_a_backend_that_refuses_is_a_finding_and_no_traceback(refusal: Exception) -> None:
    made = MadeUp()
    made.refuses.add(("override", 1))
    made.refusal = refusal
    findings = examine(made)
    assert [one.kind for one in findings] == [Kind.BENCH]
    assert "409" in findings[0].met
    assert made.is_as_it_was


def test_an_override_that_cannot_be_cancelled_keeps_no_other_from_it() -> None:
    made = MadeUp()
    made.refuses.add(("cancel", 1))
    assert found(made) == [(Kind.BENCH, "")]
    assert list(made.overrides) == [1]


def test_each_finding_is_shown_with_what_to_do() -> None:
    console = Console(record=True, width=200)
    show([Finding(Kind.DROOP, "4.2 V", "left")], console)
    text = console.export_text()
    assert "left: supply droops: 4.2 V" in text
    assert Kind.DROOP.advice in text
    show([], console)
    assert "as bench.toml says" in console.export_text()
