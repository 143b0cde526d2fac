"""Faults: code, name, severity, where the wire shows it, how long it must last, what it means, what to do.

A fault that a standard object has is that Boolean resource; the others are instances of 42769/0/12, whose resource
instance is the code. Codes are frozen by tests/contract/test_numbers.py and never used again.
Severity: info (for the record), minor (at the next visit), major (the street is affected: days), critical (people or
equipment are in danger: now).
"""

from collections import namedtuple

from contract.paths import Path

# path: contract.paths.Path of the Boolean resource, None when only the backend can know;
# debounce_s: seconds without interruption before the fault is raised.
Fault = namedtuple("Fault", ("code", "name", "severity", "path", "debounce_s", "meaning", "advice"))

INFO = "info"
MINOR = "minor"
MAJOR = "major"
CRITICAL = "critical"

LAMP_FAILURE = Fault(
    1,
    "lamp failure",
    MAJOR,
    Path(3416, 0, 5, None),
    30,
    "The lamp is commanded on and takes almost no power.",
    "Check the light source, then its control gear.",
)
CONTROL_GEAR_FAILURE = Fault(
    2,
    "control gear failure",
    MAJOR,
    Path(3416, 0, 7, None),
    30,
    "Power does not follow the dimming level.",
    "Replace the control gear or check its dimming wires.",
)
RELAY_FAILURE = Fault(
    3,
    "relay failure",
    MAJOR,
    Path(3416, 0, 9, None),
    30,
    "The relay is open and power still flows.",
    "Replace the controller: its relay is welded.",
)
DAY_BURNER = Fault(
    4,
    "day burner",
    MINOR,
    Path(3416, 0, 10, None),
    600,
    "The lamp takes power while it should be off.",
    "Look for a bypass of the controller, then check the relay.",
)
CYCLING = Fault(
    5,
    "cycling",
    MINOR,
    Path(3416, 0, 11, None),
    0,
    "The lamp goes on and off by itself too often.",
    "Replace the light source; check for a loose contact.",
)
LOW_VOLTAGE = Fault(
    10,
    "low voltage",
    MINOR,
    Path(3418, 0, 21, None),
    60,
    "The supply is below its threshold.",
    "Check the feeder: load, length and joints.",
)
HIGH_VOLTAGE = Fault(
    11,
    "high voltage",
    CRITICAL,
    Path(3418, 0, 23, None),
    10,
    "The supply is above its threshold; a lost neutral does this.",
    "Switch the feeder off and check its neutral at once.",
)
LOW_CURRENT = Fault(
    12,
    "low current",
    MINOR,
    Path(3418, 0, 17, None),
    60,
    "The lamp takes less current than its threshold.",
    "Check the light source and its plate data.",
)
HIGH_CURRENT = Fault(
    13,
    "high current",
    MAJOR,
    Path(3418, 0, 19, None),
    10,
    "The lamp takes more current than its threshold.",
    "Check for a short circuit or water in the luminaire.",
)
LOW_POWER = Fault(
    14,
    "low power",
    MINOR,
    Path(3418, 0, 12, None),
    60,
    "The lamp takes less power than its threshold.",
    "Check the light source and its plate data.",
)
HIGH_POWER = Fault(
    15,
    "high power",
    MINOR,
    Path(3418, 0, 15, None),
    60,
    "The lamp takes more power than its threshold.",
    "Check for another load on the lamp and its plate data.",
)
LOW_POWER_FACTOR = Fault(
    16,
    "low power factor",
    MINOR,
    Path(3418, 0, 9, None),
    300,
    "The power factor is below its threshold.",
    "Replace the control gear: its capacitor ages.",
)
OVER_TEMPERATURE = Fault(
    20,
    "over temperature",
    CRITICAL,
    Path(42769, 0, 12, 20),
    60,
    "The controller is hotter than it may be.",
    "Dim the lamp and check the luminaire's seal and heat sink.",
)
PHOTOCELL_STUCK = Fault(
    21,
    "photocell stuck",
    MINOR,
    Path(42769, 0, 12, 21),
    0,
    "The photocell has not seen both day and night for more than a day.",
    "Clean or replace the photocell.",
)
CLOCK_ERROR = Fault(
    30,
    "clock error",
    MAJOR,
    Path(3415, 0, 5, None),
    0,
    "The lamp's time may be wrong by more than its limit.",
    "Restore the network; if it is up, check the server's clock.",
)
INVALID_SCHEDULE = Fault(
    31,
    "invalid schedule",
    MAJOR,
    Path(3416, 0, 14, None),
    0,
    "The schedule last sent was refused; the one before runs on.",
    "Correct the schedule and send it again.",
)
STORAGE_ERROR = Fault(
    32,
    "storage error",
    MAJOR,
    Path(42769, 0, 12, 32),
    0,
    "The flash could not be read or written.",
    "Restart the lamp; if it comes back, replace the controller.",
)
RESET_LOOP = Fault(
    33,
    "reset loop",
    MAJOR,
    Path(42769, 0, 12, 33),
    0,
    "The controller restarted several times within minutes without losing power.",
    "Read its log, then update the firmware or replace the controller.",
)
REPORTS_LOST = Fault(
    34,
    "reports lost",
    INFO,
    Path(42769, 0, 12, 34),
    0,
    "Telemetry was dropped because the queue was full.",
    "Nothing, if the network was down for days; else check the reporting interval.",
)
COMMUNICATION_LOST = Fault(
    40,
    "communication lost",
    MAJOR,
    None,
    0,
    "The lamp has not been heard for longer than its lifetime. Raised by the backend only.",
    "Check the feeder, then the network, then the controller.",
)

ALL = (
    LAMP_FAILURE,
    CONTROL_GEAR_FAILURE,
    RELAY_FAILURE,
    DAY_BURNER,
    CYCLING,
    LOW_VOLTAGE,
    HIGH_VOLTAGE,
    LOW_CURRENT,
    HIGH_CURRENT,
    LOW_POWER,
    HIGH_POWER,
    LOW_POWER_FACTOR,
    OVER_TEMPERATURE,
    PHOTOCELL_STUCK,
    CLOCK_ERROR,
    INVALID_SCHEDULE,
    STORAGE_ERROR,
    RESET_LOOP,
    REPORTS_LOST,
    COMMUNICATION_LOST,
)


def get(code):
    """Return the `Fault` with this code. Raises KeyError."""
    for fault in ALL:
        if fault.code == code:
            return fault
    raise KeyError(code)


def find_by_path(path):
    """Return the `Fault` that this `contract.paths.Path` shows, or None."""
    for fault in ALL:
        if fault.path is not None and fault.path == path:
            return fault
    return None
