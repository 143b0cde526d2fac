"""A board's power by two commands of the person who built the bench: a smart plug, a GPIO, whatever there is."""

from collections.abc import Sequence

from hil.drivers.commands import Run, obey, run
from hil.errors import PowerFailed


class CommandPower:
    """`on` and `off` are programs with their arguments, no shell; an exit status other than 0 is a failure."""

    def __init__(self, on: Sequence[str], off: Sequence[str], run: Run = run) -> None:
        self._on, self._off, self._run = tuple(on), tuple(off), run

    def on(self) -> None:
        obey(self._run, self._on, PowerFailed)

    def off(self) -> None:
        obey(self._run, self._off, PowerFailed)

    def voltage_v(self) -> None:
        """Nothing measures it."""

    def close(self) -> None:
        """It stays as it is."""
