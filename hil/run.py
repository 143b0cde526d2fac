"""A run from beginning to end, for the command line and for pytest alike: bench, session, report."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hil.bench_file import load
from hil.checks.table import Check
from hil.effort import FULL, Effort
from hil.report import junit, page, results
from hil.report.recorder import Recorder
from hil.report.run import Run
from hil.scene import Benches
from hil.session import Listener, Session, about

SIMULATED = "simulated"
PAGE, JUNIT = "report.html", "junit.xml"


def benches_of(bench: str, scratch: Path, firmware: Path | None = None, boards: int | None = None) -> Benches:
    """`bench` is "simulated" or the path of a bench.toml; `scratch` an empty folder for what simulated streets leave.
    Raises BenchError."""
    if bench == SIMULATED:
        from hil.drivers.simulated_bench import BOARDS, SimulatedBenches

        return SimulatedBenches(scratch, boards or BOARDS, firmware)
    from hil.real_bench import RealBenches

    return RealBenches(load(Path(bench)))


@contextmanager
def session(
    benches: Benches,
    report: Path,
    checks: Sequence[Check],
    effort: Effort = FULL,
    are_named: bool = False,
    listen: Listener = lambda check, event: None,
) -> Iterator[Session]:
    """A session that has begun; at the end it is finished, and its report lies in folder `report`.

    One that is broken off has a report of what it had measured. Raises BenchError.
    """
    try:
        benches.start()
        with Recorder(report, about(benches, effort)) as recorder:
            run = Session(benches, checks, effort, recorder, are_named, listen)
            run.start()
            try:
                yield run
                run.finish()
            finally:
                run.abandon()
                write(results.read(report), report)
    finally:
        benches.close()


def write(run: Run, report: Path) -> None:
    page.write(run, report / PAGE)
    junit.write(run, report / JUNIT)
