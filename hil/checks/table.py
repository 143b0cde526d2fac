"""The checks: what each measures, in which scene, and why a kind of bench cannot carry it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hil.bench import Bench
from hil.checks import boot, fade, group, latency, memory, network, output, radio, recovery, steps, wear
from hil.effort import Effort
from hil.measurement import Measurement
from hil.report.run import NotCarried
from hil.scene import Scene, Traits

Procedure = Callable[[Bench, Effort], list[Measurement]]

BERLIN = "Europe/Berlin"
# As far off as the data sheet of the chip's crystal allows when it is warm.
CRYSTAL = {"drift_ppm": 20}
TRUE_TIME = "true time cannot be moved to the night of the change"


@dataclass(frozen=True)
class Check:
    """`measures` are names of `hil.limits`. `lane`: on a simulated bench lanes run side by side, each with a street of
    its own; on a real bench all checks have the same boards and run in a row. A lane begins when what its first check
    comes `after` has ended: that wants the computer for itself, and a lane of checks that count, and look at no clock,
    `gives_way` to the others. `hours` it takes on a real bench, where it runs only when it is named."""

    name: str
    measures: tuple[str, ...]
    procedure: Procedure
    scene: Scene = field(default_factory=Scene)
    lane: int = 0
    after: tuple[str, ...] = ()
    gives_way: bool = False
    simulated: str = ""
    real: str = ""
    hours: float = 0
    boards: int = 1
    needs_console: bool = False

    def obstacle(self, traits: Traits, is_named: bool) -> str:
        """Why a bench with these traits does not carry it; empty when it does."""
        if traits.is_simulated:
            return self.simulated
        if self.real:
            return self.real
        if traits.boards < self.boards:
            return f"it takes {self.boards} boards, and there is {traits.boards}"
        if self.needs_console and not traits.has_consoles:
            return "it takes a console at every board; give each a `console` in bench.toml"
        if self.hours and not is_named:
            return f"it takes {self.hours:g} h with real boards: ask for it with --only {self.name}"
        return ""


_SYNC = Scene(rate=10)
_FAST = Scene(rate=600, boards=2)
# Milliseconds matter to them. The heap's lane is the longest and waits for none: one lamp beside them is no crowd.
_TIMED = ("boot", "latency", "fade")

CHECKS = (
    Check("boot", ("boot",), boot.measure),
    Check("latency", ("override", "received"), latency.measure),
    Check("fade", ("fade", "fade-step"), fade.measure),
    Check("garbage", ("garbage",), latency.garbage),
    Check("spread", ("spread",), group.measure, boards=2),
    Check("pauses", ("pauses",), memory.pauses),
    Check("lossy", ("override-lossy",), latency.lossy),
    Check("output", ("duty", "pwm-frequency"), output.measure),
    Check("watchdog", ("watchdog",), recovery.watchdog, lane=1, after=_TIMED, needs_console=True),
    Check("power-cut", ("power-cut",), recovery.power_cut, lane=1),
    Check(
        "step-autumn", ("step-autumn",), steps.autumn,
        Scene(datetime(2027, 10, 31, 1, 48), time_zone=BERLIN, rate=10), lane=1, real=TRUE_TIME,
    ),
    Check("heap", ("heap",), memory.heap, Scene(boards=1), lane=2, gives_way=True),
    Check("step", ("step",), steps.in_sync, _SYNC, lane=3, after=_TIMED),
    Check(
        "step-midnight", ("step-midnight",), steps.midnight, Scene(datetime(2027, 3, 10, 23, 48), rate=10),
        lane=3, hours=24,
    ),
    Check(
        "step-spring", ("step-spring",), steps.spring,
        Scene(datetime(2027, 3, 28, 1, 48), time_zone=BERLIN, rate=10), lane=3, real=TRUE_TIME,
    ),
    Check(
        "step-alone", ("step-alone",), steps.alone,
        Scene(datetime(2027, 3, 10, 17, 30), rate=10, physics=CRYSTAL), lane=4, after=_TIMED, hours=84,
    ),
    Check("drift", ("drift",), steps.drift, Scene(rate=10, boards=2, physics=CRYSTAL), lane=4, hours=1.2),
    Check("flash-wear", ("flash-wear",), wear.measure, _FAST, lane=6, after=_TIMED, gives_way=True, hours=24),
    Check("radio", ("radio",), radio.measure, _FAST, lane=6, gives_way=True, hours=1),
    Check("rejoin", ("rejoin",), network.rejoin, lane=5, after=_TIMED),
)  # fmt: skip

# Quantities that a kind of bench does not measure, though it carries the check.
LEVELS_ONLY = NotCarried("pwm-frequency", "the simulated dimming output has levels and no pulses")
# Asked for by the requirements, and there is nothing yet that it could test.
UPDATE = NotCarried("update-interrupted", "the firmware has no update over the air yet")


def named(names: Sequence[str]) -> tuple[Check, ...]:
    """Checks by name, all without one; raises KeyError with the names that there are."""
    known = {check.name: check for check in CHECKS}
    for name in names:
        if name not in known:
            raise KeyError(f"no check is named {name}: {', '.join(known)}")
    return tuple(check for check in CHECKS if not names or check.name in names)
