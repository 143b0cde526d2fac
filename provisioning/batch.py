"""Many boards: one child process a port, a board swapped when it is done, until every lamp of the manifest has one.

The journal is what a batch remembers: a run after a crash goes on from it, and two technicians at one computer never
give one lamp to two boards (`assignment`). A port whose board is done rests until the board was swapped: until the port
went away and came back, or, in a jig whose adapter stays plugged in, until another MAC answers.
"""

import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from provisioning import assignment
from provisioning.child import Child, Ended
from provisioning.errors import Failure
from provisioning.journal import Journal
from provisioning.manifest import Manifest, check_serials
from provisioning.plate import Plate
from provisioning.ports import Port

POLL_S = 0.2
SILENCE_S = 180.0  # No step of a board is silent that long; the child hangs.
JIG_S = 5.0
LEAST_FREE_BYTES = 32 * 1024 * 1024  # Journal, labels and summary of a long day.


class BatchScreen(Protocol):
    """Where a batch is shown: one line a port."""

    def tell(self, port: str, fields: dict[str, Any]) -> None: ...

    def assigned(self, port: str, plate: Plate) -> None: ...

    def ended(self, ended: Ended, finished: int, total: int) -> None: ...

    def gone(self, port: str) -> None: ...


@dataclass
class Batch:
    """A batch over the ports that `lister` finds. `command(port)` is the child's; `clock` gives seconds.

    It ends when every lamp has a finished board, after `stop`, or when nothing was at work for `idle_s` (None: never).
    """

    folder: Path
    journal: Journal
    manifest: Manifest
    command: Callable[[str], Sequence[str]]
    lister: Callable[[], Iterable[Port]]
    screen: BatchScreen
    jobs: int = 8
    replace: bool = False
    is_jig: bool = False
    idle_s: float | None = None
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _running: dict[str, Child] = field(default_factory=dict, init=False)
    _resting: dict[str, float] = field(default_factory=dict, init=False)
    _done: "queue.Queue[Ended]" = field(default_factory=queue.Queue, init=False)
    _macs: dict[str, str] = field(default_factory=dict, init=False)
    _made: set[str] = field(default_factory=set, init=False)
    _stopping: bool = field(default=False, init=False)
    _known: tuple[int, int] = field(default=(-1, 0), init=False)

    def run(self) -> list[Ended]:
        """Every board that was worked on, in the order they ended. Failure before anything is touched: `disk_full`,
        `serial_used`, `journal_broken`."""
        self._check()
        ended: list[Ended] = []
        worked = self.clock()
        while True:
            self._look(list(self.lister()))
            ended += self._gather()
            if self._running:
                worked = self.clock()
            elif self._stopping or not self.left() or self._is_idle(worked):
                return ended
            self.pause(POLL_S)

    def stop(self) -> None:
        """Finish the boards that are at work, and begin no other."""
        self._stopping = True

    def kill(self) -> None:
        """End the children too."""
        self._stopping = True
        for child in list(self._running.values()):
            child.kill()

    def left(self) -> int:
        """How many lamps of the manifest have no finished board; another batch may finish some."""
        size = self.journal.size()
        if size != self._known[0]:
            finished = assignment.finished(self.manifest.rows, self.journal.boards())
            self._known = (size, len(self.manifest.rows) - len(finished))
        return self._known[1]

    def _is_idle(self, worked: float) -> bool:
        return self.idle_s is not None and self.clock() - worked >= self.idle_s

    def _check(self) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < LEAST_FREE_BYTES:
            raise Failure("disk_full", f"{self.folder}: {free // 1024 // 1024} MB are free")
        if not self.replace:
            check_serials(self.manifest.rows, assignment.serials(self.journal.entries()))

    def _look(self, ports: Sequence[Port]) -> None:
        devices = {port.device for port in ports}
        for device in [device for device in self._resting if device not in devices]:
            del self._resting[device]
            self.screen.gone(device)
        for child in self._running.values():
            if self.clock() - child.heard > SILENCE_S:
                child.kill()
        for port in ports:
            rests = port.device in self._resting
            is_due = self.is_jig and rests and self.clock() - self._resting[port.device] >= JIG_S
            if port.device in self._running or (rests and not is_due):
                continue
            if self._stopping or len(self._running) >= self.jobs:
                return
            self._begin(port.device)

    def _begin(self, device: str) -> None:
        child = Child(self.command(device), device, lambda mac: self._choose(device, mac), self.screen.tell, self.clock)
        self._running[device] = child
        self._resting.pop(device, None)
        threading.Thread(target=lambda: self._done.put(child.run()), name=device, daemon=True).start()

    def _choose(self, device: str, mac: str) -> Plate:
        if mac in self._made:
            raise assignment.NothingLeft(mac)  # The board in the jig was not swapped yet.
        others = {known for port, known in self._macs.items() if port != device}
        if mac in others:
            raise Failure("mac_known", f"{mac} is at work on another port")
        self._macs[device] = mac
        try:
            plate = assignment.claim(
                self.folder,
                self.journal,
                self.manifest.rows,
                mac,
                replace=self.replace,
                manifest=self.manifest.sha256,
                is_busy=lambda other: other in others,
            )
        except Failure as failure:
            if failure.code == "already_sealed":  # Of this very manifest, from an earlier run: it is good.
                raise assignment.NothingLeft(mac) from None
            raise
        self.screen.assigned(device, plate)
        return plate

    def _gather(self) -> list[Ended]:
        gathered = []
        while not self._done.empty():
            one = self._done.get()
            del self._running[one.port]
            self._macs.pop(one.port, None)
            self._resting[one.port] = self.clock()
            if one.code == "" and one.has_work:
                self._made.add(one.mac)
            total = len(self.manifest.rows)
            self.screen.ended(one, total - self.left(), total)
            if one.has_work:
                gathered.append(one)
        return gathered
