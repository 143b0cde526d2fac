"""The arithmetic of HLW8012 and BL0937 energy meters: pulse rates to watts, volts, amperes and watt-hours. Pure.

CF pulses at a rate proportional to active power. CF1 pulses at a rate proportional to the RMS voltage or current, as
its SEL input says. Source: HLW8012 datasheet, "Frequency outputs" (F_CF = v1 * v2 * 48 / Vref**2 * fosc / 128,
F_CFI = v1 * 24 / Vref * fosc / 512, F_CFU = v2 * 2 / Vref * fosc / 512, Vref 2.43 V, fosc 3.579 MHz) and BL0937
datasheet, "Frequency outputs" (1721506 * v1 * v2 / Vref**2, 94638 * v1 / Vref, 15397 * v2 / Vref, Vref 1.218 V);
v1 is the voltage over the shunt, v2 the one behind the divider.

A street lamp pulses slowly (40 W on an HLW8012: 4 Hz, in standby 0.04 Hz), so rates are taken from the time between
edges and never from pulses in a window, which would err by a quarter.
"""

from firmware.hal import Reading

# Hertz per (V over shunt * V behind divider), per V over shunt, per V behind divider.
CHIPS = {
    "hlw8012": (48 / 2.43**2 * 3579000 / 128, 24 / 2.43 * 3579000 / 512, 2 / 2.43 * 3579000 / 512),
    "bl0937": (1721506 / 1.218**2, 94638 / 1.218, 15397 / 1.218),
}

SECOND_US = 1000000

# With no pulse for so long the power is below what is worth telling (HLW8012: 0.17 W, BL0937: 0.03 W).
SILENCE_US = 60 * SECOND_US


def calibration(chip, shunt_ohm, divider):
    """(watts, volts, amperes) per hertz for `chip` ("hlw8012", "bl0937"), shunt in ohms, divider as a ratio above 1."""
    power_hz, current_hz, voltage_hz = CHIPS[chip]
    return divider / shunt_ohm / power_hz, divider / voltage_hz, 1.0 / shunt_ohm / current_hz


class PulseMeter:
    """Collects what the edges say. Times are microseconds as ints that never wrap."""

    def __init__(self, watts_per_hz, volts_per_hz, amperes_per_hz):
        self._watts_per_hz = watts_per_hz
        self._volts_per_hz = volts_per_hz
        self._amperes_per_hz = amperes_per_hz
        self._pulses = 0
        self._edge_us = None
        self._power_w = 0.0
        self._voltage_v = None
        self._current_a = None

    def add_power(self, pulses, edge_us, now_us):
        """`pulses` more of CF, the last of them at `edge_us` (anything when there was none)."""
        if pulses:
            self._pulses += pulses
            before_us = self._edge_us
            self._edge_us = edge_us
            if before_us is not None and 0 < edge_us - before_us <= SILENCE_US:
                self._power_w = pulses * SECOND_US / (edge_us - before_us) * self._watts_per_hz
        elif self._edge_us is not None:
            waited_us = now_us - self._edge_us
            if waited_us > SILENCE_US:
                self._power_w = 0.0
            elif waited_us > 0:
                # The next pulse is still to come, so the power cannot be more than one in this time.
                self._power_w = min(self._power_w, SECOND_US / waited_us * self._watts_per_hz)

    def set_voltage(self, pulses, span_us):
        """CF1 gave `pulses` periods in `span_us` with SEL at voltage; none means that the meter is silent."""
        self._voltage_v = pulses * SECOND_US / span_us * self._volts_per_hz if pulses else None

    def set_current(self, pulses, span_us):
        """CF1 gave `pulses` periods in `span_us` with SEL at current; none means no current."""
        self._current_a = pulses * SECOND_US / span_us * self._amperes_per_hz if pulses else 0.0

    def reading(self):
        """Reading, or None before the first voltage and current, or while there is no voltage: the controller lives
        on the mains that it measures, so a meter without volts is broken."""
        if self._voltage_v is None or self._current_a is None:
            return None
        apparent_va = self._voltage_v * self._current_a
        factor = min(1.0, self._power_w / apparent_va) if apparent_va > 0 else 1.0
        energy_wh = self._pulses * self._watts_per_hz / 3600
        return Reading(self._voltage_v, self._current_a, self._power_w, factor, None, energy_wh)
