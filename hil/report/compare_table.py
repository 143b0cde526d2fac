"""A comparison on a terminal; it says the same without colour."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hil.report.compare import CORRECTION, Change, Course
from hil.verdict import amount

SIGNS = {
    Course.WORSE: ("✗", "red"),
    Course.GONE: ("✗", "red"),
    Course.UNKNOWN: ("?", "yellow"),
    Course.NO_WORSE: ("✓", "green"),
    Course.BETTER: ("✓", "green"),
    Course.NEW: ("+", "default"),
}


def show(changes: Sequence[Change], console: Console) -> None:
    console.print(table(changes))
    for change in changes:
        if change.course not in {Course.NO_WORSE, Course.NEW}:
            console.print(Text(f"{SIGNS[change.course][0]} {change.check}: {change.reason}"))
    console.print(Text(f"Corrected for many comparisons by {CORRECTION}."))
    counts = Counter(change.course for change in changes)
    console.print(Text(", ".join(f"{counts[course]} {course}" for course in Course if counts[course]) or "Nothing."))


def table(changes: Sequence[Change]) -> Table:
    found = Table(title="p95 (or the judged value) against the baseline", title_justify="left")
    found.add_column("course", no_wrap=True)
    found.add_column("check", overflow="fold")
    for name in ("before", "after", "worse by", "n"):
        found.add_column(name, justify="right")
    for change in changes:
        sign, colour = SIGNS[change.course]
        between = "" if change.interval is None else " .. ".join(amount(edge) for edge in change.interval)
        found.add_row(
            Text(f"{sign} {change.course}", style=colour),
            change.check,
            "" if change.before is None else amount(change.before, change.unit, beside=change.after),
            "" if change.after is None else amount(change.after, change.unit, beside=change.before),
            between,
            " → ".join(str(count) for count in change.n),
        )
    return found
