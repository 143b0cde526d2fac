"""The summary of a run on a terminal. It says the same without colour: every outcome is a sign and a word."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hil.measurement import Outcome
from hil.report.run import Run
from hil.verdict import Verdict, amount

SIGNS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.INCONCLUSIVE: "?"}
COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.INCONCLUSIVE: "yellow"}


def show(run: Run, console: Console) -> None:
    """Table, what is not in order with its reason, and last the answer: it is what remains on the screen."""
    console.print(table(run))
    for verdict in run.verdicts:
        if verdict.outcome is not Outcome.PASSED:
            console.print(_mark(verdict.outcome).append(f" {_title(verdict)}: {verdict.reason}", style="default"))
    for omitted in run.not_carried:
        console.print(Text(f"- {omitted.check}: not carried by this bench: {omitted.reason}"))
    console.print(Text(answer(run), style=f"bold {COLOURS[run.outcome]}"))


def table(run: Run) -> Table:
    kind = ": SIMULATED, no board was measured" if run.about.is_simulated else ""
    found = Table(title=f"{run.about.bench}{kind}", title_justify="left")
    found.add_column("outcome", no_wrap=True)
    found.add_column("check", overflow="fold")
    for name in ("judged", "limit", "margin", "n"):
        found.add_column(name, justify="right")
    for verdict in run.verdicts:
        found.add_row(_mark(verdict.outcome), verdict.check, *_cells(verdict))
    return found


def answer(run: Run) -> str:
    """One line: what came of it, how often, and on what bench."""
    where = f"{run.about.bench} (SIMULATED)" if run.about.is_simulated else run.about.bench
    counts = ", ".join(f"{number} {outcome}" for outcome, number in run.counts.items())
    extent = "quick, so it proves little; " if run.about.is_quick else ""
    broken = "" if run.is_complete else "; the run was broken off"
    omitted = f", {len(run.not_carried)} not carried by this bench" if run.not_carried else ""
    return f"{SIGNS[run.outcome]} {run.outcome.upper()} on {where}: {extent}{counts}{omitted}{broken}"


def _cells(verdict: Verdict) -> tuple[str, str, str, str]:
    limit = verdict.limit
    if limit is None or verdict.bound is None:
        return "", "", "", ""
    allowed = f"{limit.statistic} {limit.sign} {amount(verdict.bound, limit.unit)}"
    if verdict.value is None or verdict.uncertainty is None or verdict.margin is None:
        return "", allowed, "", "0"
    judged = f"{amount(verdict.value, beside=verdict.bound)} ± {amount(verdict.uncertainty, digits=2)}"
    return judged, allowed, amount(verdict.margin, digits=3), str(verdict.n)


def _mark(outcome: Outcome) -> Text:
    return Text(f"{SIGNS[outcome]} {outcome}", style=COLOURS[outcome])


def _title(verdict: Verdict) -> str:
    return verdict.check if verdict.limit is None else f"{verdict.check} ({verdict.limit.statistic})"
