"""The light: command, override, default, level and what can fail in it.

Source: urn:oma:lwm2m:ext:3416:2.0 (Outdoor lamp controller, OMA registry). Of the registry's 67 resources those that
a lamp with a dimming output and a relay can serve; DALI ones come with DALI.
"""

from contract.objects import Object, resource

ID = 3416

COMMAND = resource(ID, 1, "Command", "Integer", "RW", "/100", mandatory=True, minimum=0, maximum=100)
COMMAND_IN_ACTION = resource(ID, 2, "Command in action", "Integer", "R", "/100", minimum=0, maximum=100)
DIMMING_LEVEL = resource(ID, 3, "Dimming level", "Integer", "R", "/100", mandatory=True, minimum=0, maximum=100)
DEFAULT_DIMMING_LEVEL = resource(ID, 4, "Default dimming level", "Integer", "RW", "/100", minimum=0, maximum=100)
LAMP_FAILURE = resource(ID, 5, "Lamp failure", "Boolean", "R")
LAMP_FAILURE_REASON = resource(ID, 6, "Lamp failure reason", "Integer", "R")
CONTROL_GEAR_FAILURE = resource(ID, 7, "Control gear failure", "Boolean", "R")
CONTROL_GEAR_FAILURE_REASON = resource(ID, 8, "Control gear failure reason", "Integer", "R")
RELAY_FAILURE = resource(ID, 9, "Relay failure", "Boolean", "R")
DAY_BURNER = resource(ID, 10, "Day burner", "Boolean", "R")
CYCLING_FAILURE = resource(ID, 11, "Cycling failure", "Boolean", "R")
CONTROL_GEAR_COMMUNICATION_FAILURE = resource(ID, 12, "Control gear communication failure", "Boolean", "R")
SCHEDULER_ID = resource(ID, 13, "Scheduler ID", "Integer", "RW", multiple=True)
INVALID_SCHEDULER = resource(ID, 14, "Invalid scheduler", "Boolean", "R")
LAMP_OPERATING_HOURS = resource(ID, 15, "Lamp operating hours", "Float", "R", "h")
LAMP_OPERATING_HOURS_RESET = resource(ID, 16, "Lamp operating hours reset", "", "E")
LAMP_ON_TIMESTAMP = resource(ID, 17, "Lamp ON timestamp", "Time", "R")
LAMP_SWITCH_COUNTER = resource(ID, 18, "Lamp switch counter", "Integer", "R")
LAMP_SWITCH_COUNTER_RESET = resource(ID, 19, "Lamp switch counter reset", "", "E")
CONTROL_GEAR_START_COUNTER = resource(ID, 20, "Control gear start counter", "Integer", "R")
CONTROL_GEAR_TEMPERATURE = resource(ID, 21, "Control gear temperature", "Float", "R", "Cel")
OUTPUT_PORT = resource(ID, 28, "Output port", "Integer", "RW")
STANDBY_MODE = resource(ID, 29, "Standby mode", "Boolean", "RW")
CONSTANT_LIGHT_OUTPUT = resource(ID, 30, "Constant light output", "Boolean", "RW")
CONTROL_TYPE = resource(ID, 35, "Control type", "Integer", "RW", multiple=True, minimum=0, maximum=13)
NOMINAL_LAMP_WATTAGE = resource(ID, 36, "Nominal Lamp wattage", "Integer", "RW", "W")
MINIMUM_DIMMING_LEVEL = resource(ID, 37, "Minimum dimming level", "Integer", "RW", "/100")
MINIMUM_LAMP_WATTAGE = resource(ID, 38, "Minimum lamp wattage", "Integer", "RW", "W")
VIRTUAL_POWER_OUTPUT = resource(ID, 41, "Virtual power output", "Integer", "RW", "/100", minimum=0, maximum=100)
VOLTAGE_AT_MAX_DIM_LEVEL = resource(ID, 42, "Voltage at max dim level", "Float", "RW", "V")
VOLTAGE_AT_MIN_DIM_LEVEL = resource(ID, 43, "Voltage at min dim level", "Float", "RW", "V")
DEFAULT_FADE_TIME = resource(ID, 49, "Default fade time", "Float", "RW", "s")
MANUAL_OVERRIDE_START_TIME = resource(ID, 50, "Manual override start time", "Time", "RW")
MANUAL_OVERRIDE_END_TIME = resource(ID, 51, "Manual override end time", "Time", "RW")
MANUAL_OVERRIDE_FADE = resource(ID, 52, "Manual override fade", "Float", "RW", "s")
MANUAL_OVERRIDE_DEFAULT_DURATION = resource(ID, 53, "Manual override default duration", "Integer", "RW", "s")
MANUAL_OVERRIDE_ACTIVE = resource(ID, 54, "Manual override active", "Boolean", "R")
TIMESTAMP = resource(ID, 5518, "Timestamp", "Time", "R")

OBJECT = Object(
    ID,
    "Outdoor lamp controller",
    "2.0",
    "urn:oma:lwm2m:ext:3416:2.0",
    True,
    False,
    (
        COMMAND,
        COMMAND_IN_ACTION,
        DIMMING_LEVEL,
        DEFAULT_DIMMING_LEVEL,
        LAMP_FAILURE,
        LAMP_FAILURE_REASON,
        CONTROL_GEAR_FAILURE,
        CONTROL_GEAR_FAILURE_REASON,
        RELAY_FAILURE,
        DAY_BURNER,
        CYCLING_FAILURE,
        CONTROL_GEAR_COMMUNICATION_FAILURE,
        SCHEDULER_ID,
        INVALID_SCHEDULER,
        LAMP_OPERATING_HOURS,
        LAMP_OPERATING_HOURS_RESET,
        LAMP_ON_TIMESTAMP,
        LAMP_SWITCH_COUNTER,
        LAMP_SWITCH_COUNTER_RESET,
        CONTROL_GEAR_START_COUNTER,
        CONTROL_GEAR_TEMPERATURE,
        OUTPUT_PORT,
        STANDBY_MODE,
        CONSTANT_LIGHT_OUTPUT,
        CONTROL_TYPE,
        NOMINAL_LAMP_WATTAGE,
        MINIMUM_DIMMING_LEVEL,
        MINIMUM_LAMP_WATTAGE,
        VIRTUAL_POWER_OUTPUT,
        VOLTAGE_AT_MAX_DIM_LEVEL,
        VOLTAGE_AT_MIN_DIM_LEVEL,
        DEFAULT_FADE_TIME,
        MANUAL_OVERRIDE_START_TIME,
        MANUAL_OVERRIDE_END_TIME,
        MANUAL_OVERRIDE_FADE,
        MANUAL_OVERRIDE_DEFAULT_DURATION,
        MANUAL_OVERRIDE_ACTIVE,
        TIMESTAMP,
    ),
)
