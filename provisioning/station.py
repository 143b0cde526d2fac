"""Does what a procedure asks for, one step after the other, and shows it: the thin shell around a run.

It owns the port: the chip's loader while the flash is written, the board's prompt after `Boot`; never both.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from provisioning import steps
from provisioning.base_image import Segment
from provisioning.chips import Found
from provisioning.enrolment import Backend, Known, Outcome
from provisioning.errors import Failure
from provisioning.firmware_files import Firmware
from provisioning.journal import Board, Journal
from provisioning.plate import Plate, format_mac
from provisioning.screen import Screen

Progress = Callable[[int, int], None]
_QUIET = (steps.AskPlate, steps.Recall, steps.Note)  # of a fraction of a second, between the steps that people see


class Chip(Protocol):
    """`flasher.Flasher`."""

    found: Found

    def read(self, address: int, size: int, progress: Progress | None = None) -> bytes: ...
    def erase(self, address: int, size: int) -> None: ...
    def write(self, segments: tuple[Segment, ...], progress: Progress | None = None) -> None: ...
    def md5(self, address: int, size: int) -> str: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...


class Prompt(Protocol):
    """`console.Console`."""

    def ask(self, code: str, timeout_s: float = 30.0) -> Any: ...
    def hash_files(self, paths: tuple[str, ...]) -> dict[str, str]: ...
    def restart(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Tools:
    """What a station works with. `open_chip` and `open_prompt` open its port; `backend` None: nobody to ask."""

    open_chip: Callable[[], Chip]
    open_prompt: Callable[[], Prompt]
    journal: Journal
    backend: Backend | None
    load_firmware: Callable[[str, bool], Firmware]
    ask_plate: Callable[[bytes], Plate]
    backup: Callable[[bytes, bytes], str]
    label: Callable[[str, str, str], str]


class Station:
    """One port. `run` drives a procedure to its end; the port is closed then, whatever the end was."""

    def __init__(self, tools: Tools, screen: Screen) -> None:
        self._tools = tools
        self._screen = screen
        self._chip: Chip | None = None
        self._prompt: Prompt | None = None
        self._shown = ""

    def run(self, procedure: Generator[steps.Step, Any, Any]) -> Any:
        """What the procedure returns; its Failure was shown."""
        try:
            step = next(procedure)
            while True:
                try:
                    answer = self._do(step)
                except Failure as failure:
                    step = procedure.throw(failure)
                else:
                    step = procedure.send(answer)
        except StopIteration as end:
            self._show_end()
            return end.value
        except Failure as failure:
            self._screen.failed(self._shown or "run", failure)
            self._shown = ""
            raise
        finally:
            procedure.close()
            self.close()

    def close(self) -> None:
        """Give the port back."""
        for opened in (self._chip, self._prompt):
            if opened is not None:
                opened.close()
        self._chip = self._prompt = None

    def _do(self, step: steps.Step) -> Any:
        if not isinstance(step, _QUIET):
            self._show(step.name)
        return _DEEDS[type(step)](self, step)

    def _show(self, name: str) -> None:
        if name != self._shown:
            self._show_end()
            self._shown = name
            self._screen.step(name, "started")

    def _show_end(self, **facts: Any) -> None:
        if self._shown:
            self._screen.step(self._shown, "done", **facts)
        self._shown = ""

    def _tell(self, done: int, total: int) -> None:
        self._screen.step(self._shown, "running", done, total)

    @property
    def _loader(self) -> Chip:
        assert self._chip is not None, "a procedure detects first"
        return self._chip

    @property
    def _console(self) -> Prompt:
        assert self._prompt is not None, "a procedure boots before it asks"
        return self._prompt

    def _detect(self, _: steps.Detect) -> Found:
        self._chip = self._tools.open_chip()
        found = self._chip.found
        self._show_end(chip=found.chip.shown, mac=format_mac(found.mac) if found.mac else "")
        return found

    def _ask_plate(self, step: steps.AskPlate) -> Plate:
        return self._tools.ask_plate(step.mac)

    def _recall(self, step: steps.Recall) -> Board | None:
        return self._tools.journal.board(format_mac(step.mac))

    def _read(self, step: steps.Read) -> bytes:
        return self._loader.read(step.address, step.size, self._tell)

    def _erase(self, step: steps.Erase) -> None:
        total = sum(size for _, size in step.regions)
        done = 0
        for address, size in step.regions:
            self._loader.erase(address, size)
            done += size
            self._tell(done, total)

    def _write(self, step: steps.Write) -> None:
        self._loader.write(step.segments, self._tell)

    def _digest(self, step: steps.Digest) -> list[str]:
        return [self._loader.md5(address, size) for address, size in step.regions]

    def _load_firmware(self, step: steps.LoadFirmware) -> Firmware:
        return self._tools.load_firmware(step.chip, step.with_romfs)

    def _boot(self, _: steps.Boot) -> None:
        self._loader.reset()
        self._chip = None
        self._prompt = self._tools.open_prompt()

    def _run_script(self, step: steps.Run) -> Any:
        return self._console.ask(step.script, step.timeout_s)

    def _hash(self, step: steps.Hash) -> dict[str, str]:
        return self._console.hash_files(step.paths)

    def _backup(self, step: steps.Backup) -> str:
        return self._tools.backup(step.mac, step.document)

    def _note(self, step: steps.Note) -> None:
        self._tools.journal.append(step.event, mac=format_mac(step.mac), **step.facts)

    def _enrol(self, step: steps.Enrol) -> Outcome:
        if self._tools.backend is None:
            raise Failure("backend_down", "neither --backend nor --offline was given")
        return self._tools.backend.enrol(step.order)

    def _lookup(self, step: steps.Lookup) -> Known | None:
        return self._tools.backend.find(step.endpoint) if self._tools.backend is not None else None

    def _label(self, step: steps.Label) -> str:
        return self._tools.label(step.endpoint, step.asset_id, step.serial)

    def _start(self, _: steps.Start) -> None:
        """Let the lamp run: from its prompt, or from the loader."""
        if self._prompt is not None:
            self._prompt.restart()
        elif self._chip is not None:
            self._chip.reset()
        self.close()


_DEEDS: Mapping[type[Any], Callable[[Station, Any], Any]] = {
    steps.Detect: Station._detect,
    steps.AskPlate: Station._ask_plate,
    steps.Recall: Station._recall,
    steps.Read: Station._read,
    steps.Erase: Station._erase,
    steps.Write: Station._write,
    steps.Digest: Station._digest,
    steps.LoadFirmware: Station._load_firmware,
    steps.Boot: Station._boot,
    steps.Run: Station._run_script,
    steps.Hash: Station._hash,
    steps.Backup: Station._backup,
    steps.Note: Station._note,
    steps.Enrol: Station._enrol,
    steps.Lookup: Station._lookup,
    steps.Label: Station._label,
    steps.Start: Station._start,
}
