"""Runs on the MicroPython VM, from ROM: the lamp with all that it may have to hold, and what is then left of the heap.

Arguments: the flash folder, files with Write-Composite payloads. Prints one line `name=bytes` for each stage, measured
after a collection; any MemoryError ends it.
"""

import asyncio
import gc
import sys

from firmware.app import App
from firmware.hal import simulated

ROUNDS = 3
EVENING_S = 1_804_679_000  # 2027-03-10 18:43 in Ho Chi Minh City: a program is in force
REPORTS = 45  # a segment on flash, one that is being read back, and RAM as full as it gets
REPORT_BYTES = 180
LINES = 60


class Request:
    """A Write-Composite to the root, as the CoAP layer hands it over."""

    code = 0x07
    observation = None

    def __init__(self, payload):
        self.payload = payload

    def path(self):
        return ""

    def query(self):
        return []

    def option(self, number):
        return None

    def uint(self, number):
        return 112


def tell(stage):
    gc.collect()
    print(f"{stage}={gc.mem_alloc()}")


def write(lamp, name):
    with open(name, "rb") as file:  # noqa: PTH123 -- MicroPython
        answer = lamp.operations.handle(Request(file.read()))
    lamp.light.refresh()
    if answer.code != 0x44:
        raise ValueError(f"{name} answered {answer.code} {answer.payload}")


async def load(directory, payloads):
    gc.collect()
    lamp = App(simulated.open_board({"directory": directory}))
    running = asyncio.create_task(lamp.run())
    await asyncio.sleep_ms(500)
    tell("running")
    lamp.parts.clock.set_s(EVENING_S, lamp.board.rtc_ms())
    for _ in range(ROUNDS):
        for name in payloads:
            write(lamp, name)
            await asyncio.sleep_ms(100)
    # By now the watch has been round, and let go of what was read from flash.
    await asyncio.sleep_ms(1500)
    tell("schedule")
    for _ in range(REPORTS):
        lamp.parts.queue.put("telemetry", bytes(REPORT_BYTES))
    for number in range(LINES):
        lamp.log.note("a line of the length that is usual", number=number, reason="so that the ring is full")
    tell("full")
    for name in payloads:
        write(lamp, name)
    while lamp.parts.queue.waiting():
        lamp.parts.queue.acknowledge(lamp.parts.queue.next()[0])
    await asyncio.sleep_ms(1500)
    tell("after")
    running.cancel()


asyncio.run(load(sys.argv[1], sys.argv[2:]))
