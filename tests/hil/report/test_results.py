"""Raw results are read back as they were measured, and a run that was killed keeps what it had."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil.errors import ResultsFile
from hil.measurement import Measurement, Outcome, Sample
from hil.report import results
from hil.report.recorder import NAME, Recorder
from hil.verdict import judge
from tests.hil.report.made_up import STARTED_MS, about, received, recorded, spread


def test_a_run_is_read_back_as_it_was_recorded(tmp_path: Path) -> None:
    measured = received()
    run = recorded(tmp_path, measured)
    assert run.about == about() and run.is_complete
    (back,) = run.measurements
    worst = max(range(300), key=lambda place: measured.samples[place].value)
    # Only the worst keeps its trace.
    expected = [replace(sample, trace=None) for sample in measured.samples]
    expected[worst] = measured.samples[worst]
    assert back == replace(measured, samples=tuple(expected))
    judged = judge(measured, True)
    assert list(run.verdicts[:2]) == judged
    assert run.verdicts[2].outcome is Outcome.INCONCLUSIVE and run.verdicts[2].limit is None
    assert [omitted.check for omitted in run.not_carried] == ["pwm-frequency"]
    assert run.traces == (("received", worst, f"traces/received-{worst}.json"),)


def test_the_worst_samples_trace_is_a_file_with_its_marks(tmp_path: Path) -> None:
    run = recorded(tmp_path, received())
    ((_, place, name),) = run.traces
    kept = json.loads((tmp_path / name).read_text())
    assert place == 7 and kept["channel"] == "dim0" and set(kept["marks"]) == {"asked", "changed"}


def test_a_trace_that_is_gone_costs_only_its_picture(tmp_path: Path) -> None:
    run = recorded(tmp_path, received())
    (tmp_path / run.traces[0][2]).unlink()
    assert results.read(tmp_path).verdicts[0].worst.trace is None  # type: ignore[union-attr]


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
def test_a_run_that_was_killed_keeps_every_whole_line(tmp_path: Path, kept: float) -> None:
    recorded(tmp_path, received())
    data = (tmp_path / NAME).read_bytes()
    torn = data[: int(len(data) * kept)]
    (tmp_path / NAME).write_bytes(torn)
    run = results.read(tmp_path / NAME)
    assert not run.is_complete and run.outcome is not Outcome.PASSED
    assert sum(len(measurement.samples) for measurement in run.measurements) == torn.count(b'"kind": "sample"') - (
        # The one that was torn is no sample.
        not torn.endswith(b"\n") and torn.rsplit(b"\n", 1)[1].startswith(b'{"kind": "sample"')
    )


def test_samples_are_on_disk_before_their_measurement_is(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, about())
    recorder.sample("boot", Sample(1.5, 0.1))
    (measurement,) = results.read(tmp_path).measurements
    assert measurement.samples == (Sample(1.5, 0.1),) and not measurement.limits
    recorder.close()


def test_samples_that_were_written_as_they_came_are_not_written_again(tmp_path: Path) -> None:
    measured = spread()
    with Recorder(tmp_path, about()) as recorder:
        for sample in measured.samples[:20]:
            recorder.sample("spread", sample)
        recorder.measurement(measured)
    assert results.read(tmp_path).measurements == (measured,)


def test_more_samples_written_than_measured_are_a_fault_of_the_check(tmp_path: Path) -> None:
    with Recorder(tmp_path, about()) as recorder:
        recorder.sample("spread", Sample(1.0))
        with pytest.raises(ValueError, match="1 samples written, 0 measured"):
            recorder.measurement(Measurement("spread", (), ()))


def test_numbers_of_analysers_are_written_as_numbers_and_anything_else_is_refused(tmp_path: Path) -> None:
    with Recorder(tmp_path, about()) as recorder:
        recorder.sample("boot", Sample(1.0, facts={"edges": np.int64(12)}))
        with pytest.raises(TypeError, match="Path"):
            recorder.sample("boot", Sample(1.0, facts={"file": tmp_path}))
        with pytest.raises(ValueError, match="JSON"):
            recorder.sample("boot", Sample(float("nan")))
        recorder.end(STARTED_MS)
    assert results.read(tmp_path).measurements[0].samples[0].facts == {"edges": 12}


def test_a_folder_that_holds_a_run_is_not_written_over(tmp_path: Path) -> None:
    recorded(tmp_path, spread())
    with pytest.raises(ResultsFile, match="name another folder"):
        Recorder(tmp_path, about())


def test_a_file_that_is_no_run_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ResultsFile, match="cannot be read"):
        results.read(tmp_path / "nowhere")
    file = tmp_path / NAME
    for text, words in (
        ("", "does not begin with a run"),
        ('{"kind": "sample"}\n', "does not begin with a run"),
        ('{"kind": "run", "schema": 2, "version": "9.9"}\n', "schema 2 .* wrote it .9.9"),
        ('{"kind": "run", "schema": 1}\n', "no run of this version"),
        ('{"kind": "run", "schema": 1}\nnonsense\n{}\n', "line 2 is damaged"),
    ):
        file.write_text(text)
        with pytest.raises(ResultsFile, match=words):
            results.read(file)
