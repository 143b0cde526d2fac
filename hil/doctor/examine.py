"""The doctor's examinations, in the order in which faults are best understood: clock and instrument, consoles, power,
network and commands. One that cannot be made for the fault of an earlier one is left out, so that one wrong wire is one
finding.

The bench is left as it was found: boards with power, the network whole, overrides cancelled, whatever happens.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx

from hil import patience as host
from hil.bench import Bench
from hil.doctor.case import PATIENT, Case, Patience
from hil.doctor.commands import commands, cuts, frequencies, online
from hil.doctor.findings import Finding, Kind
from hil.doctor.power import power
from hil.errors import BenchError, ConsoleFailed, InstrumentFailed, InstrumentReset, TraceOverflow
from hil.street.backend import BackendFailed

MOST_UNSURE_MS = 100.0
# What a device or the backend may answer instead of obeying.
REFUSED = (BenchError, BackendFailed, httpx.TransportError)


class Doctor:
    """Examines one open bench, once. `now_ns` and `pause` (until a moment of it) are the host's time."""

    def __init__(
        self,
        bench: Bench,
        patience: Patience = PATIENT,
        now_ns: Callable[[], int] = time.monotonic_ns,
        pause: Callable[[int], None] = host.pause,
    ) -> None:
        self._case = Case(bench, patience, now_ns, pause)

    def examine(self) -> list[Finding]:
        """All that is wrong; empty when nothing is."""
        found: list[Finding] = []
        try:
            for examination in EXAMINATIONS:
                for finding in examination(self._case):
                    found.append(finding)
        except InstrumentFailed as error:
            found.append(Finding(_kind_of(error), error.detail))
        except REFUSED as error:
            found.append(Finding(Kind.BENCH, str(error)))
        finally:
            said = {(one.kind, one.board) for one in found}
            # A switch that fails was told already.
            found += [one for one in self._restore() if (Kind.POWER, one.board) not in said]
        return found

    def _restore(self) -> list[Finding]:
        """Each step, whatever becomes of the others."""
        bench = self._case.bench
        steps: list[tuple[str, Callable[[], None]]] = []
        for board, stand in enumerate(bench.stands):
            steps.append((stand.name, partial(bench.network.restore, board)))
            steps.append((stand.name, stand.power.on))
        steps += [("", partial(bench.desk.cancel, override)) for override in self._case.overrides]
        found = []
        for name, step in steps:
            try:
                step()
            except REFUSED as error:
                found.append(Finding(Kind.BENCH, f"it could not be left as it was: {error}", name))
        return found


def clock(case: Case) -> Iterator[Finding]:
    try:
        unsure_ms = case.bench.clock.uncertainty_ms()
    except BenchError as error:
        yield Finding(Kind.CLOCK, error.detail)
        return
    if unsure_ms > MOST_UNSURE_MS:
        yield Finding(Kind.CLOCK, f"true time is known within {unsure_ms:.0f} ms; at most {MOST_UNSURE_MS:.0f} will do")


def instrument(case: Case) -> Iterator[Finding]:
    """Raises InstrumentFailed, which ends the examination: nothing else can be seen."""
    case.bench.instrument.start()
    case.look()
    yield from ()


def consoles(case: Case) -> Iterator[Finding]:
    endpoints = {stand.endpoint: stand.name for stand in case.bench.stands}
    for board, stand in enumerate(case.bench.stands):
        if stand.console is None:
            continue
        try:
            said = stand.console.describe().endpoint
        except ConsoleFailed as error:
            yield Finding(Kind.CONSOLE, error.detail, stand.name)
            continue
        if not said:
            # Unknown is no fault by itself: see whether it is online.
            case.nameless.add(board)
        elif said != stand.endpoint:
            other = endpoints.get(said, "a board that is not in bench.toml")
            yield Finding(Kind.CONSOLE_SWAPPED, f"its console is that of {other} ({said})", stand.name)


EXAMINATIONS = (clock, instrument, consoles, power, online, commands, frequencies, cuts)


def _kind_of(error: InstrumentFailed) -> Kind:
    if isinstance(error, TraceOverflow):
        return Kind.OVERFLOW
    return Kind.RESET if isinstance(error, InstrumentReset) else Kind.SILENT
