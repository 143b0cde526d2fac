"""One board of a batch: the single-board command in a process of its own, read along, and given its plate.

The child says which board it found and waits for one line; nothing is written to the board before it came. It runs in
a session of its own, so that Ctrl-C at the batch lets boards that are at work be finished.
"""

import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Any

from provisioning.assignment import NothingLeft
from provisioning.codes import ALL
from provisioning.errors import Failure
from provisioning.plate import Plate

_TOLD_BYTES = 400  # Of what a child that fails by itself said last.


@dataclass(frozen=True)
class Ended:
    """What became of one board. `code` "" is good; `has_work` is False when the manifest had no lamp left for it."""

    port: str
    mac: str = ""
    endpoint: str = ""
    asset_id: str = ""
    serial: str = ""
    code: str = ""
    detail: str = ""
    took_s: float = 0.0
    has_work: bool = True
    is_good: bool = False
    """Without work, because it is a finished lamp of this manifest."""


@dataclass
class Child:
    """A running child of `command` on `port`; `choose(mac)` gives the plate, `tell(port, fields)` hears every line."""

    command: Sequence[str]
    port: str
    choose: Callable[[str], Plate]
    tell: Callable[[str, dict[str, Any]], None]
    clock: Callable[[], float] = time.monotonic
    heard: float = field(init=False)
    """When it last said something, by `clock`."""
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _refusal: Failure | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.heard = self.clock()

    def run(self) -> Ended:
        """Until the process ends; never raises for what the board, the child or the choice did."""
        began = self.clock()
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
            try:
                self._process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    encoding="utf-8",
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                return Ended(self.port, code="tool_failed", detail=error.strerror or "cannot start")
            with self._process as process:
                ended = self._listen(process)
            return replace(self._judged(ended, process.returncode, complaints), took_s=self.clock() - began)

    def kill(self) -> None:
        """End the process; the board is then clearly not good, because it is not sealed."""
        if self._process is not None:
            self._process.kill()

    def _listen(self, process: subprocess.Popen[str]) -> Ended:
        assert process.stdout is not None
        ended = Ended(self.port, code="tool_failed")
        for line in process.stdout:
            self.heard = self.clock()
            try:
                fields = json.loads(line)
            except ValueError:
                continue
            if not isinstance(fields, dict):
                continue
            self.tell(self.port, fields)
            step, state = fields.get("step"), fields.get("state")
            if step == "detect" and state == "done" and fields.get("mac") and not ended.mac:
                ended = self._answer(process, replace(ended, mac=str(fields["mac"])))
            elif state == "failed":
                ended = replace(ended, code=str(fields.get("code")), detail=str(fields.get("detail", "")))
            elif step == "run" and state == "done":
                ended = replace(ended, code="", endpoint=str(fields.get("endpoint", "")))
        return ended

    def _answer(self, process: subprocess.Popen[str], ended: Ended) -> Ended:
        assert process.stdin is not None
        line = ""
        try:
            plate = self.choose(ended.mac)
            ended = replace(ended, asset_id=plate.asset_id, serial=plate.serial)
            line = json.dumps(plate.document())
        except NothingLeft as nothing:
            ended = replace(ended, has_work=False, is_good=bool(nothing.args))
        except Failure as failure:
            self._refusal = failure
        # A child that died meanwhile tells so by its status.
        with contextlib.suppress(OSError):
            process.stdin.write(line + "\n")
            process.stdin.close()
        return ended

    def _judged(self, ended: Ended, status: int, complaints: IO[str]) -> Ended:
        if not ended.has_work:
            return replace(ended, code="")
        if self._refusal is not None:
            return replace(ended, code=self._refusal.code, detail=self._refusal.detail)
        if status == 0 and ended.code == "":
            return ended
        if ended.code in ("", "tool_failed"):
            complaints.seek(0)
            said = " ".join(complaints.read().split())[-_TOLD_BYTES:]
            code = next((code.name for code in ALL.values() if code.exit_status == status), "tool_failed")
            return replace(ended, code=code, detail=said or f"ended with status {status}")
        return ended
