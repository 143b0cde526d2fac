"""The light: command and override, level, plate data, and what can fail in it.

Source: urn:oma:lwm2m:ext:3416:2.0 (Outdoor lamp controller). What an override means: firmware.override.
"""

import contract.objects.outdoor_lamp_controller as light
from contract import faults
from firmware import override, program
from firmware.health.detectors import POWER_TOO_HIGH
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.objects.desk import Kept

COMMAND = light.COMMAND.id
DIMMING_LEVEL = light.DIMMING_LEVEL.id
CONTROL_GEAR_FAILURE_REASON = light.CONTROL_GEAR_FAILURE_REASON.id
CONTROL_GEAR_COMMUNICATION_FAILURE = light.CONTROL_GEAR_COMMUNICATION_FAILURE.id
SCHEDULER_ID = light.SCHEDULER_ID.id
INVALID_SCHEDULER = light.INVALID_SCHEDULER.id
LAMP_OPERATING_HOURS_RESET = light.LAMP_OPERATING_HOURS_RESET.id
LAMP_ON_TIMESTAMP = light.LAMP_ON_TIMESTAMP.id
LAMP_SWITCH_COUNTER_RESET = light.LAMP_SWITCH_COUNTER_RESET.id
CONTROL_TYPE = light.CONTROL_TYPE.id
DEFAULT_FADE_TIME = light.DEFAULT_FADE_TIME.id
START_TIME = light.MANUAL_OVERRIDE_START_TIME.id
END_TIME = light.MANUAL_OVERRIDE_END_TIME.id
FADE = light.MANUAL_OVERRIDE_FADE.id
ACTIVE = light.MANUAL_OVERRIDE_ACTIVE.id
TIMESTAMP = light.TIMESTAMP.id

LEVELS = (COMMAND, light.COMMAND_IN_ACTION.id, DIMMING_LEVEL)
OVERRIDE = ((COMMAND, override.LEVEL), (START_TIME, override.START), (END_TIME, override.END))


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
    LACKS = (light.CONTROL_GEAR_START_COUNTER.id,)

    SOURCES = {
        light.LAMP_FAILURE_REASON.id: "health.reason",
        light.LAMP_OPERATING_HOURS.id: "meter.lamp_hours",
        light.LAMP_SWITCH_COUNTER.id: "meter.switches",
        light.CONTROL_GEAR_TEMPERATURE.id: "board.celsius",
    }

    def read(self, instance, resource):
        if resource == INVALID_SCHEDULER:
            # At once, and not when the fault is next looked at: who wrote the schedule reads this next.
            return not self.parts.program.is_valid
        return super().read(instance, resource)

    def value(self, resource):
        if resource in LEVELS:
            return self._level(resource)
        if START_TIME <= resource <= ACTIVE:
            return self._override(resource)
        return self._other(resource)

    def _level(self, resource):
        decision, command = self.parts.lamp.decision, self.parts.lamp.override.level
        if resource == COMMAND and command is not None:
            return command
        if decision is None:
            return None
        return decision.dimming if resource == DIMMING_LEVEL else decision.level

    def _override(self, resource):
        manual = self.parts.lamp.override
        if resource == START_TIME:
            return manual.start_s
        if resource == END_TIME:
            return manual.end_s
        if resource == FADE:
            return manual.fade_ms / 1000
        rtc_ms = self.parts.board.rtc_ms()
        return manual.is_active(self.parts.clock.trusted_ms(rtc_ms), rtc_ms)

    def _other(self, resource):
        parts = self.parts
        if resource == CONTROL_GEAR_FAILURE_REASON:
            return POWER_TOO_HIGH if parts.health.is_raised(faults.CONTROL_GEAR_FAILURE.code) else 0
        if resource == CONTROL_GEAR_COMMUNICATION_FAILURE:
            # There is no bus that could fall silent.
            return False
        if resource == SCHEDULER_ID:
            assigned = parts.settings.get("scheduler_ids") or parts.program.instances_of(program.SCHEDULER)
            return dict(enumerate(assigned))
        if resource == LAMP_ON_TIMESTAMP:
            return parts.meter.lit_since_s(parts.clock)
        if resource == CONTROL_TYPE:
            return {0: parts.settings.get("control_type")}
        if resource == DEFAULT_FADE_TIME:
            return parts.settings.get("default_fade_ms") / 1000
        return self.measured_s() if resource == TIMESTAMP else None

    def wanted(self, values, replace):
        wanted = super().wanted(values, replace)
        default = self.parts.settings.default
        if DEFAULT_FADE_TIME in values:
            wanted["default_fade_ms"] = _milliseconds(values[DEFAULT_FADE_TIME])
        elif replace:
            wanted["default_fade_ms"] = default("default_fade_ms")
        if CONTROL_TYPE in values:
            wanted["control_type"] = self.only(values[CONTROL_TYPE], "Control type")
        elif replace:
            wanted["control_type"] = default("control_type")
        if SCHEDULER_ID in values:
            given = values[SCHEDULER_ID]
            wanted["scheduler_ids"] = [given[row] for row in sorted(given)]
        elif replace:
            wanted["scheduler_ids"] = default("scheduler_ids")
        return wanted

    def effect(self, values):
        changes = {name: values[resource] for resource, name in OVERRIDE if resource in values}
        fade_s = values.get(FADE)
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
        if resource == LAMP_OPERATING_HOURS_RESET:
            self.parts.meter.reset_lamp_hours()
        elif resource == LAMP_SWITCH_COUNTER_RESET:
            self.parts.meter.reset_switches()
        else:
            self.refuse_execution(resource)


def _milliseconds(seconds):
    """Return whole ms of a fade in seconds. Raises BadRequest for what is no length of time."""
    if not 0 <= seconds <= 1000000:
        raise BadRequest("a fade is 0 s or longer")
    return int(seconds * 1000 + 0.5)
