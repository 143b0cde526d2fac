"""The pulse meter's pins: edges are stamped by a handler that allocates nothing; `pulse_meter` does the arithmetic.

The ESP32 port runs pin handlers from MicroPython's scheduler (no hard interrupts), so a stamp may be late by some
milliseconds of garbage collection; on pulses that are 10 to 1000 ms apart that is the meter's own error class. The
chip's pulse counters would count faster rates, but they do not say when, and a slow rate needs the moment.
CF1 runs at up to 1 kHz: the handler takes itself off after 256 edges, so it costs at most a burst every few seconds.
"""

import time

import machine

from firmware.hal.pulse_meter import PulseMeter, calibration

BURST = 256
SETTLE_MS = 500  # CF1 shows the new quantity one averaging period after SEL changed
LONGEST_BURST_MS = 2000  # HLW8012: 230 V are 470 Hz; at 2 s a current of 30 mA still gives two periods


class Edges:
    """Counts rising edges of a pin and stamps the first and the last. `limit` takes the handler off; 0: never.

    The attributes exist before the handler runs and hold small integers only, so a store allocates nothing.
    """

    def __init__(self, number, limit):
        self._pin = machine.Pin(number, machine.Pin.IN, machine.Pin.PULL_UP)
        self._limit = limit
        self._handler = self._edge  # a bound method is an object: made once, not in each call
        self._ticks_us = time.ticks_us
        self.count = 0
        self.first_us = 0
        self.last_us = 0

    def start(self):
        self.count = 0
        self._pin.irq(handler=self._handler, trigger=machine.Pin.IRQ_RISING)

    def stop(self):
        self._pin.irq(handler=None, trigger=machine.Pin.IRQ_RISING)

    @property
    def is_full(self):
        return 0 < self._limit <= self.count

    def read(self):
        """(count, last_us) that belong together: read again when an edge came in between."""
        while True:
            count = self.count
            last_us = self.last_us
            if count == self.count:
                return count, last_us

    def _edge(self, _pin):
        now_us = self._ticks_us()
        if self.count == 0:
            self.first_us = now_us
        elif self.count == self._limit:
            self._pin.irq(handler=None, trigger=machine.Pin.IRQ_RISING)
            return
        self.last_us = now_us
        self.count += 1


class Meter:
    """HLW8012 or BL0937 as `wiring` says. `ticks_ms()` must never wrap."""

    def __init__(self, wiring, ticks_ms):
        watts, volts, amperes = calibration(wiring["meter"], wiring["meter_shunt_ohm"], wiring["meter_divider"])
        self._pulses = PulseMeter(
            watts * wiring["meter_power_gain"],
            volts * wiring["meter_voltage_gain"],
            amperes * wiring["meter_current_gain"],
        )
        self._ticks_ms = ticks_ms
        self._counted = 0
        self._power = Edges(wiring["meter_cf_pin"], 0)
        self._power.start()
        self._burst = Edges(wiring["meter_cf1_pin"], BURST)
        self._sel_voltage = wiring["meter_sel_voltage"]
        self._sel = machine.Pin(wiring["meter_sel_pin"], machine.Pin.OUT, value=self._sel_voltage)
        self._is_voltage = True
        self._is_counting = False
        self._since_ms = ticks_ms()

    def measure(self):
        """Reading or None. Voltage and current take turns, so each is renewed every few calls."""
        now_ms = self._ticks_ms()
        self._take_power(now_ms)
        self._take_turn(now_ms)
        return self._pulses.reading()

    def _take_power(self, now_ms):
        count, last_us = self._power.read()
        pulses = count - self._counted
        self._counted = count
        now_us = now_ms * 1000
        edge_us = now_us - time.ticks_diff(time.ticks_us(), last_us) if pulses else 0
        self._pulses.add_power(pulses, edge_us, now_us)

    def _take_turn(self, now_ms):
        waited_ms = now_ms - self._since_ms
        if not self._is_counting:
            if waited_ms >= SETTLE_MS:
                self._burst.start()
                self._is_counting = True
                self._since_ms = now_ms
        elif self._burst.is_full or waited_ms >= LONGEST_BURST_MS:
            self._burst.stop()
            self._finish_burst()
            self._is_voltage = not self._is_voltage
            self._sel.value(self._sel_voltage if self._is_voltage else 1 - self._sel_voltage)
            self._is_counting = False
            self._since_ms = now_ms

    def _finish_burst(self):
        burst = self._burst
        span_us = time.ticks_diff(burst.last_us, burst.first_us)
        periods = burst.count - 1 if burst.count > 1 and span_us > 0 else 0
        if self._is_voltage:
            self._pulses.set_voltage(periods, span_us)
        else:
            self._pulses.set_current(periods, span_us)
