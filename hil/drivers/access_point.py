"""The access point of the boards, switched by commands of who built the bench, and asked whether it obeyed."""

import time
from collections.abc import Callable, Sequence

from hil.drivers.commands import Run, obey, run
from hil.errors import NetworkFailed

SETTLE_S = 20.0
ASK_EACH_S = 0.5


class AccessPoint:
    """`check` succeeds while the air is there: a ping of a board, a list of stations, what the maker offers."""

    def __init__(
        self,
        on: Sequence[str],
        off: Sequence[str],
        check: Sequence[str],
        run: Run = run,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._commands = {True: tuple(on), False: tuple(off)}
        self._check = tuple(check)
        self._run, self._now, self._sleep = run, now, sleep

    def on(self) -> None:
        self._switch(True)

    def off(self) -> None:
        self._switch(False)

    def _switch(self, is_on: bool) -> None:
        """Raises NetworkFailed when the command fails, or the air is not as it should within SETTLE_S."""
        command = self._commands[is_on]
        obey(self._run, command, NetworkFailed)
        deadline = self._now() + SETTLE_S
        while (self._run(self._check).status == 0) != is_on:
            if self._now() >= deadline:
                is_there = "not there" if is_on else "still there"
                raise NetworkFailed(
                    f"the access point is {is_there} {SETTLE_S:g} s after `{' '.join(command)}`",
                    f"look at what `{' '.join(self._check)}` says; [network.access_point] check must tell on from off",
                )
            self._sleep(ASK_EACH_S)
