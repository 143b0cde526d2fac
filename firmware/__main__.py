"""One lamp on a host: `micropython -m firmware --board simulated --directory DIR [--fault NAME]... [--verbose]`.

`--fault` breaks a simulated lamp; the names are those of `firmware.hal.simulated_conditions`. `--verbose` prints the
log and the way of every report to standard output, which is how the street in a box keeps its books. On the chip,
main.py does the same with the board `esp32`.
"""

import asyncio
import gc
import sys

from firmware.app import App
from firmware.codec import senml
from firmware.errors import LampError

USAGE = (
    "usage: micropython -m firmware --board simulated|posix --directory DIR [--trace FILE] [--fault NAME]... "
    "[--verbose]"
)
HEAP_PERIOD_MS = 5000


class Told:
    """A queue of reports that prints what was sent and what was acknowledged, and when (`ticks_ms()`); everything else
    is the queue's."""

    def __init__(self, queue, ticks_ms):
        self._queue = queue
        self._ticks_ms = ticks_ms
        self._sent = None
        self._words = ""

    def __getattr__(self, name):
        return getattr(self._queue, name)

    def next(self):
        found = self._queue.next()
        if found is not None and found[0] != self._sent:
            self._sent = found[0]
            self._words = _describe(found[1])
            self._tell("sent")
        return found

    def acknowledge(self, key):
        if key == self._sent:
            self._tell("acknowledged")
        self._queue.acknowledge(key)

    def _tell(self, what):
        print("report %s %s ticks_ms=%d" % (what, self._words, self._ticks_ms()))


def _describe(payload):
    """Kind and time of a report; a fault is one Boolean, telemetry shows the level."""
    records = senml.decode_cbor(payload, 0)
    kind = "fault" if isinstance(records[0].value, bool) else "telemetry"
    return "kind=%s at_s=%s" % (kind, records[0].time_s)


def parse(words):
    """The arguments as a dict; raises ValueError with the word that is wrong."""
    arguments = {"verbose": False, "faults": []}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--verbose":
            arguments["verbose"] = True
        elif word == "--fault" and rest:
            arguments["faults"].append(rest.pop(0))
        elif word in ("--board", "--directory", "--trace") and rest:
            arguments[word[2:]] = rest.pop(0)
        else:
            raise ValueError("cannot use %s" % word)
    for name in ("board", "directory"):
        if name not in arguments:
            raise ValueError("--%s is missing" % name)
    return arguments


def open_board(arguments):
    """The board that the arguments name; raises ValueError."""
    if arguments["board"] == "simulated":
        from firmware.hal import simulated as module
    elif arguments["board"] == "posix":
        from firmware.hal import posix as module
    else:
        raise ValueError("there is no board %s on a host" % arguments["board"])
    return module.open_board(arguments)


async def main(app, verbose):
    if verbose:
        app.heap = asyncio.create_task(_tell_heap(app))
    await app.run()


async def _tell_heap(app):
    """Say how much of the heap is in use whenever it is more than ever before, for the budget of `make image`."""
    most = 0
    while hasattr(gc, "mem_alloc"):
        used = gc.mem_alloc()
        if used > most:
            most = used
            print("heap_used_bytes=%d" % used)
        await app.board.sleep_ms(HEAP_PERIOD_MS)


if __name__ == "__main__":
    try:
        chosen = parse(sys.argv[1:])
        board = open_board(chosen)
        lamp = App(board, print, lambda queue: Told(queue, board.ticks_ms)) if chosen["verbose"] else App(board)
    except (ValueError, LampError) as error:
        print("%s\n%s" % (error, USAGE))
        sys.exit(2)
    asyncio.run(main(lamp, chosen["verbose"]))
