"""The probe's side of its USB port: MicroPython's own standard input and output, as bytes. MicroPython only."""

import os
import select
import struct
import sys

import micropython  # type: ignore[import-not-found]

from hil.probe.program import Program

# Frames of the computer are shorter; a longer read would only delay the fetching of edges.
_MOST_BYTES = 64


class Stream:
    """Ctrl-C is a byte like any other from here to `close`."""

    def __init__(self) -> None:
        micropython.kbd_intr(-1)
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)

    def read(self) -> bytes:
        """What has come, which is often nothing; never waits."""
        data = b""
        while len(data) < _MOST_BYTES and self._poll.poll(0):
            byte = self._in.read(1)
            if not byte:
                break
            data += byte
        return data

    def write(self, data: bytes) -> None:
        """Waits for the computer. What the port drops is missed by its number there."""
        self._out.write(data)

    def close(self) -> None:
        micropython.kbd_intr(3)


def serve(capture, boot=None) -> None:  # type: ignore[no-untyped-def]
    """Run the probe on chip `capture` until the computer asks for the prompt; `boot` is drawn when it is left out."""
    stream = Stream()
    program = Program(capture, stream, struct.unpack("<I", os.urandom(4))[0] if boot is None else boot)
    while program.turn():
        pass
    stream.close()
