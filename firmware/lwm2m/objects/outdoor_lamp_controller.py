"""The light: command and override, level, plate data, and what can fail in it.

Source: urn:oma:lwm2m:ext:3416:2.0 (Outdoor lamp controller). What an override means: firmware.override.
"""

import contract.objects.outdoor_lamp_controller as light
from contract import faults
from firmware import override, program
from firmware.health.detectors import POWER_TOO_HIGH
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.objects.desk import Kept

FAULTS = {
    light.LAMP_FAILURE.id: faults.LAMP_FAILURE.code,
    light.CONTROL_GEAR_FAILURE.id: faults.CONTROL_GEAR_FAILURE.code,
    light.RELAY_FAILURE.id: faults.RELAY_FAILURE.code,
    light.DAY_BURNER.id: faults.DAY_BURNER.code,
    light.CYCLING_FAILURE.id: faults.CYCLING.code,
}

OVERRIDE = (
    (light.COMMAND.id, override.LEVEL),
    (light.MANUAL_OVERRIDE_START_TIME.id, override.START),
    (light.MANUAL_OVERRIDE_END_TIME.id, override.END),
)


class OutdoorLampController(Kept):
    OBJECT = light.OBJECT
    SETTINGS = {
        light.DEFAULT_DIMMING_LEVEL.id: "default_level",
        light.OUTPUT_PORT.id: "output_port",
        light.STANDBY_MODE.id: "standby_mode",
        light.CONSTANT_LIGHT_OUTPUT.id: "constant_light_output",
        light.NOMINAL_LAMP_WATTAGE.id: "nominal_power_w",
        light.MINIMUM_DIMMING_LEVEL.id: "minimum_level",
        light.MINIMUM_LAMP_WATTAGE.id: "minimum_power_w",
        light.VIRTUAL_POWER_OUTPUT.id: "virtual_power_output",
        light.VOLTAGE_AT_MAX_DIM_LEVEL.id: "voltage_at_max_v",
        light.VOLTAGE_AT_MIN_DIM_LEVEL.id: "voltage_at_min_v",
        light.MANUAL_OVERRIDE_DEFAULT_DURATION.id: "override_duration_s",
    }
    OTHERS = tuple(FAULTS) + (
        light.COMMAND.id,
        light.COMMAND_IN_ACTION.id,
        light.DIMMING_LEVEL.id,
        light.LAMP_FAILURE_REASON.id,
        light.CONTROL_GEAR_FAILURE_REASON.id,
        light.CONTROL_GEAR_COMMUNICATION_FAILURE.id,
        light.SCHEDULER_ID.id,
        light.INVALID_SCHEDULER.id,
        light.LAMP_OPERATING_HOURS.id,
        light.LAMP_OPERATING_HOURS_RESET.id,
        light.LAMP_ON_TIMESTAMP.id,
        light.LAMP_SWITCH_COUNTER.id,
        light.LAMP_SWITCH_COUNTER_RESET.id,
        light.CONTROL_GEAR_TEMPERATURE.id,
        light.CONTROL_TYPE.id,
        light.DEFAULT_FADE_TIME.id,
        light.MANUAL_OVERRIDE_START_TIME.id,
        light.MANUAL_OVERRIDE_END_TIME.id,
        light.MANUAL_OVERRIDE_FADE.id,
        light.MANUAL_OVERRIDE_ACTIVE.id,
        light.TIMESTAMP.id,
    )

    def value(self, resource):
        if resource in FAULTS:
            return self.parts.health.is_raised(FAULTS[resource])
        if resource in (light.COMMAND.id, light.COMMAND_IN_ACTION.id, light.DIMMING_LEVEL.id):
            return self._level(resource)
        if light.MANUAL_OVERRIDE_START_TIME.id <= resource <= light.MANUAL_OVERRIDE_ACTIVE.id:
            return self._override(resource)
        return self._other(resource)

    def _level(self, resource):
        decision, command = self.parts.lamp.decision, self.parts.lamp.override.level
        if resource == light.COMMAND.id and command is not None:
            return command
        if decision is None:
            return None
        return decision.dimming if resource == light.DIMMING_LEVEL.id else decision.level

    def _override(self, resource):
        manual = self.parts.lamp.override
        if resource == light.MANUAL_OVERRIDE_START_TIME.id:
            return manual.start_s
        if resource == light.MANUAL_OVERRIDE_END_TIME.id:
            return manual.end_s
        if resource == light.MANUAL_OVERRIDE_FADE.id:
            return manual.fade_ms / 1000
        rtc_ms = self.parts.board.rtc_ms()
        return manual.is_active(self.parts.clock.trusted_ms(rtc_ms), rtc_ms)

    def _other(self, resource):
        parts = self.parts
        if resource == light.LAMP_FAILURE_REASON.id:
            return parts.health.reason
        if resource == light.CONTROL_GEAR_FAILURE_REASON.id:
            return POWER_TOO_HIGH if parts.health.is_raised(faults.CONTROL_GEAR_FAILURE.code) else 0
        if resource == light.CONTROL_GEAR_COMMUNICATION_FAILURE.id:
            # There is no bus that could fall silent.
            return False
        if resource == light.SCHEDULER_ID.id:
            assigned = parts.settings.get("scheduler_ids") or parts.program.instances_of(program.SCHEDULER)
            return dict(enumerate(assigned))
        if resource == light.INVALID_SCHEDULER.id:
            return not parts.program.is_valid
        if resource == light.LAMP_OPERATING_HOURS.id:
            return parts.meter.lamp_hours
        if resource == light.LAMP_ON_TIMESTAMP.id:
            return parts.meter.lit_since_s(parts.clock)
        if resource == light.LAMP_SWITCH_COUNTER.id:
            return parts.meter.switches
        if resource == light.CONTROL_GEAR_TEMPERATURE.id:
            return parts.board.celsius()
        if resource == light.CONTROL_TYPE.id:
            return {0: parts.settings.get("control_type")}
        if resource == light.DEFAULT_FADE_TIME.id:
            return parts.settings.get("default_fade_ms") / 1000
        return self.measured_s() if resource == light.TIMESTAMP.id else None

    def wanted(self, values, replace):
        wanted = super().wanted(values, replace)
        default = self.parts.settings.default
        if light.DEFAULT_FADE_TIME.id in values:
            wanted["default_fade_ms"] = _milliseconds(values[light.DEFAULT_FADE_TIME.id])
        elif replace:
            wanted["default_fade_ms"] = default("default_fade_ms")
        if light.CONTROL_TYPE.id in values:
            wanted["control_type"] = self.only(values[light.CONTROL_TYPE.id], "Control type")
        elif replace:
            wanted["control_type"] = default("control_type")
        if light.SCHEDULER_ID.id in values:
            given = values[light.SCHEDULER_ID.id]
            wanted["scheduler_ids"] = [given[row] for row in sorted(given)]
        elif replace:
            wanted["scheduler_ids"] = default("scheduler_ids")
        return wanted

    def effect(self, values):
        changes = {name: values[resource] for resource, name in OVERRIDE if resource in values}
        fade_s = values.get(light.MANUAL_OVERRIDE_FADE.id)
        # The registry: a fade that is NaN or negative is ignored.
        if fade_s is not None and fade_s >= 0:
            changes[override.FADE] = _milliseconds(fade_s)
        if not changes:
            return None
        parts = self.parts
        rtc_ms = parts.board.rtc_ms()
        now_ms = parts.clock.trusted_ms(rtc_ms)
        parts.lamp.override.check(changes, now_ms)
        return lambda: parts.lamp.override.write(changes, now_ms, rtc_ms)

    def execute(self, instance, resource, arguments):
        if resource == light.LAMP_OPERATING_HOURS_RESET.id:
            self.parts.meter.reset_lamp_hours()
        elif resource == light.LAMP_SWITCH_COUNTER_RESET.id:
            self.parts.meter.reset_switches()
        else:
            self.refuse_execution(resource)


def _milliseconds(seconds):
    """Return whole ms of a fade in seconds. Raises BadRequest for what is no length of time."""
    if not 0 <= seconds <= 1000000:
        raise BadRequest("a fade is 0 s or longer")
    return int(seconds * 1000 + 0.5)
