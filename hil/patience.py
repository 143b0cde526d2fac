"""Waiting for what must happen: the one place of the bench that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

from hil.errors import NothingSeen

Value = TypeVar("Value")

LOOK_EVERY_S = 0.01
ADVICE = "look at the lamp's log and at the wiring; `streetlight hil doctor` says which part is silent"


def until(
    ask: Callable[[], Value], deadline_s: float, what: str, advice: str = ADVICE, every_s: float = LOOK_EVERY_S
) -> Value:
    """The first answer of `ask` that is true; raises NothingSeen with `what` after `deadline_s`."""
    deadline = time.monotonic() + deadline_s
    while True:
        found = ask()
        if found:
            return found
        if time.monotonic() > deadline:
            raise NothingSeen(f"not within {deadline_s:g} s: {what}", advice)
        time.sleep(every_s)


def pause(until_ns: int) -> None:
    """Wait for a host moment (`time.monotonic_ns`); returns at once when it has passed."""
    time.sleep(max(0.0, (until_ns - time.monotonic_ns()) / 1e9))
