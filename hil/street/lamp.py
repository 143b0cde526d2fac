"""One pole: power, state on flash, faults to order, and the process in which the firmware runs.

Power off is SIGKILL, because a feeder never says goodbye. Exit code 3 is the firmware's own reset, an end by SIGALRM
the watchdog's bite; both are answered as the chip would: by starting again. Exit for any other reason is kept and
shown, never hidden by a restart.
"""

import json
import signal
import subprocess
import threading
from pathlib import Path

from contract import limits
from hil.street import vm
from hil.street.plan import Pole

RESET_EXIT_CODE = 3
WATCHDOG_EXIT_CODE = -signal.SIGALRM


class Lamp:
    """A pole of the street with its flash folder; the folder outlives the power.

    `image` is the firmware in ROM (`vm.build_image`); the lamps of a street share one.
    """

    def __init__(
        self,
        pole: Pole,
        directory: Path,
        image: Path,
        server: tuple[str, int],
        simulation: dict[str, object],
        settings: dict[str, object],
    ):
        self.pole = pole
        self.directory = directory
        self.trace_file = directory / "trace.txt"
        self.log_file = directory / "log.txt"
        self.image = image
        self.resets = 0
        self.watchdog_bites = 0
        self.exit_codes: list[int] = []
        self._simulation = dict(simulation)
        self._process: subprocess.Popen[bytes] | None = None
        self._powered = False
        flash = directory / "flash"
        flash.mkdir(parents=True, exist_ok=True)
        self.flash = flash
        identity = {
            "endpoint": pole.endpoint,
            "serial": pole.mac.hex(),
            "server_host": server[0],
            "server_port": server[1],
            "sender_id": pole.mac.hex(),
            "recipient_id": limits.SERVER_ID.hex(),
            "master_secret": pole.master_secret.hex(),
            "master_salt": pole.master_salt.hex(),
            "settings": settings,
        }
        _write(flash / "identity.json", identity)
        self.simulate()

    def simulate(self, **changes: object) -> None:
        """Change the physics of this pole (supply, faults, weather); the board sees it within 250 ms."""
        self._simulation.update(changes)
        _write(self.flash / "simulation.json", self._simulation)

    def fail(self, *faults: str) -> None:
        """Plant exactly these faults, by name; none heals the pole."""
        self.simulate(faults=list(faults))

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def power_on(self) -> None:
        if not self._powered:
            self._powered = True
            self._start()

    def power_off(self) -> None:
        """The supply is gone: no goodbye, nothing flushed."""
        self._powered = False
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _start(self) -> None:
        arguments = ["--board", "simulated", "--directory", str(self.flash)]
        arguments += ["--trace", str(self.trace_file), "--verbose"]
        command = vm.command(self.image, arguments)
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.directory
            )
        self._process = process
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        code = process.wait()
        if not self._powered or self._process is not process:
            return
        if code == RESET_EXIT_CODE:
            self.resets += 1
        elif code == WATCHDOG_EXIT_CODE:
            self.watchdog_bites += 1
        else:
            self.exit_codes.append(code)
            return
        self._start()

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""


def _write(path: Path, value: object) -> None:
    """Write a JSON file so that a reader sees the old or the new one, never a torn one."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(path)
