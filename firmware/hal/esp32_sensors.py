"""Photocell and temperature of the ESP32 board, on ADC1 or inside the chip."""

import esp32
import machine

from firmware.hal.analog import ldr_lux, ntc_celsius

SUPPLY_UV = 3300000
SAMPLES = 8  # one sample of this converter wanders by tens of millivolts while Wi-Fi sends


def _open_adc(number):
    return machine.ADC(machine.Pin(number), atten=machine.ADC.ATTN_11DB)


def _microvolts(adc):
    total = 0
    for _ in range(SAMPLES):
        total += adc.read_uv()
    return total // SAMPLES


class Sensors:
    """What `wiring` says is fitted."""

    def __init__(self, wiring):
        self._wiring = wiring
        self._photocell = _open_adc(wiring["photocell_pin"]) if wiring["photocell_pin"] >= 0 else None
        self._ntc = _open_adc(wiring["ntc_pin"]) if wiring["ntc_pin"] >= 0 else None

    def lux(self):
        if self._photocell is None:
            return None
        wiring = self._wiring
        return ldr_lux(
            _microvolts(self._photocell),
            SUPPLY_UV,
            wiring["photocell_fixed_ohm"],
            wiring["photocell_ohm_at_10_lux"],
            wiring["photocell_gamma"],
        )

    def celsius(self):
        """The thermistor, else the chip (its die, some ten degrees above the housing; the plain ESP32 tells °F)."""
        if self._ntc is not None:
            wiring = self._wiring
            fixed, at_25, beta = wiring["ntc_fixed_ohm"], wiring["ntc_ohm_at_25"], wiring["ntc_beta"]
            return ntc_celsius(_microvolts(self._ntc), SUPPLY_UV, fixed, at_25, beta)
        if hasattr(esp32, "mcu_temperature"):
            return float(esp32.mcu_temperature())
        if hasattr(esp32, "raw_temperature"):
            return (esp32.raw_temperature() - 32) / 1.8
        return None
