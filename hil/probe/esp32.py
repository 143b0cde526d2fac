"""A probe on an ESP32: an interrupt in MicroPython stamps each edge in microseconds. The poorer second.

The interrupt waits for what MicroPython does at the moment, a garbage collection at worst, so a stamp is late by tens
of microseconds and rarely by milliseconds: good for a light that changes, not for the duty of its dimming. A pulse that
is over before its interrupt comes is noticed when only one of its two edges was taken, and is an overflow.
"""

import struct
import sys
import time
from binascii import hexlify

import machine  # type: ignore[import-not-found]

from hil.probe.stream import serve

PINS = (34, 35, 32, 33)


class Capture:
    """Four channels at PINS; a ring of stamps each."""

    CHANNELS = 4
    COUNTER_BITS = 30  # of ticks_us
    STEP_PS = 1_000_000
    UNCERTAINTY_NS = 2_000_000
    RING_WORDS = 1024

    def __init__(self) -> None:
        self._pins = [machine.Pin(number, machine.Pin.IN) for number in PINS]
        self._rings = [bytearray(4 * self.RING_WORDS) for _ in PINS]
        self._written = [0] * len(PINS)
        self._read = [0] * len(PINS)
        self._level = [0] * len(PINS)
        self._lost = 0
        self._begun = 0

    def name(self) -> str:
        return "esp32-irq " + hexlify(machine.unique_id()).decode() + " " + sys.version

    def ticks_us(self) -> int:
        return time.ticks_us()  # type: ignore[attr-defined,no-any-return]

    def start(self, mask: int) -> int:
        for pin in self._pins:
            pin.irq(handler=None)
        self._lost = 0
        self._begun = self.ticks_us()
        for channel, pin in enumerate(self._pins):
            self._written[channel] = self._read[channel] = self._level[channel] = 0
            if mask >> channel & 1:
                self._watch(channel, pin)
        return self._begun

    def _watch(self, channel: int, pin) -> None:  # type: ignore[no-untyped-def]
        ring, written, level = self._rings[channel], self._written, self._level

        def stamp(pin) -> None:  # type: ignore[no-untyped-def]
            at = time.ticks_us() - self._begun & 0x3FFFFFFF  # type: ignore[attr-defined]
            now = pin.value()
            if now == level[channel]:
                self._lost |= 1 << channel
                return
            level[channel] = now
            struct.pack_into("<I", ring, 4 * (written[channel] % self.RING_WORDS), at)
            written[channel] += 1

        pin.irq(handler=stamp, trigger=machine.Pin.IRQ_RISING | machine.Pin.IRQ_FALLING)
        if pin.value() and not level[channel]:
            stamp(pin)  # each channel begins dark; one that is lit has its first edge now

    def drain(self, channel: int, most: int) -> bytes:
        written, read = self._written[channel], self._read[channel]
        if written - read > self.RING_WORDS:
            self._lost |= 1 << channel
        start = read % self.RING_WORDS
        count = min(written - read, most, self.RING_WORDS - start)
        self._read[channel] += count
        return bytes(self._rings[channel][4 * start : 4 * (start + count)])

    def levels(self) -> int:
        return sum([pin.value() << channel for channel, pin in enumerate(self._pins)])

    def overflowed(self) -> int:
        return self._lost

    def sample(self, period_ns: int, count: int) -> None:
        """Nothing here samples evenly."""


def main() -> None:
    serve(Capture())
