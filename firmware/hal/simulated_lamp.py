"""The physics of a simulated luminaire: LED control gear behind a relay, on a mains supply, with a meter in front.

Pure: time comes in as RTC milliseconds, so that energy and heat belong to the night that is played, however fast.
The gear is an active-PFC LED driver with 0-10 V input: a fixed conversion loss makes it less efficient when dimmed,
and its filter capacitor draws a constant reactive power, which is why the power factor falls with the load.
"""

import math

from firmware.hal import Reading

STANDBY_W = 0.4  # EU 2019/2020 allows 0.5 W
FIXED_LOSS = 0.05  # of the rated power, lost at any level above 0
MINIMUM_PERMILLE = 100  # what gear burns at when its input sees 0 V and it cannot dim to off
REACTIVE_SHARE = 0.15  # var drawn by the filter, per rated watt, at the nominal supply voltage
WORN_REACTIVE_SHARE = 2.2
DISTORTION = 0.985  # power factor that harmonics cost at best
NOMINAL_SUPPLY_V = 230.0

RISE_K = 25.0  # of the housing above the air, at rated power
HEATING_MS = 900000  # time constant of the housing
FAULT_RISE_K = 80.0

CYCLE_MS = 60000
# However fast the wall clock runs, a cycle lasts so many ticks: what is faster than the lamp looks cannot be seen.
CYCLE_TICKS_MS = 8000

WANDER = 0.006  # of the supply, either way
WANDER_PERIODS_MS = (7200000, 2460000, 610000)  # neighbours' loads, tap changer, motors


def power_w(conditions, permille, closed, now_ms):
    """Watts drawn with the dimming output at `permille` and the relay commanded `closed`, faults included."""
    faults = conditions.faults
    if "relay_welded" in faults and not closed:
        closed = True
        permille = max(permille, MINIMUM_PERMILLE)
    if "relay_open" in faults or "control_gear_dead" in faults:
        closed = False
    if not closed or conditions.supply_v == 0:
        return 0.0  # the meter sits behind the controller's own supply
    if "control_gear_failure" in faults:
        permille = 1000
    half_ms = half_cycle_ms(conditions)
    dark = "lamp_failure" in faults or ("cycling" in faults and now_ms % (2 * half_ms) >= half_ms)
    if permille == 0 or dark:
        return STANDBY_W
    rated = conditions.nominal_w - STANDBY_W
    share = permille / 1000
    drawn = STANDBY_W + rated * (share + FIXED_LOSS * (1 - share))
    if "partial_failure" in faults:
        drawn *= 0.6
    if "over_power" in faults:
        drawn *= 1.5
    return drawn


def half_cycle_ms(conditions):
    """RTC milliseconds for which a cycling lamp is lit, and then dark."""
    return int(max(CYCLE_MS, CYCLE_TICKS_MS * conditions.rtc_rate)) // 2


def supply_v(conditions, now_ms):
    """Volts at the luminaire: slow wander around the supply, the same for the same seed and moment."""
    swing = 0.0
    for number, period_ms in enumerate(WANDER_PERIODS_MS):
        phase = (conditions.seed * 2654435761 + number * 40503) % 1000003
        swing += math.sin(2 * math.pi * ((now_ms + phase * 7) % period_ms) / period_ms)
    volts = conditions.supply_v * (1 + WANDER * swing / len(WANDER_PERIODS_MS))
    if "low_voltage" in conditions.faults:
        volts *= 0.80
    if "high_voltage" in conditions.faults:
        volts *= 1.18
    return volts


def power_factor(conditions, drawn_w, volts):
    """Power factor of `drawn_w` at `volts`: displacement by the filter, times distortion. 1.0 without load."""
    if drawn_w <= 0:
        return 1.0
    worn = "low_power_factor" in conditions.faults
    share = WORN_REACTIVE_SHARE if worn else REACTIVE_SHARE
    reactive = share * conditions.nominal_w * (volts / NOMINAL_SUPPLY_V) ** 2
    return DISTORTION * drawn_w / math.sqrt(drawn_w * drawn_w + reactive * reactive)


class Noise:
    """Noise that is the same in every run with the same seed (Park and Miller's minimal standard generator)."""

    def __init__(self, seed):
        self._state = seed % 2147483646 + 1

    def around(self, value, share):
        """`value` times 1 plus or minus at most `share`."""
        self._state = self._state * 48271 % 2147483647
        return value * (1 + share * (2 * self._state / 2147483647 - 1))


class Lamp:
    """The luminaire between power-up and power cut: `settle` before the output or the conditions change."""

    def __init__(self, conditions, permille, closed, now_ms):
        self.conditions = conditions
        self.permille = permille
        self.closed = closed
        self._at_ms = now_ms
        self._energy_wh = 0.0
        self._rise_k = 0.0
        self._noise = Noise(conditions.seed)

    def settle(self, now_ms):
        """Carry energy and heat forward to `now_ms` with the output as it was since the last call."""
        elapsed_ms = now_ms - self._at_ms
        if elapsed_ms <= 0:
            return
        drawn = self._mean_power_w(now_ms)
        self._energy_wh += drawn * elapsed_ms / 3600000
        goal = RISE_K * drawn / self.conditions.nominal_w
        self._rise_k += (goal - self._rise_k) * (1 - math.exp(-elapsed_ms / HEATING_MS))
        self._at_ms = now_ms

    def measure(self, now_ms):
        """Reading of the meter, or None when it is silent."""
        self.settle(now_ms)
        here = self.conditions
        if "meter_silent" in here.faults:
            return None
        if "meter_absurd" in here.faults:
            return Reading(65535.0, -1.0, 1e9, 7.0, 0.0, -5.0)
        around = self._noise.around
        volts = supply_v(here, now_ms)
        drawn = power_w(here, self.permille, self.closed, now_ms)
        factor = power_factor(here, drawn, volts)
        volts = around(volts, here.noise)
        drawn = around(drawn, here.noise)
        amperes = drawn / (volts * factor) if volts > 0 else 0.0
        return Reading(volts, amperes, drawn, factor, float(here.frequency_hz), self._energy_wh)

    def celsius(self, now_ms):
        """Temperature inside the housing."""
        self.settle(now_ms)
        fault = FAULT_RISE_K if "over_temperature" in self.conditions.faults else 0.0
        return self.conditions.celsius + self._rise_k + fault

    def _mean_power_w(self, now_ms):
        """Power since the last settlement; a cycling lamp counts as lit for half of it."""
        drawn = power_w(self.conditions, self.permille, self.closed, 0)
        if "cycling" not in self.conditions.faults:
            return drawn
        dark = power_w(self.conditions, self.permille, self.closed, half_cycle_ms(self.conditions))
        return (drawn + dark) / 2
