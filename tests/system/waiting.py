"""Waiting for what must happen, and ports that nobody uses: the only place in this layer that sleeps."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

LOOK_EVERY_S = 0.02


def until(ask: Callable[[], Value], deadline_s: float, what: str) -> Value:
    """The first answer of `ask` that is true; fails with `what` and the last answer after `deadline_s`."""
    deadline = time.monotonic() + deadline_s
    while True:
        found = ask()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_s:g} s: {what} (last: {found!r})")
        time.sleep(LOOK_EVERY_S)


def free_ports() -> tuple[int, int]:
    """A TCP port and a UDP port of 127.0.0.1 that were free a moment ago."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        return tcp.getsockname()[1], udp.getsockname()[1]
