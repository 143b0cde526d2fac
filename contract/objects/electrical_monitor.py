"""What the lamp takes from the mains, with thresholds and what broke them.

Source: urn:oma:lwm2m:ext:3418:2.0 (Electrical monitor, OMA registry). Without inrush and reactive values, which the
meter does not measure.
"""

from contract.objects import Object, resource

ID = 3418

SUPPLY_VOLTAGE = resource(ID, 1, "Supply voltage", "Float", "R", "V")
SUPPLY_CURRENT = resource(ID, 2, "Supply current", "Float", "R", "A")
FREQUENCY = resource(ID, 3, "Frequency", "Float", "R", "Hz")
ACTIVE_POWER = resource(ID, 4, "Active power", "Float", "R", "W")
POWER_FACTOR = resource(ID, 5, "Power factor", "Float", "R", minimum=-1, maximum=1)
CUMULATED_ACTIVE_ENERGY = resource(ID, 6, "Cumulated active energy", "Float", "R", "Wh")
ENERGY_RESET = resource(ID, 7, "Energy reset", "", "E")
LOW_POWER_FACTOR_THRESHOLD = resource(ID, 8, "Low power factor threshold", "Float", "RW")
LOW_POWER_FACTOR = resource(ID, 9, "Low power factor", "Boolean", "R")
LOW_POWER_THRESHOLD = resource(ID, 10, "Low power threshold", "Float", "RW", "W")
LOW_POWER = resource(ID, 12, "Low power", "Boolean", "R")
HIGH_POWER_THRESHOLD = resource(ID, 13, "High power threshold", "Float", "RW", "W")
HIGH_POWER = resource(ID, 15, "High power", "Boolean", "R")
LOW_CURRENT_THRESHOLD = resource(ID, 16, "Low current threshold", "Float", "RW", "A")
LOW_CURRENT = resource(ID, 17, "Low current", "Boolean", "R")
HIGH_CURRENT_THRESHOLD = resource(ID, 18, "High current threshold", "Float", "RW", "A")
HIGH_CURRENT = resource(ID, 19, "High current", "Boolean", "R")
LOW_VOLTAGE_THRESHOLD = resource(ID, 20, "Low voltage threshold", "Float", "RW", "V")
LOW_VOLTAGE = resource(ID, 21, "Low voltage", "Boolean", "R")
HIGH_VOLTAGE_THRESHOLD = resource(ID, 22, "High voltage threshold", "Float", "RW", "V")
HIGH_VOLTAGE = resource(ID, 23, "High voltage", "Boolean", "R")
DIMMING_LEVEL = resource(ID, 35, "Dimming level", "Integer", "R", "/100")
TIMESTAMP = resource(ID, 5518, "Timestamp", "Time", "R")

OBJECT = Object(
    ID,
    "Electrical monitor",
    "2.0",
    "urn:oma:lwm2m:ext:3418:2.0",
    True,
    False,
    (
        SUPPLY_VOLTAGE,
        SUPPLY_CURRENT,
        FREQUENCY,
        ACTIVE_POWER,
        POWER_FACTOR,
        CUMULATED_ACTIVE_ENERGY,
        ENERGY_RESET,
        LOW_POWER_FACTOR_THRESHOLD,
        LOW_POWER_FACTOR,
        LOW_POWER_THRESHOLD,
        LOW_POWER,
        HIGH_POWER_THRESHOLD,
        HIGH_POWER,
        LOW_CURRENT_THRESHOLD,
        LOW_CURRENT,
        HIGH_CURRENT_THRESHOLD,
        HIGH_CURRENT,
        LOW_VOLTAGE_THRESHOLD,
        LOW_VOLTAGE,
        HIGH_VOLTAGE_THRESHOLD,
        HIGH_VOLTAGE,
        DIMMING_LEVEL,
        TIMESTAMP,
    ),
)
