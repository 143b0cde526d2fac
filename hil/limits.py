"""The bench's limits: one row a promise with its number, and the requirement behind it.

A check measures one quantity and is judged by every row of its name. `statistic` says of what: a quantile, the largest
or smallest sample, or "slope" (a trend with its own interval).
"""

from dataclasses import dataclass
from typing import Literal

Statistic = Literal["p50", "p95", "p99", "max", "min", "slope"]

# Without a failure among n samples at least 95 % of all are right, with 95 % confidence: 0.95 ** 59 < 0.05.
SAMPLES = 59
# 0.99 ** 299 < 0.05: at least 99 % of all commands.
LATENCY_SAMPLES = 300


@dataclass(frozen=True)
class Limit:
    """`check` is the measurement's name. The statistic is at most `at_most`, or at least `at_least`, in `unit`.

    `simulated` replaces the bound where the VM is judged by a harder one, because it starts and computes faster.
    """

    check: str
    quantity: str
    unit: str
    statistic: Statistic
    requirement: str
    at_most: float | None = None
    at_least: float | None = None
    simulated: float | None = None
    samples: int = SAMPLES

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError(f"{self.check}: a limit is at most or at least one number")

    @property
    def is_ceiling(self) -> bool:
        """Whether larger is worse; of a floor it is the other way round."""
        return self.at_most is not None

    @property
    def sign(self) -> str:
        return "≤" if self.is_ceiling else "≥"

    def bound(self, is_simulated: bool) -> float:
        value = self.at_most if self.at_most is not None else self.at_least
        assert value is not None
        return self.simulated if is_simulated and self.simulated is not None else value


LIMITS = (
    Limit(
        "boot", "power on to light at the failsafe level", "s", "p95",
        "a street is lit three seconds after its feeder", at_most=3.0, simulated=0.5,
    ),
    Limit(
        "received", "command handed to the network to light starts changing", "s", "p95",
        "a command is seen at once", at_most=0.150, samples=LATENCY_SAMPLES,
    ),
    Limit(
        "received", "command handed to the network to light starts changing", "s", "max",
        "no pause of the firmware is seen by a person", at_most=0.500, samples=LATENCY_SAMPLES,
    ),
    Limit(
        "override", "override asked of the API to light, on a LAN", "s", "p95",
        "an operator sees the lamp answer", at_most=1.0, samples=LATENCY_SAMPLES,
    ),
    Limit(
        "override-lossy", "override asked of the API to light, behind NAT with 5 % loss", "s", "p95",
        "a bad network makes it late and not lost", at_most=3.0, samples=LATENCY_SAMPLES,
    ),
    Limit(
        "spread", "last light minus first light of a group that switches at one time", "s", "max",
        "a zone switches as one", at_most=0.250,
    ),
    Limit(
        "step", "schedule step against true time, clock in sync", "s", "max",
        "a step is a second's matter", at_most=1.0,
    ),
    Limit(
        "step-midnight", "schedule step against true time, across midnight", "s", "max",
        "the night is one, whatever the date", at_most=1.0,
    ),
    Limit(
        "step-spring", "schedule step against true time, across the hour that is missing", "s", "max",
        "steps are local time", at_most=1.0,
    ),
    Limit(
        "step-autumn", "schedule step against true time, across the hour that comes twice, without network", "s", "max",
        "steps are local time", at_most=1.0,
    ),
    Limit(
        "step-alone", "schedule step against true time, 72 h without network", "s", "max",
        "a lamp that is alone keeps its night", at_most=10.0,
    ),
    Limit(
        "fade", "duration of a fade against what was asked", "%", "max",
        "a fade lasts as long as it was told", at_most=5.0,
    ),
    Limit(
        "fade-step", "largest step of a fade", "% of full scale", "max",
        "a fade is not seen as steps, and never turns back", at_most=1.0,
    ),
    Limit(
        "pwm-frequency", "PWM frequency against its setting", "%", "max",
        "the driver was chosen for this frequency", at_most=1.0, samples=7,
    ),
    Limit(
        "duty", "duty of the dimming output against its level", "% of full scale", "max",
        "the level is the light", at_most=0.5, samples=7,
    ),
    Limit(
        "watchdog", "task hung to light at its level again", "s", "max",
        "a hang is over before anybody reports it", at_most=15.0,
    ),
    Limit(
        "power-cut", "power cut at a random moment: boots with schedule and override as they were", "lost states",
        "max", "nothing that was acknowledged is forgotten", at_most=0.0,
    ),
    Limit(
        "rejoin", "network back to registered", "s", "p95", "a street is back within half a minute", at_most=30.0,
    ),
    Limit(
        "garbage", "command handed to the network to light starts changing, amid garbage and empty datagrams", "s",
        "p50", "a stranger's noise is not seen", at_most=0.500,
    ),
    Limit(
        "garbage", "command handed to the network to light starts changing, amid garbage and empty datagrams", "s",
        "max", "noise deafens nobody: what a socket held that had to be made anew is sent again", at_most=10.0,
    ),
    Limit(
        "pauses", "light steps late while the lamp is asked without a pause", "s", "max",
        "garbage collection is not seen", at_most=0.500, samples=LATENCY_SAMPLES,
    ),
    Limit(
        "heap", "heap lost for each command, over 10,000", "bytes/command", "slope",
        "ten years of commands fit into the memory", at_most=1.0,
    ),
    Limit(
        "flash-wear", "flash written in a day", "KB", "max",
        "4 MB of NOR with 100,000 erasures last ten years, many times over", at_most=2048.0, samples=1,
    ),
    Limit(
        "drift", "frequency error that the lamp's clock has not learnt, over an hour", "ppm", "slope",
        "72 h alone within 10 s", at_most=38.0,
    ),
    Limit(
        "radio", "radio signal away from its median, over an hour", "dB", "p95",
        "a link that holds at noon holds at midnight, and a bench measures lamps and not its air", at_most=10.0,
    ),
)  # fmt: skip


def of(check: str) -> tuple[Limit, ...]:
    """The limits of one check; KeyError with the checks that there are."""
    found = tuple(limit for limit in LIMITS if limit.check == check)
    if not found:
        raise KeyError(f"no limit is named {check}: {', '.join(dict.fromkeys(limit.check for limit in LIMITS))}")
    return found
