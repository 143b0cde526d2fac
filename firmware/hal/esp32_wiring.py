"""What is soldered to which pin: `board.json` in the flash folder over these defaults, for a plain ESP32 module.

Nothing here raises: a lamp with a damaged `board.json` must still come up lit, on the default pins, and complain.
Pins avoid the strapping pins (0, 2, 5, 12, 15), the flash (6..11) and, for analogue inputs, ADC2, which is dead while
Wi-Fi is on. Source: ESP32 datasheet, sections 2.2 and 3.3.
"""

import json

NAME = "board.json"

DEFAULTS = {
    # Dimming: "pwm" (1 kHz into the gear's PWM input), "0-10v-pwm" (5 kHz into a low-pass and an amplifier) or
    # "0-10v-dac" (the 8-bit DAC of GPIO 25 or 26 into an amplifier).
    "dimming": "pwm",
    "dimming_pin": 25,
    "dimming_inverted": False,
    "voltage_at_min": 1.0,  # V at the lowest level above 0 (IEC 60929 annex E)
    "voltage_at_max": 10.0,
    "full_scale_v": 10.0,  # V behind the amplifier at full duty or code
    "relay_pin": 27,
    "relay_active_low": False,
    # Meter: "none", "hlw8012" or "bl0937"; gains correct the parts' tolerance and come from the self-test.
    "meter": "none",
    "meter_cf_pin": 32,
    "meter_cf1_pin": 33,
    "meter_sel_pin": 14,
    "meter_sel_voltage": 1,  # level of SEL at which CF1 tells the voltage
    "meter_shunt_ohm": 0.001,
    "meter_divider": 2351.0,  # (5 * 470 kOhm + 1 kOhm) / 1 kOhm
    "meter_power_gain": 1.0,
    "meter_voltage_gain": 1.0,
    "meter_current_gain": 1.0,
    # Photocell: a photoresistor to 3.3 V over a fixed resistor to ground; -1: none.
    "photocell_pin": -1,
    "photocell_fixed_ohm": 10000.0,
    "photocell_ohm_at_10_lux": 15000.0,
    "photocell_gamma": 0.7,
    # Thermistor to ground under a fixed resistor to 3.3 V; -1: the chip's own sensor.
    "ntc_pin": -1,
    "ntc_fixed_ohm": 10000.0,
    "ntc_ohm_at_25": 10000.0,
    "ntc_beta": 3950.0,
    "wifi_country": "",  # ISO 3166 letters; empty: the chip's world-wide default
}

CHOICES = {
    "dimming": ("pwm", "0-10v-pwm", "0-10v-dac"),
    "meter": ("none", "hlw8012", "bl0937"),
}
ABSENT_PINS = ("photocell_pin", "ntc_pin")
OUTPUT_PINS = ("dimming_pin", "relay_pin", "meter_sel_pin")
ADC1_PINS = (32, 33, 34, 35, 36, 37, 38, 39)
DAC_PINS = (25, 26)
FLASH_PINS = (6, 7, 8, 9, 10, 11)


def load(directory, overrides):
    """Return (wiring, complaints): DEFAULTS, then `board.json`, then `overrides`; a bad value is named and left out."""
    complaints = []
    given = {}
    try:
        with open(directory + "/" + NAME, "rb") as file:
            data = file.read()
    except OSError:
        data = None
    if data is not None:
        try:
            given = json.loads(data)
        except (ValueError, UnicodeError):
            given = None
        if not isinstance(given, dict):
            complaints.append("%s holds no JSON object: write it again; the default wiring is used" % NAME)
            given = {}
    wiring = dict(DEFAULTS)
    for source in (given, overrides):
        for name in source:
            if name not in DEFAULTS:
                if source is given:
                    complaints.append("%s is no name of the wiring" % name)
                continue
            reason = _refusal(name, source[name])
            if reason:
                complaints.append("%s %s; %s is used" % (name, reason, wiring[name]))
            else:
                wiring[name] = source[name]
    _settle_conflicts(wiring, complaints)
    return wiring, complaints


def _refusal(name, value):
    """Why `value` cannot be, or None."""
    default = DEFAULTS[name]
    if name in CHOICES:
        return None if value in CHOICES[name] else "must be one of " + ", ".join(CHOICES[name])
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "must be true or false"
    if isinstance(default, str):
        return None if isinstance(value, str) and len(value) in (0, 2) else "must be two letters or nothing"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "must be a number"
    if name.endswith("_pin"):
        return _pin_refusal(name, value)
    if name == "meter_sel_voltage":
        return None if value in (0, 1) else "must be 0 or 1"
    if name == "voltage_at_min":
        return None if 0 <= value <= 10 else "must be 0 to 10"
    return None if 0 < value < 1e9 else "must be greater than 0"


def _pin_refusal(name, value):
    if value == -1 and name in ABSENT_PINS:
        return None
    if not isinstance(value, int) or not 0 <= value <= 39 or value in FLASH_PINS:
        return "must be a GPIO from 0 to 39 that is not the flash's 6 to 11"
    if name in OUTPUT_PINS and value >= 34:
        return "must be a GPIO below 34: the others are inputs"
    if name in ABSENT_PINS and value not in ADC1_PINS:
        return "must be a GPIO from 32 to 39: the other converter is dead while Wi-Fi is on"
    return None


def _settle_conflicts(wiring, complaints):
    """Take back what cannot be together, in favour of the light: its two pins win."""
    if wiring["dimming"] == "0-10v-dac" and wiring["dimming_pin"] not in DAC_PINS:
        complaints.append("dimming_pin must be 25 or 26 for a DAC; filtered PWM is used")
        wiring["dimming"] = "0-10v-pwm"
    if wiring["voltage_at_min"] >= wiring["voltage_at_max"]:
        complaints.append("voltage_at_min must be below voltage_at_max; 1 to 10 V are used")
        wiring["voltage_at_min"] = DEFAULTS["voltage_at_min"]
        wiring["voltage_at_max"] = DEFAULTS["voltage_at_max"]
    if wiring["relay_pin"] == wiring["dimming_pin"]:
        complaints.append("relay_pin and dimming_pin are one pin; the default pins are used")
        wiring["relay_pin"] = DEFAULTS["relay_pin"]
        wiring["dimming_pin"] = DEFAULTS["dimming_pin"]
    taken = [wiring["relay_pin"], wiring["dimming_pin"]]
    for name in ("photocell_pin", "ntc_pin"):
        if wiring[name] in taken:
            complaints.append("%s is taken already; it is left out" % name)
            wiring[name] = -1
        elif wiring[name] != -1:
            taken.append(wiring[name])
    if wiring["meter"] != "none":
        pins = [wiring["meter_cf_pin"], wiring["meter_cf1_pin"], wiring["meter_sel_pin"]]
        if len(set(pins + taken)) != len(pins) + len(taken):
            complaints.append("a meter pin is taken already; the meter is left out")
            wiring["meter"] = "none"
