"""What may be written: name, kind, range and default of each setting, and the check of a value.

A lamp loads this when settings are checked, and keeps the defaults only (firmware.rarely).
"""

from contract import limits
from firmware.errors import SettingError

DAY_S = 86400
LAST_S = 0xFFFFFFFF  # 2106: the last moment of an unsigned 32-bit clock

# name: (kind, minimum, maximum, default); for text and lists the bounds are lengths.
TABLE = {
    # The light: object 3416 unless noted.
    "default_level": ("int", 0, 100, 100),
    "default_fade_ms": ("int", 0, limits.FADE_MAX_S * 1000, 2000),
    "failsafe_level": ("int", 0, 100, 100),  # 42769/16
    "safety_floor": ("int", 0, 100, 0),  # 42769/18; 0: none, since only the road's owner can say what it needs
    "minimum_level": ("int", 0, 100, 10),
    "virtual_power_output": ("int", 1, 100, 100),
    "constant_light_output": ("bool", None, None, False),
    "standby_mode": ("bool", None, None, False),
    "nominal_power_w": ("int", 1, 5000, 100),
    "minimum_power_w": ("int", 0, 5000, 0),  # 0: not known, the detectors estimate it
    "control_type": ("int", 0, 13, 11),
    "output_port": ("int", 0, 255, 0),
    "voltage_at_max_v": ("float", 0.0, 10.0, 10.0),
    "voltage_at_min_v": ("float", 0.0, 10.0, 1.0),
    "override_duration_s": ("int", 1, limits.OVERRIDE_MAX_S, limits.OVERRIDE_DEFAULT_S),
    "scheduler_ids": ("ints", 0, limits.PROGRAMS, []),
    # The place and its time: 3/15, 3410/11-13, 42769/9-11.
    "latitude_e6": ("int", -90000000, 90000000, 0),
    "longitude_e6": ("int", -180000000, 180000000, 0),
    "standard_offset_s": ("int", -14 * 3600, 14 * 3600, 0),
    "time_zone": ("str", 0, limits.TIME_ZONE_NAME_BYTES, "UTC"),
    "time_zone_exceptions": ("exceptions", 0, limits.TIME_ZONE_EXCEPTIONS, []),
    # The clock: object 3415.
    "ntp_server": ("str", 0, 255, ""),
    "ntp_backup": ("str", 0, 255, ""),
    "ntp_period_h": ("int", 1, 8760, 24),
    # The server and the reports: object 1, 42769/15.
    "lifetime_s": ("int", limits.LIFETIME_MIN_S, limits.LIFETIME_MAX_S, limits.LIFETIME_S),
    "registration_jitter_s": ("int", 0, 3600, limits.REGISTRATION_JITTER_S),
    "default_pmin_s": ("int", 0, DAY_S, 0),
    "default_pmax_s": ("int", 0, DAY_S, 0),  # 0: no maximum period
    "disable_timeout_s": ("int", 1, 30 * DAY_S, DAY_S),
    "store_notifications": ("bool", None, None, True),
    "mute_send": ("bool", None, None, False),
    "report_interval_s": (
        "int",
        limits.REPORT_INTERVAL_MIN_S,
        limits.REPORT_INTERVAL_MAX_S,
        limits.REPORT_INTERVAL_S,
    ),
    # Schedules: 3457/102.
    "transaction_timeout_s": ("int", 1, DAY_S, limits.TRANSACTION_TIMEOUT_S),
    # When a measurement is a fault: object 3418. A low threshold of 0 never raises.
    "low_voltage_v": ("float", 0.0, 500.0, 200.0),
    "high_voltage_v": ("float", 0.0, 500.0, 253.0),
    "low_power_w": ("float", 0.0, 10000.0, 0.0),
    "high_power_w": ("float", 0.0, 10000.0, 1000.0),
    "low_current_a": ("float", 0.0, 100.0, 0.0),
    "high_current_a": ("float", 0.0, 100.0, 10.0),
    "low_power_factor": ("float", 0.0, 1.0, 0.5),
    "over_temperature_c": ("float", 0.0, 150.0, 85.0),
    # The photocell: object 3419.
    "on_lux": ("float", 0.0, 100000.0, 35.0),
    "off_lux": ("float", 0.0, 100000.0, 70.0),
    # The asset: objects 3410 and 3417.
    "asset_id": ("str", 0, 64, ""),
    "user_name": ("str", 0, 64, ""),
    "installation_s": ("int", 0, LAST_S, 0),
    "maintenance": ("bool", None, None, False),
    "asset_gtin": ("str", 0, 14, ""),
    "manufacture_year": ("int", 0, 9999, 0),
    "manufacture_week": ("int", 0, 53, 0),
    "light_output_lm": ("int", 0, 1000000, 0),
    "light_distribution": ("int", 0, 65535, 0),
    "luminaire_colour": ("str", 0, 24, ""),
}

# Nothing over the air changes these, whoever asks; a factory reset keeps them.
PROVISIONED = ("safety_floor",)

# The first of each pair must be smaller, or the two would be raised at once or never cleared.
ORDERED = (
    ("low_voltage_v", "high_voltage_v"),
    ("low_power_w", "high_power_w"),
    ("low_current_a", "high_current_a"),
    ("on_lux", "off_lux"),
    ("voltage_at_min_v", "voltage_at_max_v"),
    ("minimum_power_w", "nominal_power_w"),
)


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _check_exceptions(name, value):
    """Return daylight saving periods as a list of (start_s, end_s, delta_s) in order, or raise SettingError."""
    exceptions = []
    for entry in value:
        if not isinstance(entry, (list, tuple)) or len(entry) != 3 or not all(_is_int(part) for part in entry):
            raise SettingError(name, "needs three integers (start_s, end_s, delta_s) an entry")
        start_s, end_s, delta_s = entry
        if not 0 <= start_s < end_s <= LAST_S:
            raise SettingError(name, "has a period that does not end after it starts, or lies outside 1970..2106")
        if not -4 * 3600 <= delta_s <= 4 * 3600:
            raise SettingError(name, "has an offset of more than four hours")
        exceptions.append((start_s, end_s, delta_s))
    exceptions.sort()
    for index in range(1, len(exceptions)):
        if exceptions[index][0] < exceptions[index - 1][1]:
            raise SettingError(name, "has periods that overlap")
    return exceptions


def check_value(name, value):
    """Return `value` as setting `name` holds it: an integer becomes a float where one is meant. Raises SettingError."""
    if name not in TABLE:
        raise SettingError(name, "does not exist")
    kind, minimum, maximum, _ = TABLE[name]
    if kind == "bool":
        if not isinstance(value, bool):
            raise SettingError(name, "must be true or false")
        return value
    if kind in ("int", "float"):
        if not _is_int(value) and not (kind == "float" and isinstance(value, float)):
            raise SettingError(name, "must be a whole number" if kind == "int" else "must be a number")
        # A NaN is in no range.
        if not minimum <= value <= maximum:
            raise SettingError(name, "must be %s to %s" % (minimum, maximum))
        return value if kind == "int" else float(value)
    if not isinstance(value, str if kind == "str" else (list, tuple)):
        raise SettingError(name, "must be text" if kind == "str" else "must be a list")
    if not minimum <= len(value) <= maximum:
        raise SettingError(name, "may have at most %d %s" % (maximum, "characters" if kind == "str" else "entries"))
    if kind == "exceptions":
        return _check_exceptions(name, value)
    if kind == "ints":
        for entry in value:
            if not _is_int(entry) or not 0 <= entry <= 65535:
                raise SettingError(name, "must hold whole numbers of 0 to 65535")
        return list(value)
    return value
