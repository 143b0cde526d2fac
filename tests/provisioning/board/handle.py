"""The handle of a test on a simulated board, which runs as a process of its own."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parents[3]


class SimulatedBoard:
    """A context manager: the board is powered while it is entered. `state` keeps flash and fuses from run to run.

    `port` is what a tool is given. Waiting is for events, never for time.
    """

    def __init__(self, state=None, chip="esp32", mac="24:0a:c4:00:be:ef", flash_mb=4, faults=(), seed=0, link=None):
        self._own = tempfile.TemporaryDirectory(prefix="board-") if state is None else None
        self.state = Path(self._own.name if self._own else state)
        self.port = str(link or self.state / "tty")
        self.mac = mac
        self.chip = chip
        self.events = []
        self._arguments = ["--chip", chip, "--mac", mac, "--flash-mb", str(flash_mb), "--seed", str(seed)]
        for fault in faults:
            self._arguments += ["--fault", fault]
        self._changed = threading.Condition()
        self._ids = itertools.count()
        self._process = None
        self._ended = False

    def __enter__(self):
        self.state.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", "tests.provisioning.board", "--control"]
        command += ["--state", str(self.state), "--link", self.port, *self._arguments]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.wait_for("plugged")
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._process.stdout.close()
        if self._own:
            self._own.cleanup()

    def _listen(self):
        for line in self._process.stdout:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, event, timeout_s=10.0, since=0, **facts):
        """The first event of this name and with these facts from index `since` on; AssertionError when none comes."""

        def found():
            return next((e for e in self.events[since:] if e["event"] == event and facts.items() <= e.items()), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._ended, timeout_s)
            got = found()
        assert got is not None, f"no {event} {facts} came; the last were {self.events[-5:]}"
        return got

    def wait_for_text(self, text, timeout_s=10.0, since=0):
        """Wait until the program prints a line that holds `text`, from event `since` on; gives the line."""

        def found():
            lines = (e["text"] for e in self.events[since:] if e["event"] == "printed")
            return next((line for line in lines if text in line), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._ended, timeout_s)
            line = found()
        assert line is not None, f"{text!r} was not printed; the last were {self.events[-5:]}"
        return line

    def _do(self, action, **arguments):
        number = next(self._ids)
        self._process.stdin.write(json.dumps({"id": number, "do": action, **arguments}) + "\n")
        self._process.stdin.flush()
        error = self.wait_for("done", id=number).get("error")
        if error:
            raise ValueError(error)

    def unplug(self):
        """Pull the cable; the board loses its power."""
        self._do("unplug")

    def plug(self):
        self._do("plug")

    def fault(self, text):
        """Let a fault of faults.py come: "unplug:command=7"."""
        self._do("fault", fault=text)

    def clear_faults(self):
        self._do("clear")

    def burn(self, fuse):
        """Burn an eFuse by its name in efuses.py: "secure_boot"."""
        self._do("burn", fuse=fuse)

    def surround(self, **world):
        """Change the board's world: `conditions`, `air`, `wiring`; see chip/world.py."""
        self.state.mkdir(parents=True, exist_ok=True)
        new = self.state / "world.new"
        new.write_text(json.dumps(world))
        new.replace(self.state / "world.json")

    @property
    def flash(self):
        """What the flash holds now."""
        return (self.state / "flash.bin").read_bytes()

    @property
    def efuse_file(self):
        """The file that espefuse's virtual mode can be given."""
        return self.state / "efuses.bin"


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
