"""The board tests itself: the script that runs at its prompt, and what its answer means.

The script drives the true hardware through the firmware's own board, so that what it proves is what the lamp will use.
It prints one line of JSON without a key in it. `judge` is pure.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = (1000, 700, 400, 100)  # permille of the dimming output, downwards as the meter likes it
SETTLE_MS = 1800  # the meter takes voltage and current by turns; power needs a second
SCRIPT_S = 90.0

# Measured on the VM, in words of the machine: the lamp needs 5,952 more than after its import when it is fullest, and
# 15 % of 32,768 shall stay free (tests/bench/image.py).
LEAST_FREE_WORDS = 10_000
WEAKEST_DBM = -80
DEAD_W = 2.0  # what a meter may show with the relay open
STUCK_MS = 4000  # 32 KiB written and read back; a worn flash retries for seconds

_SCRIPT = """
import gc, json, os, sys, time
from binascii import hexlify
plan = json.loads(%r)
out = {"word": 8 if sys.maxsize >> 32 else 4, "mpy": getattr(sys.implementation, "_mpy", 0)}
out["python"] = ".".join([str(part) for part in sys.implementation.version[:3]])
try:
    gc.collect()
    import firmware.app
    from firmware.hal import esp32_start
    gc.collect()
    out["free"] = gc.mem_free()
except MemoryError:
    out["import"] = "MemoryError"
except Exception as error:
    out["import"] = "%%s: %%s" %% (type(error).__name__, error)
try:
    # The heap of MicroPython grows into what ESP-IDF has; 48 KB of that are left to the radio.
    import esp32
    out["growth"] = max(0, max([area[2] for area in esp32.idf_heap_info(esp32.HEAP_DATA)]) - 49152)
except Exception:
    pass

def attempt(name, test):
    try:
        out[name] = test()
    except Exception as error:
        out[name + "_error"] = "%%s: %%s" %% (type(error).__name__, error)

def measured():
    deadline = time.ticks_add(time.ticks_ms(), plan["settle_ms"])
    reading = board.measure()
    while reading is not None and time.ticks_diff(deadline, time.ticks_ms()) > 0:
        time.sleep_ms(100)
        reading = board.measure()
    if reading is None:
        return None
    return [reading.power_w, reading.voltage_v]

def sweep():
    found = []
    board.switch(True)
    for permille in plan["levels"]:
        board.drive(permille)
        found.append(measured())
    return found

def relay():
    board.drive(1000)
    board.switch(False)
    off = measured()
    board.switch(True)
    return [off, measured()]

def flash():
    begun = time.ticks_ms()
    block = bytes([number * 37 & 255 for number in range(256)]) * 16
    for number in range(8):
        with open("/selftest", "wb") as file:
            file.write(block)
        with open("/selftest", "rb") as file:
            if file.read() != block:
                return [-1, 0]
        os.remove("/selftest")
    stat = os.statvfs("/")
    return [time.ticks_diff(time.ticks_ms(), begun), stat[0] * stat[3]]

def mac():
    import machine
    return hexlify(machine.unique_id()).decode()

def air():
    import network
    station = network.WLAN(network.STA_IF)
    station.active(True)
    found = [[row[0].decode("utf-8", "replace") if hasattr(row[0], "decode") else str(row[0]), row[3]]
        for row in station.scan()]
    station.active(False)
    return found[:40]

def who():
    fields = board.identity()
    return [fields.get("endpoint"), fields.get("sender_id")]

if "import" not in out:
    try:
        board, out["sealed"] = esp32_start.open_lamp()
    except Exception as error:
        out["board_error"] = "%%s: %%s" %% (type(error).__name__, error)
    else:
        attempt("who", who)
        attempt("sweep", sweep)
        attempt("relay", relay)
        attempt("lux", lambda: board.lux())
        attempt("celsius", lambda: board.celsius())
attempt("mac", mac)
attempt("air", air)
attempt("flash", flash)
print(json.dumps(out))
"""


@dataclass(frozen=True)
class Plan:
    """What should be found. `nominal_w` 0: the power at full light is not known. `ssid` "": no Wi-Fi is asked for."""

    mac: bytes
    endpoint: str
    sender_id: bytes
    has_meter: bool = False
    has_photocell: bool = False
    nominal_w: float = 0.0
    ssid: str = ""

    @property
    def script(self) -> str:
        settle_ms = SETTLE_MS if self.has_meter else 0
        return _SCRIPT % json.dumps({"levels": LEVELS, "settle_ms": settle_ms})


@dataclass(frozen=True)
class Finding:
    """`passed` None: not tested, because nothing is fitted that could tell."""

    name: str
    passed: bool | None
    detail: str


def judge(result: Any, plan: Plan) -> list[Finding]:
    """What the board's answer says, in the order of the tests; an answer that makes no sense has not passed."""
    if not isinstance(result, dict):
        return [Finding("answer", False, "the board told nothing that can be read")]
    told: dict[str, Any] = result
    findings = []
    for name, test in _TESTS.items():
        try:
            findings.append(Finding(name, *test(told, plan)))
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            findings.append(Finding(name, False, f"told {told.get(name)!r:.60}"))
    return findings


def failed(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.passed is False]


Verdict = tuple[bool | None, str]


def _memory(told: dict[str, Any], plan: Plan) -> Verdict:
    if "import" in told:
        return False, f"the firmware does not load: {told['import']}"
    words = (int(told["free"]) + int(told.get("growth", 0))) // int(told["word"])
    return words >= LEAST_FREE_WORDS, f"{words:,} words free with the firmware loaded, {LEAST_FREE_WORDS:,} needed"


def _mac(told: dict[str, Any], plan: Plan) -> Verdict:
    return told["mac"] == plan.mac.hex(), f"{told['mac']} told, {plan.mac.hex()} in the eFuses"


def _identity(told: dict[str, Any], plan: Plan) -> Verdict:
    if "who" not in told:
        return False, str(told.get("who_error", told.get("board_error", "not read")))[:120]
    right = told["who"] == [plan.endpoint, plan.sender_id.hex()]
    return right, "read by the lamp" if right else f"the lamp reads {told['who'][0]}"


def _sweep(told: dict[str, Any], plan: Plan) -> Verdict:
    if "sweep_error" in told or "board_error" in told:
        return False, str(told.get("sweep_error", told.get("board_error")))[:120]
    if not plan.has_meter:
        return None, f"driven {' '.join(str(level // 10) for level in LEVELS)} %, no meter to see it"
    powers = [float(row[0]) for row in told["sweep"]]
    shown = ", ".join(f"{power:.1f}" for power in powers) + " W"
    falls = all(high > low for high, low in itertools.pairwise(powers)) and len(powers) == len(LEVELS)
    if not falls or powers[0] < DEAD_W:
        return False, f"the power does not follow the dimming: {shown}"
    if plan.nominal_w and not 0.6 * plan.nominal_w <= powers[0] <= 1.3 * plan.nominal_w:
        return False, f"{powers[0]:.1f} W at full light, the plate says {plan.nominal_w:g} W"
    return True, shown


def _relay(told: dict[str, Any], plan: Plan) -> Verdict:
    if "relay_error" in told or "board_error" in told:
        return False, str(told.get("relay_error", told.get("board_error")))[:120]
    if not plan.has_meter:
        return None, "switched, no meter to see it"
    off, on = (float(row[0]) for row in told["relay"])
    return off < DEAD_W < on, f"{off:.1f} W open, {on:.1f} W closed"


def _photocell(told: dict[str, Any], plan: Plan) -> Verdict:
    if not plan.has_photocell:
        return None, "none fitted"
    if told.get("lux") is None:
        return False, "tells nothing"
    lux = float(told["lux"])
    return 0 < lux < 200_000, f"{lux:.1f} lux"


def _air(told: dict[str, Any], plan: Plan) -> Verdict:
    if "air" not in told:
        return False, f"no scan: {str(told.get('air_error', ''))[:100]}"
    heard = {str(row[0]): int(row[1]) for row in sorted(told["air"], key=lambda row: int(row[1]))}
    if not plan.ssid:
        return (True, f"{len(heard)} networks heard") if heard else (None, "no network asked for, none heard")
    if plan.ssid not in heard:
        return False, f"{plan.ssid} is not heard; {len(heard)} other networks are"
    return heard[plan.ssid] >= WEAKEST_DBM, f"{plan.ssid} at {heard[plan.ssid]} dBm"


def _flash(told: dict[str, Any], plan: Plan) -> Verdict:
    if "flash" not in told:
        return False, f"cannot be written: {str(told.get('flash_error', ''))[:100]}"
    took_ms, free_bytes = (int(value) for value in told["flash"])
    if took_ms < 0:
        return False, "what was written reads differently"
    return took_ms <= STUCK_MS and free_bytes >= 256 * 1024, f"{took_ms} ms for 32 KiB, {free_bytes // 1024:,} KiB free"


def _heat(told: dict[str, Any], plan: Plan) -> Verdict:
    if told.get("celsius") is None:
        return None, "no thermometer"
    celsius = float(told["celsius"])
    return -40 <= celsius <= 110, f"{celsius:.0f} degrees"


_TESTS = {
    "memory": _memory,
    "mac": _mac,
    "identity": _identity,
    "sweep": _sweep,
    "relay": _relay,
    "photocell": _photocell,
    "air": _air,
    "flash": _flash,
    "heat": _heat,
}
NAMES = tuple(_TESTS)
