"""Is something wrong at this moment? One small function a fault: True, False, or None when that cannot be told now.

None is also the answer in the dead band between raising and clearing, so hysteresis is nothing but silence. Whoever
asks must wait out fades and inrush (`Scene.settled`) and debounce (firmware.health.debounce).
"""

from collections import namedtuple

# decision: firmware.lamp.Decision; reading: firmware.meter.Reading, sifted; celsius: float or None; day: True, False or
# None by photocell or sun; settled: the output has been still for a while; get: settings by name.
Scene = namedtuple("Scene", ("decision", "reading", "celsius", "day", "settled", "get"))

# Vendor-defined reasons of 3416/6 and 3416/8.
NO_POWER = 1
LITTLE_POWER = 2
POWER_TOO_HIGH = 1

COLDEST_C, HOTTEST_C = -60.0, 150.0


def expected_w(scene):
    """Return the watts that control gear in good order takes at this output."""
    nominal_w = scene.get("nominal_power_w")
    least_w, least = scene.get("minimum_power_w"), scene.get("minimum_level") * 10
    permille = scene.decision.permille
    if least_w and least < 1000 and permille >= least:
        return least_w + (nominal_w - least_w) * (permille - least) / (1000 - least)
    return nominal_w * permille / 1000


def _band(value, bad, good):
    """Return True at `bad` or beyond it, False at `good` or beyond, None between; which way is seen from the two."""
    if value is None:
        return None
    if bad < good:
        return True if value < bad else False if value >= good else None
    return True if value > bad else False if value <= good else None


def _is_lit(scene):
    return scene.settled and scene.decision.permille > 0


def _is_fed(scene):
    """Return False when the supply is known to be too low to expect any light."""
    volts = scene.reading.voltage_v
    return volts is None or volts >= 0.6 * scene.get("low_voltage_v")


def lamp_failure(scene):
    """Almost no power although the output is on."""
    if not _is_lit(scene) or not _is_fed(scene):
        return None
    expected = expected_w(scene)
    return _band(scene.reading.power_w, 0.25 * expected, 0.35 * expected)


def lamp_failure_reason(scene):
    """Return 3416/6 for a lamp that fails now: nothing at all (a wire, the relay), or what dead control gear takes."""
    power_w = scene.reading.power_w
    return NO_POWER if power_w is None or power_w < 0.2 else LITTLE_POWER


def control_gear_failure(scene):
    """Dimmed, and the power stays up: the gear does not hear the dimming output."""
    if not _is_lit(scene) or scene.decision.permille > 800:
        return None
    expected, spare = expected_w(scene), 0.1 * scene.get("nominal_power_w")
    return _band(scene.reading.power_w, 1.4 * expected + spare, 1.2 * expected + spare)


def _takes_power(scene):
    least = max(2.0, 0.05 * scene.get("nominal_power_w"))
    return _band(scene.reading.power_w, least, 0.7 * least)


def relay_failure(scene):
    """The relay is open and power still flows. While it is closed nobody can tell."""
    if not scene.settled or scene.decision.closed:
        return None
    return _takes_power(scene)


def day_burner(scene):
    """It is day, the lamp is meant to be off, and power flows."""
    if not scene.settled or scene.decision.level or not scene.day:
        return None
    return _takes_power(scene)


def low_voltage(scene):
    """The supply is below its threshold."""
    limit = scene.get("low_voltage_v")
    return _band(scene.reading.voltage_v, limit, 1.02 * limit) if limit else False


def high_voltage(scene):
    """The supply is above its threshold."""
    limit = scene.get("high_voltage_v")
    return _band(scene.reading.voltage_v, limit, 0.98 * limit)


def _low(scene, value, limit):
    if not limit:
        return False
    return _band(value, limit, 1.05 * limit) if _is_lit(scene) and _is_fed(scene) else None


def _high(scene, value, limit):
    return _band(value, limit, 0.95 * limit) if scene.settled else None


def low_current(scene):
    """Less current than its threshold while lit."""
    return _low(scene, scene.reading.current_a, scene.get("low_current_a"))


def high_current(scene):
    """More current than its threshold."""
    return _high(scene, scene.reading.current_a, scene.get("high_current_a"))


def low_power(scene):
    """Less power than its threshold while lit."""
    return _low(scene, scene.reading.power_w, scene.get("low_power_w"))


def high_power(scene):
    """More power than its threshold."""
    return _high(scene, scene.reading.power_w, scene.get("high_power_w"))


def low_power_factor(scene):
    """A bad power factor at half output or more: below that every LED driver has one."""
    power_w, factor = scene.reading.power_w, scene.reading.power_factor
    if not _is_lit(scene) or scene.decision.permille < 500 or factor is None or power_w is None or power_w < 5:
        return None
    limit = scene.get("low_power_factor")
    return _band(abs(factor), limit, limit + 0.03)


def over_temperature(scene):
    """The controller is hotter than it may be."""
    celsius = scene.celsius
    if celsius is None or not COLDEST_C <= celsius <= HOTTEST_C:
        return None
    limit = scene.get("over_temperature_c")
    return _band(celsius, limit, limit - 5)
