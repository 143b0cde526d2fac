"""Programs of this computer that switch and ask something: uhubctl, chronyc, sigrok-cli, the access point's own."""

import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple

from hil.errors import BenchError

TIMEOUT_S = 15.0
# As a shell says it.
TOO_LATE, NOT_THERE = 124, 127


class Said(NamedTuple):
    """What a program answered. `status` 0 is success; NOT_THERE when there is no such program, TOO_LATE."""

    status: int
    out: str
    error: str

    @property
    def words(self) -> str:
        """Its last line, for a message."""
        lines = (self.error.strip() or self.out.strip()).splitlines()
        return lines[-1][:200] if lines else f"exit status {self.status}"


Run = Callable[[Sequence[str]], Said]


def obey(run: Run, command: Sequence[str], failure: type[BenchError]) -> None:
    """Have a command of who built the bench run; raises `failure` when its exit status is not 0."""
    said = run(command)
    if said.status:
        raise failure(f"`{' '.join(command)}` failed ({said.words})", "try it in a terminal, then here again")


def run(command: Sequence[str]) -> Said:
    """Run it to its end; nothing is raised."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return Said(TOO_LATE, "", f"{command[0]} did not end within {TIMEOUT_S:g} s")
    except OSError as error:
        return Said(NOT_THERE, "", f"{command[0]}: {error.strerror}")
    return Said(done.returncode, done.stdout, done.stderr)
