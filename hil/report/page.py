"""report.html: one file that needs nothing but itself, no script and no network, for a screen, dark or light, and for
paper. The template says what stands where; here is what it is told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hil.measurement import Measurement, Outcome, Sample
from hil.report import figures
from hil.report.run import Run
from hil.report.terminal import SIGNS
from hil.verdict import QUANTILES, Verdict, amount, overall

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Section:
    """All that is known of one check. The worst sample is the first limit's, or a failed limit's where there is one."""

    check: str
    quantity: str
    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    requirements: tuple[str, ...]
    notes: tuple[str, ...]
    histogram: Markup
    worst: Sample | None
    waveform: Markup
    unit: str
    unjudged: int


def write(run: Run, path: Path) -> None:
    path.write_text(document(run), encoding="utf-8")


def document(run: Run) -> str:
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("hil.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(amount=amount, signs=SIGNS, utc=_utc)
    return environment.get_template(TEMPLATE).render(
        run=run,
        about=run.about,
        outcome=run.outcome,
        counts=run.counts,
        sections=sections(run),
    )


def sections(run: Run) -> list[Section]:
    """One for each check with a verdict or a sample, in the order in which they ran."""
    measured = {measurement.name: measurement for measurement in run.measurements}
    checks = dict.fromkeys([verdict.check for verdict in run.verdicts] + list(measured))
    return [
        _section(check, measured.get(check), tuple(verdict for verdict in run.verdicts if verdict.check == check))
        for check in checks
    ]


def _section(check: str, measurement: Measurement | None, verdicts: tuple[Verdict, ...]) -> Section:
    limits = tuple(verdict.limit for verdict in verdicts if verdict.limit is not None)
    judged = sorted(verdicts, key=lambda verdict: verdict.outcome is not Outcome.FAILED)
    worst = next((verdict.worst for verdict in judged if verdict.worst is not None), None)
    samples = measurement.samples if measurement is not None else ()
    unit = limits[0].unit if limits else ""
    bounds = {
        f"{verdict.limit.statistic} {verdict.limit.sign}": verdict.bound
        for verdict in verdicts
        if verdict.limit is not None and verdict.bound is not None
    }
    numbers: dict[str, float | None] = {
        name: next((getattr(v, name) for v in verdicts), None) for name in (*QUANTILES, "max")
    }
    known: dict[str, float] = {name: value for name, value in numbers.items() if value is not None and len(samples) > 1}
    histogram = waveform = ""
    # One sample is a number; a picture of it would show nothing that the sentence does not say.
    if len(samples) > 1:
        title = f"{check}: how {len(samples)} samples lie"
        histogram = figures.histogram([s.value for s in samples], unit, bounds, known, f"h-{check}", title)
    if worst is not None and worst.trace is not None:
        title = f"{check}: what the light did at the worst sample"
        waveform = figures.waveform(worst.trace, worst.marks, f"w-{check}", title)
    return Section(
        check=check,
        quantity=limits[0].quantity if limits else "",
        outcome=overall(verdicts),
        verdicts=verdicts,
        requirements=tuple(dict.fromkeys(limit.requirement for limit in limits)),
        notes=measurement.notes if measurement is not None else (),
        # Made by figures of elements, so nothing in it can break out.
        histogram=Markup(histogram),
        worst=worst,
        waveform=Markup(waveform),
        unit=unit,
        unjudged=0 if verdicts else len(samples),
    )


def _utc(utc_ms: float) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
