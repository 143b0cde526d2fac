"""Faults: code, name, severity, where the wire shows it, how long it must last, what it means, what to do.

A fault that a standard object has is that Boolean resource; the others are instances of 42769/0/12, whose resource
instance is the code. Codes are frozen by tests/contract/test_numbers.py and never used again.
Severity: info (for the record), minor (at the next visit), major (the street is affected: days), critical (people or
equipment are in danger: now).
"""

import sys
from collections import namedtuple

from contract.paths import parse

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


# constant|code|severity|path of the Boolean resource|debounce_s. On a lamp this text stays in flash, and a Fault is
# made of its line when it is asked for: twenty of them would be two kilobytes of heap.
_TABLE = """
LAMP_FAILURE|1|major|3416/0/5|30
CONTROL_GEAR_FAILURE|2|major|3416/0/7|30
RELAY_FAILURE|3|major|3416/0/9|30
DAY_BURNER|4|minor|3416/0/10|600
CYCLING|5|minor|3416/0/11|0
LOW_VOLTAGE|10|minor|3418/0/21|60
HIGH_VOLTAGE|11|critical|3418/0/23|10
LOW_CURRENT|12|minor|3418/0/17|60
HIGH_CURRENT|13|major|3418/0/19|10
LOW_POWER|14|minor|3418/0/12|60
HIGH_POWER|15|minor|3418/0/15|60
LOW_POWER_FACTOR|16|minor|3418/0/9|300
OVER_TEMPERATURE|20|critical|42769/0/12/20|60
PHOTOCELL_STUCK|21|minor|42769/0/12/21|0
CLOCK_ERROR|30|major|3415/0/5|0
INVALID_SCHEDULE|31|major|3416/0/14|0
STORAGE_ERROR|32|major|42769/0/12/32|0
RESET_LOOP|33|major|42769/0/12/33|0
REPORTS_LOST|34|info|42769/0/12/34|0
COMMUNICATION_LOST|40|major||0
"""


def _fault(line):
    constant, code, severity, path, debounce_s = line.split("|")
    meaning, advice = TEXTS.get(int(code), ("", ""))
    name = constant.lower().replace("_", " ")
    return Fault(int(code), name, severity, parse(path) if path else None, int(debounce_s), meaning, advice)


def _each():
    for line in _TABLE.split("\n"):
        if line:
            yield _fault(line)


def __getattr__(name):
    """`ALL`, or the fault of a constant's name; CPython has them as they are. Raises AttributeError."""
    if name == "ALL":
        return tuple(_each())
    at = _TABLE.find("\n" + name + "|")
    if at < 0:
        raise AttributeError(name)
    return _fault(_TABLE[at + 1 : _TABLE.find("\n", at + 1)])


if sys.implementation.name == "micropython":
    _known = _each
else:
    ALL = tuple(_each())
    globals().update((fault.name.upper().replace(" ", "_"), fault) for fault in ALL)

    def _known():
        return ALL


def get(code):
    """Return the `Fault` with this code. Raises KeyError."""
    for fault in _known():
        if fault.code == code:
            return fault
    raise KeyError(code)


def find_by_path(path):
    """Return the `Fault` that this `contract.paths.Path` shows, or None."""
    for fault in _known():
        if fault.path is not None and fault.path == path:
            return fault
    return None
