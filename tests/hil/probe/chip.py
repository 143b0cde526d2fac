"""A stand-in for the probe's chip, on both interpreters: channels with square waves of known truth.

It obeys the chip's rules: a counter without its higher bits, a ring that overflows, a start that begins at zero.
"""

import struct


class Capture:
    """Channel n changes each `half_periods_us[n]` (0: never), from dark, the first time after one half period.

    `ticks` is the chip's clock, us modulo 2**30. `lit` channels begin with an edge at moment 0.
    """

    CHANNELS = 2
    COUNTER_BITS = 32
    STEP_PS = 8000
    UNCERTAINTY_NS = 16
    RING_WORDS = 2048

    def __init__(self, ticks, half_periods_us=(500, 0), has_sensor=True):
        self._ticks = ticks
        self._half_periods_us = half_periods_us
        self._has_sensor = has_sensor
        self._begun = 0
        self._elapsed_us = 0
        self._last = 0
        self._told = [0] * self.CHANNELS
        self._mask = 0
        self.lost = 0
        self._count = 0

    def name(self):
        return "stand-in 0123 of a chip"

    def ticks_us(self):
        return self._ticks()

    def start(self, mask):
        self._mask, self.lost = mask, 0
        self._told = [0] * self.CHANNELS
        self._last, self._elapsed_us = self._ticks(), 0
        return self._last

    def _now_us(self):
        ticks = self._ticks()
        self._elapsed_us += (ticks - self._last) & 0x3FFFFFFF
        self._last = ticks
        return self._elapsed_us

    def drain(self, channel, most):
        half_us = self._half_periods_us[channel]
        if not half_us or not self._mask >> channel & 1:
            return b""
        waiting = self._now_us() // half_us - self._told[channel]
        if waiting > self.RING_WORDS:
            self.lost |= 1 << channel
        first = self._told[channel] + 1
        count = min(waiting, most)
        self._told[channel] += count
        return b"".join(
            [struct.pack("<I", number * half_us * 125 & 0xFFFFFFFF) for number in range(first, first + count)]
        )

    def levels(self):
        return sum([(told & 1) << channel for channel, told in enumerate(self._told)])

    def overflowed(self):
        return self.lost

    def sample(self, period_ns, count):
        if not self._has_sensor or count > 20000:
            return None
        self._count = count
        return self._ticks(), period_ns

    def is_sampled(self):
        return True

    def samples(self):
        """A saw: 0, 1, 2 ... modulo 4000."""
        return b"".join([struct.pack("<H", number % 4000) for number in range(self._count)])
