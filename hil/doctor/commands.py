"""Boards that are online are commanded: whose light obeys, at which frequency, and does it still when it is cut off?"""

from collections.abc import Iterator

from hil.doctor.case import MOVED, Case, Sight
from hil.doctor.findings import Finding, Kind
from hil.doctor.power import voltage
from hil.errors import NetworkFailed, PowerFailed

LEVELS = (30, 70)
FULL = 100
FREQUENCY_SHARE = 0.01


def online(case: Case) -> Iterator[Finding]:
    """All boards have the same time to join."""
    deadline_ns = case.now_ns() + round(case.patience.join * 1e9)
    for board in case.boards:
        while not case.bench.desk.is_online(board):
            if case.now_ns() >= deadline_ns:
                case.offline.add(board)
                # A switch that fails or cuts nothing of its own is the reason, and is said.
                if board in case.sound:
                    yield _offline(case, board)
                case.sound.discard(board)
                break
            case.wait(case.patience.look)


def _offline(case: Case, board: int) -> Finding:
    if board in case.nameless:
        return Finding(
            Kind.NAMELESS, "its console tells no endpoint, and the backend does not hear it", case.name(board)
        )
    return Finding(Kind.OFFLINE, "the backend does not hear it", case.name(board))


def commands(case: Case) -> Iterator[Finding]:
    for board in case.boards:
        others = case.by_switch.get(board)
        if board not in case.sound and others is None:
            continue
        by_command, seen = _followers(case, board) if board not in case.offline else ([], [])
        if others is not None:
            yield _misplaced(case, board, others, by_command)
        elif by_command == [board]:
            yield from _load(case, board)
        else:
            case.sound.discard(board)
            lights = case.name(*(other for other in by_command if other != board))
            if lights:
                yield Finding(Kind.COMMAND_SWAPPED, f"a command to it moves the light of {lights}", case.name(board))
            else:
                met = f"asked for {LEVELS[0]} and then {LEVELS[1]} %, its light is at {seen[board].share:.0%}"
                yield Finding(Kind.DEAF, met, case.name(board))


def _followers(case: Case, board: int) -> tuple[list[int], list[Sight]]:
    """Channels that were at both levels when a board was asked for them, and what was seen at last.

    Others may change meanwhile, by a schedule or because they join. The backend may call a board online that has yet to
    join again, so the first command has the time for that.
    """
    case.follow(board, LEVELS[0], case.patience.join, or_another=True)
    first = case.look()
    case.follow(board, LEVELS[1], case.patience.follow, or_another=True)
    last = case.look()
    obeyed = [
        other
        for other in case.boards
        if abs(first[other].share - LEVELS[0] / 100) <= MOVED and abs(last[other].share - LEVELS[1] / 100) <= MOVED
    ]
    return obeyed, last


def _misplaced(case: Case, board: int, by_switch: list[int], by_command: list[int]) -> Finding:
    """Switch and command are witnesses of their own: the wire on which they disagree is the wrong one."""
    others = case.name(*by_switch)
    if by_command == [board]:
        return Finding(Kind.POWER_SWAPPED, f"its switch feeds {others}", case.name(board))
    if by_command == by_switch:
        met = f"switch and commands move channel {case.bench.stands[by_switch[0]].channel}, that of {others}"
        return Finding(Kind.CHANNEL_SWAPPED, met, case.name(board))
    commanded = f"a command that of {case.name(*by_command)}" if by_command else "a command none"
    return Finding(Kind.MISWIRED, f"its switch moves the channel of {others}, {commanded}", case.name(board))


def _load(case: Case, board: int) -> Iterator[Finding]:
    try:
        if case.bench.stands[board].power.voltage_v() is None:
            return
        case.follow(board, 0, case.patience.follow)
        dark_v = case.bench.stands[board].power.voltage_v()
        case.follow(board, FULL, case.patience.follow)
        yield from voltage(case, board, "at full light", dark_v)
    except PowerFailed as error:
        yield Finding(Kind.POWER, str(error), case.name(board))


def frequencies(case: Case) -> Iterator[Finding]:
    nominal_hz = case.bench.pwm_hz
    if nominal_hz is None:
        return
    for board in sorted(case.sound):
        case.follow(board, LEVELS[0], case.patience.follow)
        try:
            hz = case.look()[board].frequency_hz()
        except ValueError as error:
            yield Finding(Kind.FREQUENCY, str(error), case.name(board))
            continue
        if hz is None or abs(hz / nominal_hz - 1) > FREQUENCY_SHARE:
            met = "no pulses" if hz is None else f"{hz:.1f} Hz"
            yield Finding(Kind.FREQUENCY, f"{met}, and pwm_hz is {nominal_hz:g}", case.name(board))


def cuts(case: Case) -> Iterator[Finding]:
    """An access point takes the air from all: each board is waited for again, before and after."""
    lost: set[int] = set()
    for board in sorted(case.sound):
        if not _hears(case, board):
            lost.add(board)
            yield Finding(Kind.OFFLINE, "it did not come back with the network", case.name(board))
            continue
        try:
            case.bench.network.cut(board)
        except NetworkFailed as error:
            # What does not switch for one board switches for none.
            yield Finding(Kind.LEAKS, error.detail, case.name(board))
            return
        before = case.look()[board].share
        case.overrides.append(case.bench.desk.override(board, LEVELS[1]))
        case.wait(case.patience.follow)
        if abs(case.look()[board].share - before) > MOVED:
            yield Finding(Kind.LEAKS, "it followed a command without a network", case.name(board))
        case.bench.network.restore(board)
    for board in sorted(case.sound - lost):
        # Overrides can be taken back only from a lamp that hears.
        if not _hears(case, board):
            yield Finding(Kind.OFFLINE, "it did not come back with the network", case.name(board))


def _hears(case: Case, board: int) -> bool:
    """Two levels: one of them it did not have before, whatever that was."""
    return case.follow(board, LEVELS[1], case.patience.join) and case.follow(board, LEVELS[0], case.patience.join)
