"""What a run shows: a list of steps with bars for a person, or JSON lines for a program. Nothing else prints in a run.

JSON lines: `{"step", "state", "bytes", "total", "percent"}`, states `started`, `running`, `done`, `skipped`, `failed`;
a failed step adds `code`, `exit_status`, `detail`, `advice`; facts (`mac`, `endpoint` ...) stand beside. The last line
of a run is the step `run`, `done` or `failed`.
"""

import json
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from provisioning.errors import Failure
from provisioning.screen_texts import step as title
from provisioning.screen_texts import word

_TITLE_WIDTH = 26
_RUNNING_LINES = 100  # At most so many lines of JSON tell a step's progress: one a percent.


class Screen(Protocol):
    """Where a run is shown. `done_bytes` and `total` are bytes, 0 where a step has none."""

    def step(self, step: str, state: str, done_bytes: int = 0, total: int = 0, **facts: Any) -> None: ...

    def failed(self, step: str, failure: Failure) -> None: ...

    def close(self) -> None: ...


class JsonScreen:
    """JSON lines on `out`, flushed one by one, so that a program reads along."""

    def __init__(self, out: TextIO, language: str = "en") -> None:
        self._out = out
        self._language = language
        self._last: tuple[str, int] = ("", -1)

    def step(self, step: str, state: str, done_bytes: int = 0, total: int = 0, **facts: Any) -> None:
        if state == "done" and total:
            done_bytes = total
        percent = 100.0 if state == "done" else round(100 * done_bytes / total, 1) if total else 0.0
        mark = (step, int(percent * _RUNNING_LINES / 100))
        if state == "running" and mark == self._last:
            return
        self._last = mark
        self._line({"step": step, "state": state, "bytes": done_bytes, "total": total, "percent": percent, **facts})

    def failed(self, step: str, failure: Failure) -> None:
        self.step(step, "failed", **told(failure, self._language))

    def close(self) -> None:
        self._out.flush()

    def _line(self, fields: dict[str, Any]) -> None:
        self._out.write(json.dumps(fields, ensure_ascii=True) + "\n")
        self._out.flush()


class RichScreen:
    """Steps for a person. Finished ones stay as lines; the running one has a bar, on a terminal only.

    `clock` gives seconds that never go back.
    """

    def __init__(self, console: Console, language: str, clock: Callable[[], float]) -> None:
        self._console = console
        self._language = language
        self._clock = clock
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._started: dict[str, float] = {}

    def step(self, step: str, state: str, done_bytes: int = 0, total: int = 0, **facts: Any) -> None:
        if state in ("started", "running"):
            self._started.setdefault(step, self._clock())
            if self._console.is_terminal:
                self._bar(step, done_bytes, total)
            return
        self._unbar()
        if step == "run":
            self._verdict(facts)
            return
        took_s = self._clock() - self._started.pop(step, self._clock())
        note = word("skipped", self._language) if state == "skipped" else f"{took_s:.1f} s"
        told_facts = ", ".join(str(value) for value in facts.values() if value not in ("", None))
        mark, style = ("-", "dim") if state == "skipped" else ("✓", "green")
        line = Text.assemble((mark, style), " ", title(step, self._language).ljust(_TITLE_WIDTH), note.rjust(10))
        self._console.print(line if not told_facts else line.append("  " + told_facts, "dim"), soft_wrap=True)

    def failed(self, step: str, failure: Failure) -> None:
        self._unbar()
        self._console.print(Text.assemble(("✗", "red"), " ", title(step, self._language)), soft_wrap=True)
        show_failure(self._console, failure, self._language)

    def close(self) -> None:
        self._unbar()

    def _verdict(self, facts: dict[str, Any]) -> None:
        verdict = facts.pop("verdict", "good")
        self._console.print()
        self._console.print(Text(word(verdict, self._language), "bold green" if verdict == "good" else "bold"))
        for name, value in facts.items():
            if value not in ("", None):
                self._console.print(Text(f"  {name:<10}{value}"), soft_wrap=True)

    def _bar(self, step: str, done_bytes: int, total: int) -> None:
        if self._progress is None:
            columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._progress.start()
            self._task = self._progress.add_task(title(step, self._language), total=None)
        assert self._task is not None
        self._progress.update(self._task, completed=done_bytes, total=total or None)

    def _unbar(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = self._task = None


def told(failure: Failure, language: str) -> dict[str, Any]:
    """A failure as JSON tells it."""
    return {
        "code": failure.code,
        "exit_status": failure.exit_status,
        "detail": failure.detail,
        "advice": failure.advice(language),
    }


def show_failure(console: Console, failure: Failure, language: str) -> None:
    """The verdict, the code with what was met, and what to do."""
    console.print()
    if 10 <= failure.exit_status < 50 or failure.exit_status in (71, 130):
        console.print(Text(word("bad", language), "bold red"))
    detail = f" ({failure.detail})" if failure.detail else ""
    console.print(Text(f"  {word('code', language)}: {failure.code}{detail}"), soft_wrap=True)
    console.print(Text(f"  {failure.advice(language)}"), soft_wrap=True)
