"""The demo as a person sees it: a live table of the street, and the verdict at the end."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hil.street import city
from hil.street.backend import BackendFailed
from hil.street.demo import Street, plan_events, street
from hil.street.plan import TIME_ZONE
from hil.street.report import report
from hil.street.vm import MissingVm
from hil.street.walltime import local_time

REFRESH_S = 0.5
# Real time for the last reports to travel before the books are closed.
DRAIN_S = 3.0


def play(
    directory: Path,
    lamps: int,
    nights: int | None,
    speed: int,
    http_port: int,
    coap_port: int,
    console: Console | None = None,
) -> dict[str, Any] | None:
    """Run a street; the verdict, or None when it could not be run. `nights` None: for ever, until Ctrl-C."""
    console = console or Console()
    console.print(
        f"[bold]A street of {lamps} lamps[/], each the true firmware on the MicroPython VM, {speed} × real time."
    )
    try:
        with street(
            directory, lamps, speed, http_port, coap_port, round(time.time() * 1000), nights or 10_000
        ) as running:
            console.print(
                f"All {lamps} registered over OSCORE, schedules verified by digest. API: {running.backend.url}/docs "
                f"(token in {_token_file(directory, running)})"
            )
            plan_events(running, nights or 3)
            _watch(running, console)
            verdict = _close_books(running)
            _tell(verdict, console)
            return verdict
    except (BackendFailed, MissingVm) as error:
        console.print(f"[bold red]The street stays dark:[/] {error}", highlight=False)
        return None
    except KeyboardInterrupt:
        console.print("Lights out: every process that the demo started has ended.")
        return {"lamps": [], "summary": {"ok": True, "ended": "by the person"}}


def _token_file(directory: Path, running: Street) -> Path:
    path = directory / "token.txt"
    path.touch(mode=0o600)
    path.write_text(running.token + "\n", encoding="ascii")
    return path


def _watch(running: Street, console: Console) -> None:
    """Play the events until the last noon, drawing the street on a terminal and saying the events elsewhere."""
    if console.is_terminal:
        with Live(_view(running), console=console, auto_refresh=False, screen=False) as live:
            while running.wall.now_ms() < running.end_ms:
                running.run_due_events()
                live.update(_view(running), refresh=True)
                time.sleep(REFRESH_S)
        return
    told = 0
    while running.wall.now_ms() < running.end_ms:
        running.run_due_events()
        for at_ms, words in running.happened[told:]:
            console.print(f"{local_time(at_ms, TIME_ZONE):%Y-%m-%d %H:%M}  {words}", highlight=False)
        told = len(running.happened)
        time.sleep(0.05)


def _close_books(running: Street) -> dict[str, Any]:
    time.sleep(DRAIN_S)
    for lamp in running.lamps:
        lamp.power_off()
    return report(running)


def _view(running: Street) -> Group:
    now = local_time(running.wall.now_ms(), TIME_ZONE)
    table = Table(title=f"{now:%A %d %B %H:%M}  ·  {running.wall.rate}× real time", title_justify="left", expand=False)
    for column, style in (
        ("Lamp", ""),
        ("Feeder", ""),
        ("Light", ""),
        ("Why", ""),
        ("Power", ""),
        ("Program", ""),
        ("Heard", ""),
        ("Faults", "red"),
    ):
        table.add_column(
            column, style=style, no_wrap=column != "Why", justify="right" if column in ("Power", "Heard") else "left"
        )
    states = city.verified(running.api, running.schedule)
    for lamp in running.api.pages("/lamps", limit=500):
        table.add_row(*_row(running, lamp, states.get(lamp["id"], False)))
    events = Text(
        "\n".join(f"{local_time(at_ms, TIME_ZONE):%d %b %H:%M}  {words}" for at_ms, words in running.happened[-5:]),
        style="yellow",
    )
    return Group(table, events, Text(f"{running.backend.url}/docs   Ctrl-C ends everything", style="dim"))


def _row(running: Street, lamp: dict[str, Any], verified: bool) -> list[str | Text]:
    state = lamp["state"] or {}
    level = state.get("level")
    online = lamp["status"] == "online"
    light = Text("no news", style="dim")
    if level is not None:
        filled = round(level / 10)
        light = Text(
            "█" * filled + "·" * (10 - filled) + f" {level:3d} %", style="bold yellow" if online and level else "dim"
        )
    heard = "never"
    if lamp["last_heard_at"]:
        age_s = datetime.now(UTC).timestamp() - datetime.fromisoformat(lamp["last_heard_at"]).timestamp()
        heard = f"{max(0.0, age_s):.0f} s ago"
    power = state.get("power_w")
    open_faults = (
        [fault["name"] for fault in running.api.get("/faults", lamp_id=lamp["id"], state="open")["items"]]
        if state.get("fault_count")
        else []
    )
    return [
        lamp["name"],
        lamp["feeder"] or "",
        light,
        Text(state.get("explanation") or "", style="" if online else "dim"),
        "" if power is None else f"{power:.1f} W",
        Text("verified ✓", style="green") if verified else Text("not yet", style="red"),
        Text(heard, style="" if online else "red"),
        ", ".join(open_faults),
    ]


def _tell(verdict: dict[str, Any], console: Console) -> None:
    summary = verdict["summary"]
    for lamp in verdict["lamps"]:
        if not lamp["ok"]:
            console.print(f"[red]{lamp['name']}[/] {lamp}", highlight=False)
    console.print(
        f"{summary['lamps_right']} of {summary['lamps']} lamps right · {summary['samples']} samples of light, "
        f"{summary['samples_differing']} differ from the schedule · "
        f"{summary['reports_acknowledged']} reports acknowledged, {summary['reports_stored']} readings stored · "
        f"{summary['digests_verified']} programs verified",
        highlight=False,
    )
