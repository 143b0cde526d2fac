"""A board's power by a USB hub that switches its ports one by one, with the program uhubctl.

Some hubs only pretend: they drop the data lines, or nothing, and leave the voltage on. What uhubctl can see of that is
asked after each switching; what it cannot see is the voltage, so wire `supply_channel` as well.

Source of truth: uhubctl's README and its output (2.4 to 2.6).
"""

import re
from typing import NamedTuple

from hil.drivers.commands import NOT_THERE, Run, run
from hil.errors import PowerFailed

_HUB = re.compile(r"(?:Current|New) status for hub (\S+) \[(.*)\]")
_PORT = re.compile(r"\s+Port (\d+): ([0-9a-f]{4})\s*(.*)")


class PortState(NamedTuple):
    """One port of one hub, as it was told last. A USB 3 hub is two: one for each of its speeds."""

    is_on: bool
    is_connected: bool
    switches_alone: bool


def parse(text: str, port: int) -> dict[str, PortState]:
    """State of `port` by hub; the later of two tellings holds. Empty when nothing was told of that port."""
    found: dict[str, PortState] = {}
    hub, facts = "", ""
    for line in text.splitlines():
        if match := _HUB.match(line):
            hub, facts = match[1], match[2]
        elif (match := _PORT.match(line)) and hub and int(match[1]) == port:
            words = match[3].split("[")[0].split()
            found[hub] = PortState("power" in words, "connect" in words, "ppps" in facts.replace(",", " ").split())
    return found


class HubPower:
    """`hub` is its place as uhubctl names it ("1-1.4"), `port` counts from 1."""

    def __init__(self, hub: str, port: int, run: Run = run) -> None:
        self._hub, self._port, self._run = hub, port, run

    def on(self) -> None:
        self._switch("on")
        if not any(state.is_on for state in self._ask().values()):
            raise PowerFailed(f"{self._place} stays off", "it may be overloaded: look at the board for a short circuit")

    def off(self) -> None:
        self._switch("off")
        # Asked once more: a hub that pretends, or a kernel that switched it on again, shows now.
        states = self._ask()
        if any(state.is_on or state.is_connected for state in states.values()):
            raise PowerFailed(
                f"{self._place} was switched off and is not: the hub only pretends, or the system switches it on",
                "use a hub of uhubctl's list of hubs that truly switch, or a relay board",
            )

    def voltage_v(self) -> None:
        """A hub measures nothing."""

    def close(self) -> None:
        """It stays as it is."""

    @property
    def _place(self) -> str:
        return f"port {self._port} of hub {self._hub}"

    def _switch(self, action: str) -> None:
        self._uhubctl("-a", action)

    def _ask(self) -> dict[str, PortState]:
        states = parse(self._uhubctl(), self._port)
        if not states:
            raise PowerFailed(f"uhubctl says nothing of {self._place}", "look for its place with `uhubctl`")
        if not all(state.switches_alone for state in states.values()):
            raise PowerFailed(
                f"hub {self._hub} switches all of its ports together, or none", "use a hub that uhubctl shows as ppps"
            )
        return states

    def _uhubctl(self, *arguments: str) -> str:
        said = self._run(["uhubctl", "-l", self._hub, "-p", str(self._port), *arguments])
        if said.status == NOT_THERE:
            raise PowerFailed("there is no uhubctl", "install it (Debian: apt-get install uhubctl)")
        if said.status:
            raise PowerFailed(
                f"uhubctl cannot switch {self._place} ({said.words})",
                "run `uhubctl`: without its udev rule it needs root, and the hub's place changes with its socket",
            )
        return said.out
