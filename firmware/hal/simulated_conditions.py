"""`simulation.json`: the world around a simulated lamp, as the person or the test beside it wants it.

Every name may be left out. A file that cannot be understood changes nothing while the lamp runs, and stops it at boot.
"""

import json
from collections import namedtuple

NAME = "simulation.json"

# name: (default, minimum, maximum); None as a default means that the value may be null.
NUMBERS = {
    "rtc_rate": (1, 1, 100000),  # RTC ms per tick ms: at 600 a night of twelve hours takes 72 s
    "drift_ppm": (0, -10000, 10000),  # how far the RTC's crystal is off
    "supply_v": (230, 0, 500),
    "frequency_hz": (50, 0, 500),
    "nominal_w": (40, 1, 5000),  # drawn at full output
    "celsius": (15, -60, 90),  # air around the luminaire
    "lux": (None, 0, 200000),  # what the photocell sees; null: none is fitted
    "noise": (0.002, 0, 1),  # of a meter reading, as a share of it
    "seed": (1, 0, 2**31 - 1),  # of that noise and of the supply's slow wander
    "rssi_dbm": (-61, -127, 0),
    "hangs": (0, 0, 2**31 - 1),  # each time that it grows while the lamp runs, its program hangs once
}
# rtc_plan: ((moment, rate), ...): from CLOCK_MONOTONIC us `moment` on the RTC runs at `rate` and not at rtc_rate, so
# that days pass between two moments that matter, and whoever wrote it knows the true time to the microsecond.
OTHERS = {"faults": (), "network": True, "rtc_plan": ()}
MOST_PLANNED = 1000

# What can be broken, and what then happens. Where the lamp has a fault for it, the name is that of contract.faults.
FAULTS = {
    "lamp_failure": "LEDs open: the gear idles",
    "partial_failure": "four LEDs in ten are out",
    "control_gear_failure": "gear deaf: full light whatever it is told",
    "control_gear_dead": "gear draws nothing; the lamp can only call it a lamp failure",
    "cycling": "protection trips: half a minute of light, half a minute without (slower when the wall clock is fast)",
    "relay_open": "contacts never close; the lamp can only call it a lamp failure",
    "relay_welded": "relay failure: contacts never open; gear that is told 0 burns at its minimum level",
    "low_voltage": "supply at 80 %",
    "high_voltage": "supply at 118 %",
    "over_power": "draws half as much again",
    "low_power_factor": "the gear's filter is worn out",
    "over_temperature": "80 degrees hotter than it should be",
    "photocell_stuck": "the photocell sees the dark, whatever the light; one is fitted",
    "storage_error": "flash takes nothing any more; the fault lasts until the lamp starts again",
    "reset_loop": "a measurement restarts the controller, from three seconds after its start on",
    "meter_silent": "no reading at all",
    "meter_absurd": "readings that cannot be",
}

Conditions = namedtuple("Conditions", tuple(sorted(NUMBERS)) + tuple(sorted(OTHERS)))


def defaults():
    """The Conditions of a lamp in good health on a quiet night."""
    return parse(b"{}")


def parse(data, faults=()):
    """Return Conditions from JSON text, with `faults` besides its own; raises ValueError that names the field and what
    it takes."""
    try:
        given = json.loads(data)
    except (ValueError, UnicodeError):
        raise ValueError('is no JSON: write an object such as {"rtc_rate": 600}') from None
    if not isinstance(given, dict):
        raise ValueError("must hold one JSON object")
    for name in given:
        if name not in NUMBERS and name not in OTHERS:
            known = ", ".join(sorted(list(NUMBERS) + list(OTHERS)))
            raise ValueError("%s is unknown; known are %s" % (name, known))
    fields = {}
    for name in NUMBERS:
        fields[name] = _number(name, given)
    fields["faults"] = _faults(given.get("faults", ())) + tuple(faults)
    fields["network"] = given.get("network", True)
    if not isinstance(fields["network"], bool):
        raise ValueError("network must be true or false")
    fields["rtc_plan"] = _plan(given.get("rtc_plan", ()))
    return Conditions(**fields)


def _number(name, given):
    default, minimum, maximum = NUMBERS[name]
    value = given.get(name, default)
    if value is None and default is None:
        return None
    # A NaN fails both comparisons.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not minimum <= value <= maximum:
        raise ValueError("%s must be a number from %s to %s" % (name, minimum, maximum))
    return value


def _plan(rows):
    """Pairs of moment and rate, in order of time."""
    lowest, highest = NUMBERS["rtc_rate"][1:]
    before = 0
    try:
        plan = tuple((int(moment), int(rate)) for moment, rate in rows)
        for moment, rate in plan:
            if moment <= before or not lowest <= rate <= highest:
                raise ValueError
            before = moment
        if len(plan) > MOST_PLANNED:
            raise ValueError
    except (ValueError, TypeError):
        raise ValueError(
            "rtc_plan must hold at most %d pairs [microsecond, rate], in order, with rates from %d to %d"
            % (MOST_PLANNED, lowest, highest)
        ) from None
    return plan


def _faults(names):
    if not isinstance(names, (list, tuple)):
        raise ValueError("faults must be a list of names")
    for name in names:
        if not isinstance(name, str) or name not in FAULTS:
            raise ValueError("fault %s is unknown; known are %s" % (name, ", ".join(sorted(FAULTS))))
    return tuple(names)


class Watcher:
    """Keeps the Conditions of the file at `path` fresh; reads it at most every 250 ms of ticks. `faults`: names that
    hold whatever the file says. Raises ValueError for a file or a name that makes no sense.

    The content is compared, not the time stamp, which has a resolution of one second here.
    """

    PERIOD_MS = 250

    def __init__(self, path, complain, faults=()):
        self._path = path
        self._complain = complain
        self._always = _faults(faults)
        self._data = self._read()
        self._asked_ms = 0
        try:
            self.conditions = parse(self._data, self._always)
        except ValueError as error:
            raise ValueError("%s: %s" % (path, error)) from None

    def look(self, now_ms):
        """Read the file again if it is time to. True when the conditions changed."""
        if now_ms - self._asked_ms < self.PERIOD_MS:
            return False
        self._asked_ms = now_ms
        data = self._read()
        if data == self._data:
            return False
        self._data = data
        try:
            fresh = parse(data, self._always)
        except ValueError as error:
            self._complain("%s: %s; the conditions before it stay" % (self._path, error))
            return False
        changed = fresh != self.conditions
        self.conditions = fresh
        return changed

    def _read(self):
        try:
            with open(self._path, "rb") as file:
                return file.read()
        except OSError:
            return b"{}"
