"""What the lamp has used and done: energy, hours, switchings, and the voltage of the night.

Counters are integers (milliwatt-hours, milliseconds): a 32-bit float stops counting small additions after a few
hundred kilowatt-hours. They are kept each quarter of an hour and at every summary, so a power cut costs that at most.
Sources: urn:oma:lwm2m:ext:3416:2.0 resources 15 to 19, urn:oma:lwm2m:ext:3418:2.0 resource 6.
"""

from collections import namedtuple

from firmware.codec import cbor
from firmware.store import whole

RECORD = "meter"
SAVE_INTERVAL_MS = 15 * 60000

# Two updates further apart than this prove no hours: the lamp was stopped in between.
LONGEST_GAP_MS = 3600000

# What a measurement can be at all; outside of it the meter chip or its wiring speaks nonsense. Voltage starts where a
# supply of 110 V in collapse still is: a lamp that can read has a supply, so 0 V is a voltage channel that is dead.
RANGES = {
    "voltage_v": (30.0, 500.0),
    "current_a": (0.0, 100.0),
    "power_w": (0.0, 20000.0),
    "power_factor": (-1.0, 1.0),
    "frequency_hz": (40.0, 70.0),
    "energy_wh": (0.0, 1e8),
}

# A reading in which None stands for what the meter does not say, or says wrongly.
Reading = namedtuple("Reading", ("voltage_v", "current_a", "power_w", "power_factor", "frequency_hz", "energy_wh"))

NOTHING = Reading(None, None, None, None, None, None)

# Of one night, from summary to summary: energy_wh, lit_s, switches; voltages: () or the lowest and the highest, each
# (RTC ms, volts); the means over all readings, and over those with light (None without a reading).
Summary = namedtuple("Summary", ("energy_wh", "lit_s", "switches", "voltages", "voltage_mean_v", "power_mean_w"))


def plausible(value, name):
    """Return `value` as a float when it is a number that quantity `name` of RANGES can have, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    lowest, highest = RANGES[name]
    return float(value) if lowest <= value <= highest else None


def sift(reading):
    """Return a Reading of what is plausible in the board's `reading` (None: the meter is silent)."""
    if reading is None:
        return NOTHING
    return Reading(
        plausible(reading.voltage_v, "voltage_v"),
        plausible(reading.current_a, "current_a"),
        plausible(reading.power_w, "power_w"),
        plausible(reading.power_factor, "power_factor"),
        plausible(reading.frequency_hz, "frequency_hz"),
        plausible(reading.energy_wh, "energy_wh"),
    )


class Spread:
    """Lowest, highest and mean of a quantity. `extremes` is () or ((RTC ms, lowest), (RTC ms, highest))."""

    def __init__(self):
        self.extremes = ()
        self._sum = 0
        self._count = 0

    def add(self, value, rtc_ms):
        """Take a measurement; None is none."""
        if value is None:
            return
        lowest, highest = self.extremes or ((rtc_ms, value), (rtc_ms, value))
        if value < lowest[1]:
            lowest = (rtc_ms, value)
        if value > highest[1]:
            highest = (rtc_ms, value)
        self.extremes = (lowest, highest)
        self._sum += int(value * 1000)
        self._count += 1

    def mean(self):
        """Return the mean, None without a measurement."""
        return self._sum // self._count / 1000 if self._count else None


class Meter:
    """`reading` is the last sifted Reading, `read_rtc_ms` when it was taken (None: never)."""

    def __init__(self, store):
        self._store = store
        self.reading = NOTHING
        self.read_rtc_ms = None
        self.switches = 0
        # Seconds of UTC at which the lamp last went on before this start; since then it is the RTC that knows.
        self.on_s = 0
        self.on_rtc_ms = None
        self._energy_mwh = 0
        self._lit_ms = 0
        self._powered_ms = 0
        # What the counters were when the night began: energy, lit, switches.
        self._night = [0, 0, 0]
        self._chip_mwh = None
        self._lit = False
        self._updated_rtc_ms = None
        self._saved_rtc_ms = None
        self._voltage = Spread()
        self._power = Spread()
        self._load()

    def _load(self):
        data = self._store.load(RECORD)
        if data is None:
            return
        try:
            counters = [whole(value) for value in cbor.decode(data)]
            energy, lit, powered, switches, on_s, night_energy, night_lit, night_switches = counters
        except (ValueError, TypeError):
            return
        self._energy_mwh, self._lit_ms, self._powered_ms = energy, lit, powered
        self.switches, self.on_s = switches, on_s
        self._night = [night_energy, night_lit, night_switches]

    @property
    def energy_wh(self):
        """Energy since the last reset, Wh."""
        return self._energy_mwh / 1000

    @property
    def lamp_hours(self):
        """Hours with light since the last reset."""
        return self._lit_ms / 3600000

    @property
    def operating_hours(self):
        """Whole hours that the controller has run."""
        return self._powered_ms // 3600000

    def update(self, reading, lit, rtc_ms):
        """Take the board's `reading` (or None) and whether the lamp gives light, at `rtc_ms`. Call at every change."""
        self.reading = sift(reading)
        if reading is not None:
            self.read_rtc_ms = rtc_ms
        self._count_time(rtc_ms)
        if lit and not self._lit:
            self.on_rtc_ms = rtc_ms
        elif self._lit and not lit:
            self.switches += 1
        self._lit = lit
        self._count_energy()
        self._voltage.add(self.reading.voltage_v, rtc_ms)
        if lit:
            self._power.add(self.reading.power_w, rtc_ms)

    def _count_time(self, rtc_ms):
        if self._updated_rtc_ms is not None:
            passed_ms = min(max(0, rtc_ms - self._updated_rtc_ms), LONGEST_GAP_MS)
            self._powered_ms += passed_ms
            if self._lit:
                self._lit_ms += passed_ms
        self._updated_rtc_ms = rtc_ms

    def _count_energy(self):
        if self.reading.energy_wh is None:
            return
        chip_mwh = int(self.reading.energy_wh * 1000)
        # The chip counts from its own power-up: at ours it may have counted already, and a lower value is a restart.
        if self._chip_mwh is None or chip_mwh < self._chip_mwh:
            self._energy_mwh += chip_mwh
        else:
            self._energy_mwh += chip_mwh - self._chip_mwh
        self._chip_mwh = chip_mwh

    def lit_since_s(self, clock):
        """Return UTC seconds at which the lamp last went on (3416/17), 0 when that is not known."""
        if self.on_rtc_ms is not None:
            since_ms = clock.now_ms(self.on_rtc_ms)
            if since_ms is not None:
                return since_ms // 1000
        return self.on_s

    def save_if_due(self, rtc_ms, clock):
        """Keep the counters when a quarter of an hour has passed since the last time. Raises StorageError."""
        if self._saved_rtc_ms is None:
            self._saved_rtc_ms = rtc_ms
        elif rtc_ms - self._saved_rtc_ms >= SAVE_INTERVAL_MS:
            self._saved_rtc_ms = rtc_ms
            self.save(clock)

    def save(self, clock):
        """Keep the counters now (before a planned restart). Raises StorageError."""
        counters = [self._energy_mwh, self._lit_ms, self._powered_ms, self.switches, self.lit_since_s(clock)]
        self._store.save(RECORD, cbor.encode(counters + self._night))

    def reset_energy(self):
        """Set the energy counter to zero (3418/7)."""
        self._energy_mwh = 0
        self._night[0] = 0

    def reset_lamp_hours(self):
        """Set the lamp operating hours to zero (3416/16)."""
        self._lit_ms = 0
        self._night[1] = 0

    def reset_switches(self):
        """Set the switch counter to zero (3416/19)."""
        self.switches = 0
        self._night[2] = 0

    def close_night(self):
        """Return the Summary since the last call (or the last reset), and begin a new one."""
        summary = Summary(
            (self._energy_mwh - self._night[0]) / 1000,
            (self._lit_ms - self._night[1]) // 1000,
            self.switches - self._night[2],
            self._voltage.extremes,
            self._voltage.mean(),
            self._power.mean(),
        )
        self._night = [self._energy_mwh, self._lit_ms, self.switches]
        self._voltage = Spread()
        self._power = Spread()
        return summary
