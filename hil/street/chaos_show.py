"""A night of chaos from its begin to its verdict, told on a terminal as it happens."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from hil.street import chaos, chaos_books, chaos_plan
from hil.street.backend import BackendFailed
from hil.street.chaos import Night, TooSlow
from hil.street.impairment import Rules
from hil.street.vm import MissingVm

SETTLE_S = 90.0
# After the network healed: the backend comes back to every lamp within a minute, and faults are cleared by then.
RECOVERY_S = 60.0
# So long it has to stay whole: a lamp that waits patiently for an answer that the storm has taken says nothing for
# longer than its short lifetime here, and is missed only when the network is good again.
WHOLE_S = chaos_plan.LIFETIME_S + 3.0
LOOK_EVERY_S = 0.25


def run(
    directory: Path,
    lamps: int,
    length_s: float,
    seed: int,
    ports: tuple[int, int] | None = None,
    console: Console | None = None,
) -> dict[str, Any] | None:
    """The report of a night, or None when it could not be played. Ends every process that it started."""
    console = console or Console()
    try:
        night = chaos.prepare(directory, lamps, length_s, seed, ports)
    except (ValueError, MissingVm) as error:
        console.print(f"[red]{error}[/]")
        return None
    street = night.street
    console.print(
        f"[bold]A night of chaos[/]: {lamps} lamps, {length_s:.0f} s at {street.wall.rate} × real time, seed {seed}, "
        f"{len(night.events)} events."
    )
    try:
        street.open(chaos.SCHEDULE)
        street.power_on(*range(lamps))
        console.print(f"All registered and verified after {street.settle(SETTLE_S):.1f} s.")
        chaos.wait_for_evening(night)
        street.network.set_rules(chaos.WEATHER)
        night.play(lambda line: console.print(line, highlight=False))
        report = _close(night)
    except (BackendFailed, TooSlow) as error:
        console.print(f"[red]{error}[/]", highlight=False)
        return None
    except KeyboardInterrupt:
        console.print("The night is broken off.")
        return None
    finally:
        street.close()
    report = {"seed": seed, "length_s": length_s, **report}
    _tell(report, console)
    return report


def _close(night: Night) -> dict[str, Any]:
    """Heal the network, wait until the street is whole, and close the books."""
    street = night.street
    street.network.set_rules(Rules())
    recovery_s, absent = recover(lambda: _missing(night), time.monotonic, time.sleep)
    # The lamps go on meanwhile: switched off, they would be missed before the books are closed on a slow machine.
    return chaos_books.close(night, recovery_s, absent, time.monotonic_ns())


def recover(
    missing: Callable[[], list[int]], now_s: Callable[[], float], sleep: Callable[[float], None]
) -> tuple[float, list[int]]:
    """(seconds until nobody was missing any more, who is missing at the end): waits until nobody was for WHOLE_S, and
    RECOVERY_S at most for the last one to come back."""
    begun_s = now_s()
    whole_since_s: float | None = None
    while True:
        absent, at_s = missing(), now_s() - begun_s
        if absent:
            whole_since_s = None
            if at_s > RECOVERY_S:
                return at_s, absent
        elif whole_since_s is None:
            whole_since_s = at_s
        elif at_s - whole_since_s >= WHOLE_S:
            return whole_since_s, []
        sleep(LOOK_EVERY_S)


def _missing(night: Night) -> list[int]:
    """Lamps that are absent or have an open fault: nobody is, once everything is over."""
    street = night.street
    faulty = {fault["lamp_id"] for fault in street.api.pages("/faults", state="open", limit=500)}
    return sorted({*street.absent(), *(n for n, identifier in enumerate(street.ids) if identifier in faulty)})


def _tell(report: dict[str, Any], console: Console) -> None:
    for check in report["checks"]:
        mark = "[green]✓[/]" if check["ok"] else "[red]✗[/]"
        evidence = ", ".join(f"{name} {value}" for name, value in check["evidence"].items())
        console.print(f"{mark} {check['check']}: {evidence}", highlight=False)
        for failure in check["failures"]:
            console.print(f"    [red]{failure}[/]", highlight=False)
    network = ", ".join(f"{name} {count}" for name, count in report["counters"]["network"].items())
    console.print(f"Network: {network}", highlight=False)
