"""Commands of the bench: `streetlight hil run|list|compare|doctor`."""

import tempfile
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from hil.errors import BenchError

commands = typer.Typer(no_args_is_help=True, help="The bench: timing of the light, measured on boards or simulated.")

# 2 is what a wrong command line gives.
# Of a simulated bench there is nothing to mend: two boards show what a healthy one looks like.
DOCTOR_BOARDS = 2
PASSED, FAILED, UNUSABLE, INCONCLUSIVE = 0, 1, 2, 3

BenchOption = Annotated[str, typer.Option("--bench", help="A bench.toml, or `simulated`: the firmware on the VM.")]


@commands.command()
def run(
    bench: BenchOption,
    report: Annotated[
        Path | None, typer.Option(help="Folder for report.html, results.jsonl and junit.xml; made if it is missing.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few samples: the broken shows, the rare not.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="A check by name (see `list`); may be given again.")] = None,
    firmware: Annotated[
        Path | None,
        typer.Option(help="Another tree's folder with firmware/ and contract/; simulated only.", exists=True),
    ] = None,
    boards: Annotated[int | None, typer.Option(min=1, max=32, help="Simulated boards (8).")] = None,
) -> None:
    """Measure, judge, report. Exits 0 when all passed, 1 when one failed, 3 when none failed and one is inconclusive,
    2 when the bench cannot be used."""
    from hil import run as runs
    from hil.checks.table import named
    from hil.effort import FULL, QUICK
    from hil.measurement import Outcome
    from hil.report import results, terminal

    console = Console()
    if bench != runs.SIMULATED and (firmware or boards):
        _refuse("--firmware and --boards are for the simulated bench: boards carry what was flashed into them")
    try:
        checks = named(only or [])
    except KeyError as error:
        _refuse(str(error.args[0]))
    begun = time.monotonic()

    def listen(check: str, event: str) -> None:
        console.print(f"{time.monotonic() - begun:6.1f} s  {check} {event}", highlight=False)

    with tempfile.TemporaryDirectory(prefix="streetlight-hil-") as scratch:
        folder = report or Path(scratch) / "report"
        try:
            benches = runs.benches_of(bench, Path(scratch), firmware, boards)
            with runs.session(benches, folder, checks, QUICK if quick else FULL, bool(only), listen):
                pass
            found = results.read(folder)
        except BenchError as error:
            _refuse(str(error))
        except KeyboardInterrupt:
            console.print("The run is broken off.")
            raise typer.Exit(INCONCLUSIVE) from None
        terminal.show(found, console)
        if report is not None:
            console.print(f"The report is {report / runs.PAGE}", highlight=False, soft_wrap=True)
    code = {Outcome.PASSED: PASSED, Outcome.FAILED: FAILED, Outcome.INCONCLUSIVE: INCONCLUSIVE}[found.outcome]
    raise typer.Exit(code)


@commands.command(name="list")
def list_checks() -> None:
    """The checks, what each promises, and where it can run."""
    from hil.checks.table import CHECKS, LEVELS_ONLY, UPDATE
    from hil.limits import of
    from hil.verdict import amount

    for check in CHECKS:
        typer.echo(check.name)
        for limit in (limit for name in check.measures for limit in of(name)):
            allowed = f"{limit.statistic} {limit.sign} {amount(limit.bound(False), limit.unit)}"
            if limit.simulated is not None:
                allowed += f" (simulated {amount(limit.bound(True), limit.unit)})"
            typer.echo(f"    {limit.quantity}: {allowed}")
        if check.real:
            typer.echo(f"    only simulated: {check.real}")
        elif check.hours:
            typer.echo(f"    with real boards {check.hours:g} h, and only by name")
    typer.echo(f"Not on the simulated bench: {LEVELS_ONLY.check}: {LEVELS_ONLY.reason}.")
    typer.echo(f"Not yet: {UPDATE.check}: {UPDATE.reason}.")


@commands.command()
def compare(
    baseline: Annotated[Path, typer.Argument(help="Folder (or results.jsonl) of the run that was good.")],
    run: Annotated[Path, typer.Argument(help="Folder (or results.jsonl) of the run to look at.")],
) -> None:
    """What got worse, with statistics. Exits 1 when something did, or is not measured any more."""
    from hil.report import compare as comparing
    from hil.report import compare_table, results

    try:
        changes = comparing.compare(results.read(baseline), results.read(run))
    except BenchError as error:
        _refuse(str(error))
    compare_table.show(changes, Console())
    raise typer.Exit(comparing.exit_code(changes))


@commands.command()
def doctor(bench: BenchOption) -> None:
    """What is wrong with the bench: wiring, swapped boards, instrument, supply, network. Exits 1 when anything is."""
    from hil import run as runs
    from hil.doctor.examine import Doctor
    from hil.doctor.findings import show
    from hil.scene import Scene

    with tempfile.TemporaryDirectory(prefix="streetlight-hil-") as scratch:
        try:
            benches = runs.benches_of(bench, Path(scratch), boards=DOCTOR_BOARDS)
            try:
                benches.start()
                with benches.open(Scene(), is_settled=False) as opened:
                    found = Doctor(opened).examine()
            finally:
                benches.close()
        except BenchError as error:
            _refuse(str(error))
    show(found, Console())
    raise typer.Exit(FAILED if found else PASSED)


def _refuse(text: str) -> NoReturn:
    typer.secho(text, fg="red", err=True)
    raise typer.Exit(UNUSABLE)
