"""One board after the other goes dark and comes back: whose light goes with it?

A channel belongs to a switch when it is dark while the switch is off and has had light since it is on again. That holds
whatever level a lamp comes to rest at: after the failsafe level the schedule's, which by day is none.
"""

from collections.abc import Iterator

from hil.doctor.case import DARK, Case, Sight
from hil.doctor.findings import Finding, Kind
from hil.errors import PowerFailed

# As far from the nominal frequency, and the pulses are no lamp's: an open input hears the mains and its neighbours.
LIKE_A_LAMP = 0.1
# A supply that loses more of its voltage between darkness and full light is too weak, or its cable too thin.
SAG = 0.05


def power(case: Case) -> Iterator[Finding]:
    switches = []
    for board in case.boards:
        try:
            case.bench.stands[board].power.on()
            switches.append(board)
        except PowerFailed as error:
            yield _fails(case, board, error)
    case.wait(case.patience.start)
    for board in switches:
        try:
            yield from _cycle(case, board)
            yield from voltage(case, board, "since the power is back")
        except PowerFailed as error:
            yield _fails(case, board, error)


def voltage(case: Case, board: int, when: str, dark_v: float | None = None) -> Iterator[Finding]:
    """Against `feeder_v`, and against what it was without load; one finding a board. Raises PowerFailed."""
    stand = case.bench.stands[board]
    volts = stand.power.voltage_v()
    if volts is None or board in case.drooping:
        return
    met = ""
    if stand.feeder_v is not None and not stand.feeder_v[0] <= volts <= stand.feeder_v[1]:
        met = f"{volts:.2f} V {when}, and {stand.feeder_v[0]:g} to {stand.feeder_v[1]:g} V are right"
    elif dark_v is not None and volts < dark_v * (1 - SAG):
        met = f"{volts:.2f} V {when}, and {dark_v:.2f} V in darkness"
    if met:
        case.drooping.add(board)
        yield Finding(Kind.DROOP, met, stand.name)


def _fails(case: Case, board: int, error: PowerFailed) -> Finding:
    case.sound.discard(board)
    return Finding(Kind.POWER, str(error), case.name(board))


def _cycle(case: Case, board: int) -> Iterator[Finding]:
    stand = case.bench.stands[board]
    stand.power.off()
    case.wait(case.patience.dark)
    dark, supply_dark = case.look(), case.supply(board)
    since_ns = case.moment()
    stand.power.on()
    case.wait(case.patience.start)
    lit, supply_lit = case.seen_since(since_ns), case.supply(board)
    moved = [other for other in case.boards if dark[other].share <= DARK < lit[other].share]
    if moved == [board]:
        if supply_dark is not None and (supply_dark, supply_lit) != (0.0, 1.0):
            yield Finding(Kind.SUPPLY_CHANNEL, f"channel {stand.supply_channel} did not fall and rise", stand.name)
        return
    case.sound.discard(board)
    others = [other for other in moved if other != board]
    if board in moved:
        yield Finding(Kind.POWER_SHARED, f"its switch cuts {case.name(*others)} as well", stand.name)
    elif others:
        # Whether switches or channels are swapped is told by commands, which no switch misleads.
        case.by_switch[board] = others
    elif _is_light(case, dark[board]) or supply_dark == 1.0:
        yield Finding(Kind.STAYS_ON, f"its light was at {dark[board].share:.0%} without power", stand.name)
    elif dark[board].edges > 2:
        yield Finding(Kind.FLOATING, f"{dark[board].edges} edges while it had no power", stand.name)
    else:
        yield Finding(Kind.NO_LIGHT, f"channel {stand.channel} stayed dark when the power came", stand.name)


def _is_light(case: Case, dark: Sight) -> bool:
    """A steady level, or a lamp's own pulses: what comes from an open input is neither."""
    if dark.share <= DARK:
        return False
    if dark.edges <= 2:
        return True
    if case.bench.pwm_hz is None:
        return False
    try:
        hz = dark.frequency_hz()
    except ValueError:
        return False
    return hz is not None and abs(hz / case.bench.pwm_hz - 1) <= LIKE_A_LAMP
