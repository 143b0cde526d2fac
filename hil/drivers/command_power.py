"""A board's power by two commands of the person who built the bench: a smart plug, a GPIO, whatever there is."""

from collections.abc import Sequence

from hil.drivers.commands import Run, run
from hil.errors import PowerFailed


class CommandPower:
    """`on` and `off` are programs with their arguments, no shell; an exit status other than 0 is a failure."""

    def __init__(self, on: Sequence[str], off: Sequence[str], run: Run = run) -> None:
        self._on, self._off, self._run = tuple(on), tuple(off), run

    def on(self) -> None:
        self._do(self._on)

    def off(self) -> None:
        self._do(self._off)

    def voltage_v(self) -> None:
        """Nothing measures it."""

    def close(self) -> None:
        """It stays as it is."""

    def _do(self, command: Sequence[str]) -> None:
        said = self._run(command)
        if said.status:
            raise PowerFailed(f"`{' '.join(command)}` failed ({said.words})", "try it in a terminal, then here again")
