"""Faults: code, name, severity, where the wire shows it, how long it must last, what it means, what to do.

A fault that a standard object has is that Boolean resource; the others are instances of 42769/0/12, whose resource
instance is the code. Codes are frozen by tests/contract/test_numbers.py and never used again.
Severity: info (for the record), minor (at the next visit), major (the street is affected: days), critical (people or
equipment are in danger: now).
"""

import sys
from collections import namedtuple

from contract.paths import Path

if sys.implementation.name == "micropython":
    # Five kilobytes of sentences that no lamp ever says.
    TEXTS = {}
else:
    from contract.fault_texts import TEXTS

# path: contract.paths.Path of the Boolean resource, None when only the backend can know;
# debounce_s: seconds without interruption before the fault is raised; meaning, advice: "" on a lamp.
Fault = namedtuple("Fault", ("code", "name", "severity", "path", "debounce_s", "meaning", "advice"))

INFO = "info"
MINOR = "minor"
MAJOR = "major"
CRITICAL = "critical"


def _fault(code, name, severity, path, debounce_s):
    meaning, advice = TEXTS.get(code, ("", ""))
    return Fault(code, name, severity, path, debounce_s, meaning, advice)


LAMP_FAILURE = _fault(1, "lamp failure", MAJOR, Path(3416, 0, 5, None), 30)
CONTROL_GEAR_FAILURE = _fault(2, "control gear failure", MAJOR, Path(3416, 0, 7, None), 30)
RELAY_FAILURE = _fault(3, "relay failure", MAJOR, Path(3416, 0, 9, None), 30)
DAY_BURNER = _fault(4, "day burner", MINOR, Path(3416, 0, 10, None), 600)
CYCLING = _fault(5, "cycling", MINOR, Path(3416, 0, 11, None), 0)
LOW_VOLTAGE = _fault(10, "low voltage", MINOR, Path(3418, 0, 21, None), 60)
HIGH_VOLTAGE = _fault(11, "high voltage", CRITICAL, Path(3418, 0, 23, None), 10)
LOW_CURRENT = _fault(12, "low current", MINOR, Path(3418, 0, 17, None), 60)
HIGH_CURRENT = _fault(13, "high current", MAJOR, Path(3418, 0, 19, None), 10)
LOW_POWER = _fault(14, "low power", MINOR, Path(3418, 0, 12, None), 60)
HIGH_POWER = _fault(15, "high power", MINOR, Path(3418, 0, 15, None), 60)
LOW_POWER_FACTOR = _fault(16, "low power factor", MINOR, Path(3418, 0, 9, None), 300)
OVER_TEMPERATURE = _fault(20, "over temperature", CRITICAL, Path(42769, 0, 12, 20), 60)
PHOTOCELL_STUCK = _fault(21, "photocell stuck", MINOR, Path(42769, 0, 12, 21), 0)
CLOCK_ERROR = _fault(30, "clock error", MAJOR, Path(3415, 0, 5, None), 0)
INVALID_SCHEDULE = _fault(31, "invalid schedule", MAJOR, Path(3416, 0, 14, None), 0)
STORAGE_ERROR = _fault(32, "storage error", MAJOR, Path(42769, 0, 12, 32), 0)
RESET_LOOP = _fault(33, "reset loop", MAJOR, Path(42769, 0, 12, 33), 0)
REPORTS_LOST = _fault(34, "reports lost", INFO, Path(42769, 0, 12, 34), 0)
COMMUNICATION_LOST = _fault(40, "communication lost", MAJOR, None, 0)

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
