"""results.jsonl: the run, its samples, measurements and verdicts, one JSON object a line, appended as they happen.

Samples stand before the measurement that holds them, measurements before their verdicts, so that a run which is killed
leaves everything that is known. The worst sample's trace is a file of its own in traces/, named in the verdict. Source
of the shape: `Recorder`; SCHEMA changes with it, unless only a kind or a field with a default is added.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from hil.errors import ResultsFile
from hil.measurement import Measurement, Sample
from hil.report.run import About
from hil.verdict import Verdict

SCHEMA = 1
NAME = "results.jsonl"
TRACES = "traces"


class Recorder:
    """Writes a run into a folder, which it makes: `sample` as each is taken or `measurement` with all at its end, then
    its verdicts, then `end`. Every line is with the system before the call returns. Raises ResultsFile for a folder
    that has a run already."""

    def __init__(self, directory: Path, about: About) -> None:
        self._directory = directory
        self._written: dict[str, int] = {}
        self._samples: dict[str, tuple[Sample, ...]] = {}
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = (directory / NAME).open("x", encoding="utf-8")
        except FileExistsError:
            raise ResultsFile(f"{directory} holds a run already", "name another folder with --report") from None
        except OSError as error:
            raise ResultsFile(f"{directory} cannot be written ({error})", "name another with --report") from None
        self._append(
            {
                "kind": "run",
                "schema": SCHEMA,
                **asdict(about),
                "boards": [{"name": name, **asdict(facts)} for name, facts in about.boards],
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def sample(self, check: str, sample: Sample) -> None:
        self._written[check] = self._written.get(check, 0) + 1
        kept = {name: value for name, value in vars(sample).items() if name != "trace"}
        self._append({"kind": "sample", "check": check, **kept})

    def measurement(self, measurement: Measurement) -> None:
        """Writes its samples too, but for those that `sample` has written: they are its first."""
        check = measurement.name
        for sample in measurement.samples[self._written.get(check, 0) :]:
            self.sample(check, sample)
        if self._written.get(check, 0) != len(measurement.samples):
            raise ValueError(f"{check}: {self._written[check]} samples written, {len(measurement.samples)} measured")
        self._samples[check] = measurement.samples
        self._append(
            {
                "kind": "measurement",
                "check": check,
                "samples": len(measurement.samples),
                "limits": [asdict(limit) for limit in measurement.limits],
                "notes": list(measurement.notes),
            }
        )

    def verdict(self, verdict: Verdict) -> None:
        line = {name: value for name, value in vars(verdict).items() if name not in {"limit", "worst"}}
        line["limit"] = None if verdict.limit is None else asdict(verdict.limit)
        line["worst"], line["trace"] = None, None
        if verdict.worst is not None:
            # By identity: two samples may be equal, and only one of them is this one.
            places = [i for i, s in enumerate(self._samples.get(verdict.check, ())) if s is verdict.worst]
            if not places:
                raise ValueError(f"{verdict.check}: the worst sample is none of the measurement's")
            line["worst"] = places[0]
            line["trace"] = self._save_trace(verdict.check, places[0], verdict.worst)
        self._append({"kind": "verdict", **line})

    def not_carried(self, check: str, reason: str) -> None:
        self._append({"kind": "not carried", "check": check, "reason": reason})

    def end(self, ended_ms: int) -> None:
        """Everything was tried; without this line the run counts as broken off."""
        self._append({"kind": "end", "ended_ms": ended_ms})

    def close(self) -> None:
        self._file.close()

    def _save_trace(self, check: str, place: int, sample: Sample) -> str | None:
        if sample.trace is None:
            return None
        relative = f"{TRACES}/{check}-{place}.json"
        path = self._directory / relative
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({**asdict(sample.trace), "marks": sample.marks}) + "\n", encoding="utf-8")
        return relative

    def _append(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False, allow_nan=False, default=_plain) + "\n")
        self._file.flush()


def _plain(value: object) -> object:
    """Analysers count in numpy's numbers; JSON has one kind."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r} is nothing that JSON can say")
