"""Commands of the simulated street and of the bench: `streetlight demo`, `streetlight chaos`, `streetlight hil`."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from contract.limits import COAP_PORT
from hil import bench_cli

commands = typer.Typer()
commands.add_typer(bench_cli.commands, name="hil")


@commands.command()
def demo(
    lamps: Annotated[
        int, typer.Option(min=1, max=500, help="How many lamps, each a firmware process of its own.")
    ] = 20,
    nights: Annotated[
        int | None, typer.Option(min=1, max=366, help="Nights (noon to noon) to play; without it until Ctrl-C.")
    ] = None,
    speed: Annotated[int, typer.Option(min=1, max=1000, help="How much faster than real time the night passes.")] = 600,
    report: Annotated[Path | None, typer.Option(help="Write the verdict to this JSON file and end by itself.")] = None,
    http_port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    coap_port: Annotated[int, typer.Option(min=1, max=65535)] = COAP_PORT,
    keep: Annotated[
        Path | None, typer.Option(help="Keep database, flash, traces and logs in this empty folder.")
    ] = None,
) -> None:
    """A street comes alight: the backend and true lamps, a schedule, a night, two things that go wrong.

    With --report it runs without a person and exits 0 only when every lamp did, reported and stored what it should.
    """
    from hil.street.show import play

    if report is not None:
        nights = nights or 1
        # Found out now, not after the night.
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text("{}\n", encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="streetlight-") as scratch:
        directory = keep or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            typer.secho(f"{directory} is not empty: name a new folder with --keep", fg="red", err=True)
            raise typer.Exit(2)
        verdict = play(directory, lamps, nights, speed, http_port, coap_port)
    if report is not None:
        report.write_text(json.dumps(verdict, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if verdict is None or not verdict["summary"]["ok"]:
        raise typer.Exit(1)


@commands.command()
def chaos(
    lamps: Annotated[int, typer.Option(min=3, max=200, help="How many lamps, each a firmware process.")] = 30,
    minutes: Annotated[float, typer.Option(min=1, max=600, help="How long the night takes, in real time.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Draws what goes wrong, and when: same seed, same plan.")] = 7,
    report: Annotated[Path | None, typer.Option(help="Write events, checks and counters to this JSON file.")] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep database, flash, traces and logs in this empty folder.")
    ] = None,
) -> None:
    """A night in which everything goes wrong: power cuts, a bad network, kills of the backend, wrong clocks, faults.

    Exits 0 only when no lamp was dark by night for longer than it boots, nothing acknowledged was lost, no command ran
    twice, every planted fault was reported once and cleared, none was false, and nobody was locked out.
    """
    from hil.street.chaos_show import run

    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text("{}\n", encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="streetlight-chaos-") as scratch:
        directory = keep or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            typer.secho(f"{directory} is not empty: name a new folder with --keep", fg="red", err=True)
            raise typer.Exit(2)
        verdict = run(directory, lamps, minutes * 60, seed)
    if report is not None:
        report.write_text(json.dumps(verdict, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if verdict is None or not verdict["ok"]:
        raise typer.Exit(1)
