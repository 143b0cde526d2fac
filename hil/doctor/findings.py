"""Everything that the doctor can find, with its advice; docs/bench.md has the same table."""

from dataclasses import dataclass
from enum import Enum

from rich.console import Console
from rich.text import Text


class Kind(Enum):
    """A fault of the bench: its name, and what a person does now."""

    CLOCK = "clock unsure", "let chrony run on this computer and settle; without true time no step can be judged"
    SILENT = "instrument silent", "look at its USB cable, and whether its program is installed (docs/bench.md)"
    OVERFLOW = "trace overflowed", "an input floats, or the PWM is too fast: ground unused inputs, look at the wiring"
    RESET = "instrument reset", "its supply is weak or its cable loose: use another port, without a hub in between"
    CONSOLE = "console fails", "look at the board's USB cable, and whether another program holds its port"
    CONSOLE_SWAPPED = "consoles swapped", "give each board in bench.toml the `console` that says its endpoint"
    POWER = "power switch fails", "do what the message says, and see that the board has power again"
    POWER_SHARED = "power shared", "one switch cuts several boards: give each a switch of its own"
    STAYS_ON = "power stays on", "the switch does not cut this board: wrong port or relay, or USB feeds it as well"
    FLOATING = "floating channel", "nothing holds the input while the board is dark: wire the ground, add 10 kΩ to it"
    POWER_SWAPPED = "power swapped", "in bench.toml, give this `power` to the board that it feeds"
    CHANNEL_SWAPPED = "channels swapped", "in bench.toml, give the other board's `channel` to this one"
    MISWIRED = "power or channel swapped", "follow this board's two wires, and correct `power` or `channel`"
    NO_LIGHT = (
        "channel never moves",
        "does the board start? Look at the wire from the dimming output, its ground, and `channel`",
    )
    SUPPLY_CHANNEL = "supply channel does not follow", "look at the divider and its wire, and at `supply_channel`"
    DROOP = "supply droops", "use a stronger supply or a shorter cable, or correct `feeder_v`"
    OFFLINE = (
        "not online",
        "is it provisioned with this computer's address and its `udp_port`, and is the air there?",
    )
    NAMELESS = "no identity", "provision it into the bench's city: docs/bench.md, step by step"
    COMMAND_SWAPPED = "boards swapped", "in bench.toml, give this `endpoint` to the board whose light obeys it"
    DEAF = "does not follow commands", "it is online and its light does not follow: look at its log by its console"
    FREQUENCY = "another PWM frequency", "set `pwm_hz` to what the boards have, or correct the firmware's setting"
    LEAKS = (
        "the cut does not cut",
        "see what [network.access_point] does; the board may have another way than its `udp_port`",
    )
    BENCH = "the bench failed", "do what the message says, and ask the doctor again"

    def __init__(self, title: str, advice: str) -> None:
        self.title = title
        self.advice = advice


@dataclass(frozen=True)
class Finding:
    """`board` by its name, empty when it is the whole bench; `met` is what was seen."""

    kind: Kind
    met: str
    board: str = ""


def show(findings: list[Finding], console: Console) -> None:
    """One paragraph a finding, and last how many there are."""
    for found in findings:
        where = f"{found.board}: " if found.board else ""
        console.print(Text(f"✗ {where}{found.kind.title}: {found.met}", style="red"))
        console.print(Text(f"  {found.kind.advice}"))
    if not findings:
        console.print(Text("✓ The bench is as bench.toml says.", style="green"))
    else:
        console.print(Text(f"{len(findings)} found; mend the first one first, it may be the reason of others."))
