"""What can go wrong on a bench; each says what to do next.

Exception
└── BenchError(detail, advice)  the bench, not the lamp, is at fault: a check that meets one is inconclusive
    ├── BenchFile               bench.toml cannot be used
    ├── InstrumentFailed
    │   ├── InstrumentSilent    nothing comes from the probe, or it is not there
    │   ├── TraceOverflow       edges came faster than the probe could hand them over: some are lost
    │   └── InstrumentReset     the probe started again in the middle: its clock is another one
    ├── PowerFailed             the power switch refuses, or the supply is not what bench.toml says
    ├── ConsoleFailed           the board does not answer over USB, or is another one
    ├── NetworkFailed
    ├── NothingSeen             no edge came where one must: wrong wiring, or a lamp that does nothing
    ├── ResultsFile             results.jsonl cannot be written or read
    └── Incomparable            two runs that say nothing about each other
"""


class BenchError(RuntimeError):
    """`detail` is what was met, `advice` what a person does now."""

    def __init__(self, detail: str, advice: str) -> None:
        self.detail = detail
        self.advice = advice
        super().__init__(f"{detail}; {advice}")


class BenchFile(BenchError):
    """bench.toml is missing, is no TOML, or names what there is not."""


class InstrumentFailed(BenchError):
    """The instrument cannot be trusted for this measurement."""


class InstrumentSilent(InstrumentFailed):
    """No answer within its time."""


class TraceOverflow(InstrumentFailed):
    """Edges are missing; a trace with holes is not handed out."""


class InstrumentReset(InstrumentFailed):
    """Stamps before and after belong to two clocks."""


class PowerFailed(BenchError):
    """The switch did not switch, or the voltage is out of its range."""


class ConsoleFailed(BenchError):
    """No prompt, a board that is another one, or a port that is gone."""


class NetworkFailed(BenchError):
    """The access point or the impairment could not be set."""


class NothingSeen(BenchError):
    """An edge that was waited for did not come."""


class ResultsFile(BenchError):
    """Not a run of this version, damaged, or in nobody's reach."""


class Incomparable(BenchError):
    """Runs of different benches, or a simulated one and a real one."""
