"""Runs with known facts, as a bench would record them."""

from pathlib import Path
from random import Random

from hil import limits
from hil.edges import EdgeTrace
from hil.errors import InstrumentSilent
from hil.measurement import Measurement, Sample
from hil.report import results
from hil.report.recorder import Recorder
from hil.report.run import About, Run
from hil.seams import BoardFacts
from hil.verdict import inconclusive, judge

STARTED_MS = 1_795_424_400_000
BOARD = BoardFacts("urn:dev:mac:0050c2fffe000001", "ESP32 <script>", "1.24.1", "0.1.0")


def about(bench: str = "desk", is_simulated: bool = True) -> About:
    floor = 0.0123 if is_simulated else None
    return About(
        "r1", STARTED_MS, bench, is_simulated, False, "ab" * 32, "0.1.0", "probe E661", floor, (("left", BOARD),)
    )


def received(median_s: float = 0.08, count: int = 300, seed: int = 1, late_s: float = 0.0) -> Measurement:
    """The command's latency: every tenth is `late_s` later, and sample 7 is the worst by far."""
    drawn = Random(seed)
    samples = []
    for number in range(count):
        value = drawn.gauss(median_s, 0.005) + (late_s if number % 10 == 0 else 0.0) + (0.2 if number == 7 else 0.0)
        trace = EdgeTrace("dim0", (0, round(value * 1e9)), (0.3, 1.0), 1000, 150_000, "probe, pin 2")
        marks = {"asked": 0, "changed": round(value * 1e9)}
        samples.append(Sample(value, 0.0004, "left", STARTED_MS + number, trace, marks, {"number": number}))
    return Measurement("received", limits.of("received"), tuple(samples), ("Board was warm.",))


def spread(value_s: float = 0.3) -> Measurement:
    samples = tuple(Sample(value_s + number / 1e4, 0.001, "left") for number in range(59))
    return Measurement("spread", limits.of("spread"), samples)


def recorded(directory: Path, *measurements: Measurement, bench: str = "desk", is_simulated: bool = True) -> Run:
    """A whole run: the measurements, a bench that failed at `watchdog`, and a check that it does not carry."""
    with Recorder(directory, about(bench, is_simulated)) as recorder:
        for measurement in measurements:
            recorder.measurement(measurement)
            for verdict in judge(measurement, is_simulated):
                recorder.verdict(verdict)
        recorder.verdict(inconclusive("watchdog", InstrumentSilent("nothing from the probe", "look at its LED")))
        recorder.not_carried("pwm-frequency", "the VM has no pulses")
        recorder.end(STARTED_MS + 1000)
    return results.read(directory)
