"""results.jsonl read back into a run. `hil.report.recorder` writes it and says what stands in it.

A run that was killed has all lines but perhaps the last; a last line that is torn is passed over. Lines of a kind that
is not known are passed over too, so that a kind can be added without a new schema.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hil.edges import EdgeTrace
from hil.errors import ResultsFile
from hil.limits import Limit
from hil.measurement import Measurement, Outcome, Sample
from hil.report.recorder import NAME, SCHEMA
from hil.report.run import About, NotCarried, Run
from hil.seams import BoardFacts
from hil.verdict import Verdict


def read(path: Path) -> Run:
    """The run in a file, or in a folder's results.jsonl. Raises ResultsFile for one that is not to be read."""
    file = path / NAME if path.is_dir() else path
    lines = _lines(file)
    if not lines or lines[0].get("kind") != "run":
        raise ResultsFile(f"{file} does not begin with a run", "name the folder that --report wrote, or its file")
    if lines[0].get("schema") != SCHEMA:
        raise ResultsFile(
            f"{file} has schema {lines[0].get('schema')} and this version reads {SCHEMA}",
            f"read it with the version that wrote it ({lines[0].get('version')}), or measure again",
        )
    try:
        return _run(file, lines)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ResultsFile(f"{file} is no run of this version ({error!r})", "measure again") from None


def _lines(file: Path) -> list[dict[str, Any]]:
    try:
        texts = file.read_bytes().split(b"\n")
    except OSError as error:
        raise ResultsFile(f"{file} cannot be read ({error})", "name a folder that --report wrote") from None
    lines = []
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text) if text else {}
        except ValueError:
            # Every whole line ends with a newline: what stands behind the last one was torn off with its writer.
            if number == len(texts):
                continue
            raise ResultsFile(f"{file}, line {number} is damaged", "restore the file, or measure again") from None
        if line:
            lines.append(line)
    return lines


def _run(file: Path, lines: list[dict[str, Any]]) -> Run:
    about = _about(lines[0])
    samples: dict[str, list[Sample]] = {}
    measurements: dict[str, Measurement] = {}
    verdicts, not_carried, traces = [], [], []
    for line in lines[1:]:
        match line["kind"]:
            case "sample":
                samples.setdefault(line["check"], []).append(_sample(line))
            case "measurement":
                check = line["check"]
                limits = tuple(Limit(**limit) for limit in line["limits"])
                taken = tuple(samples.pop(check, ()))
                measurements[check] = Measurement(check, limits, taken, tuple(line["notes"]))
            case "verdict":
                verdicts.append(line)
                if line["trace"] is not None:
                    traces.append((line["check"], line["worst"], line["trace"]))
            case "not carried":
                not_carried.append(NotCarried(line["check"], line["reason"]))
    traces = list(dict.fromkeys(traces))
    for check, place, relative in traces:
        measurements[check] = _with_trace(measurements[check], place, file.parent / relative)
    # Samples of a check that was under way when the run ended: they are there, and nobody has judged them.
    for check, taken_so_far in samples.items():
        measurements[check] = Measurement(check, (), tuple(taken_so_far), ("The run ended before this was judged.",))
    return Run(
        about,
        tuple(measurements.values()),
        tuple(_verdict(line, measurements) for line in verdicts),
        tuple(not_carried),
        tuple(traces),
        lines[-1]["kind"] == "end",
    )


def _with_trace(measurement: Measurement, place: int, file: Path) -> Measurement:
    """A trace that is gone (somebody kept the results and not the folder) costs the picture and nothing else."""
    if not file.exists():
        return measurement
    kept = json.loads(file.read_text(encoding="utf-8"))
    kept.pop("marks")
    trace = EdgeTrace(**{**kept, "t_ns": tuple(kept["t_ns"]), "level": tuple(kept["level"])})
    samples = list(measurement.samples)
    samples[place] = replace(samples[place], trace=trace)
    return replace(measurement, samples=tuple(samples))


def _about(line: dict[str, Any]) -> About:
    known = {name: value for name, value in line.items() if name not in {"kind", "schema", "boards"}}
    boards = [dict(board) for board in line["boards"]]
    return About(**known, boards=tuple((board.pop("name"), BoardFacts(**board)) for board in boards))


def _sample(line: dict[str, Any]) -> Sample:
    return Sample(**{name: value for name, value in line.items() if name not in {"kind", "check"}})


def _verdict(line: dict[str, Any], measurements: dict[str, Measurement]) -> Verdict:
    known = {name: value for name, value in line.items() if name not in {"kind", "trace"}}
    known["outcome"] = Outcome(line["outcome"])
    known["limit"] = None if line["limit"] is None else Limit(**line["limit"])
    known["interval"] = None if line["interval"] is None else tuple(line["interval"])
    known["worst"] = None if line["worst"] is None else measurements[line["check"]].samples[line["worst"]]
    return Verdict(**known)
