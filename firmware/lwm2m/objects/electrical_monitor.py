"""What the meter says, and the thresholds beyond which it is a fault.

Source: urn:oma:lwm2m:ext:3418:2.0 (Electrical monitor).
"""

import contract.objects.electrical_monitor as electrical
from firmware.lwm2m.objects.desk import Kept

READINGS = {
    electrical.SUPPLY_VOLTAGE.id: "voltage_v",
    electrical.SUPPLY_CURRENT.id: "current_a",
    electrical.FREQUENCY.id: "frequency_hz",
    electrical.ACTIVE_POWER.id: "power_w",
    electrical.POWER_FACTOR.id: "power_factor",
}
ENERGY_RESET = electrical.ENERGY_RESET.id
DIMMING_LEVEL = electrical.DIMMING_LEVEL.id
TIMESTAMP = electrical.TIMESTAMP.id


class ElectricalMonitor(Kept):
    OBJECT = electrical.OBJECT
    SETTINGS = {
        electrical.LOW_POWER_FACTOR_THRESHOLD.id: "low_power_factor",
        electrical.LOW_POWER_THRESHOLD.id: "low_power_w",
        electrical.HIGH_POWER_THRESHOLD.id: "high_power_w",
        electrical.LOW_CURRENT_THRESHOLD.id: "low_current_a",
        electrical.HIGH_CURRENT_THRESHOLD.id: "high_current_a",
        electrical.LOW_VOLTAGE_THRESHOLD.id: "low_voltage_v",
        electrical.HIGH_VOLTAGE_THRESHOLD.id: "high_voltage_v",
    }

    SOURCES = {electrical.CUMULATED_ACTIVE_ENERGY.id: "meter.energy_wh"}

    def value(self, resource):
        if resource in READINGS:
            return getattr(self.parts.meter.reading, READINGS[resource])
        if resource == DIMMING_LEVEL:
            return None if self.parts.lamp.decision is None else self.parts.lamp.decision.dimming
        return self.measured_s() if resource == TIMESTAMP else None

    def execute(self, instance, resource, arguments):
        if resource != ENERGY_RESET:
            self.refuse_execution(resource)
        self.parts.meter.reset_energy()
