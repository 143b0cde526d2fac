"""From volts to what they mean: photoresistor, thermistor, 0-10 V control line. Pure, safe in single precision."""

import math

KELVIN_AT_0_C = 273.15
KELVIN_AT_25_C = 298.15
BRIGHTEST_LUX = 100000.0  # full sun; a cell that is shorted reads this


def ldr_lux(microvolts, supply_uv, fixed_ohm, ohm_at_10_lux, gamma):
    """Lux at a photoresistor between the supply and the input, with `fixed_ohm` to ground.

    Its resistance falls as lux ** -gamma. A broken wire reads 0 lux: the lamp then takes it for night, and lights.
    """
    if microvolts <= supply_uv // 1000:
        return 0.0
    if microvolts >= supply_uv:
        return BRIGHTEST_LUX
    ohm = fixed_ohm * (supply_uv - microvolts) / microvolts
    return min(BRIGHTEST_LUX, 10.0 * (ohm_at_10_lux / ohm) ** (1.0 / gamma))


def ntc_celsius(microvolts, supply_uv, fixed_ohm, ohm_at_25, beta):
    """Degrees Celsius of a thermistor between the input and ground, with `fixed_ohm` to the supply (beta equation).

    None when it is open or shorted: past 98 % or below 2 % of the supply no outdoor temperature is meant.
    """
    if not supply_uv // 50 <= microvolts <= supply_uv - supply_uv // 50:
        return None
    ohm = fixed_ohm * microvolts / (supply_uv - microvolts)
    return 1.0 / (1.0 / KELVIN_AT_25_C + math.log(ohm / ohm_at_25) / beta) - KELVIN_AT_0_C


def control_volts(permille, at_min, at_max):
    """Volts of a 0-10 V control line (IEC 60929 annex E): 0 for off, else from `at_min` to `at_max`, linearly."""
    if permille <= 0:
        return 0.0
    return at_min + (at_max - at_min) * min(permille, 1000) / 1000
