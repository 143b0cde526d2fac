"""What the meter says, and the thresholds beyond which it is a fault.

Source: urn:oma:lwm2m:ext:3418:2.0 (Electrical monitor).
"""

import contract.objects.electrical_monitor as electrical
from contract import faults
from firmware.lwm2m.objects.desk import Kept

FAULTS = {
    electrical.LOW_POWER_FACTOR.id: faults.LOW_POWER_FACTOR.code,
    electrical.LOW_POWER.id: faults.LOW_POWER.code,
    electrical.HIGH_POWER.id: faults.HIGH_POWER.code,
    electrical.LOW_CURRENT.id: faults.LOW_CURRENT.code,
    electrical.HIGH_CURRENT.id: faults.HIGH_CURRENT.code,
    electrical.LOW_VOLTAGE.id: faults.LOW_VOLTAGE.code,
    electrical.HIGH_VOLTAGE.id: faults.HIGH_VOLTAGE.code,
}

READINGS = {
    electrical.SUPPLY_VOLTAGE.id: "voltage_v",
    electrical.SUPPLY_CURRENT.id: "current_a",
    electrical.FREQUENCY.id: "frequency_hz",
    electrical.ACTIVE_POWER.id: "power_w",
    electrical.POWER_FACTOR.id: "power_factor",
}


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
    OTHERS = (
        tuple(FAULTS)
        + tuple(READINGS)
        + (
            electrical.CUMULATED_ACTIVE_ENERGY.id,
            electrical.ENERGY_RESET.id,
            electrical.DIMMING_LEVEL.id,
            electrical.TIMESTAMP.id,
        )
    )

    def value(self, resource):
        parts = self.parts
        if resource in READINGS:
            return getattr(parts.meter.reading, READINGS[resource])
        if resource in FAULTS:
            return parts.health.is_raised(FAULTS[resource])
        if resource == electrical.CUMULATED_ACTIVE_ENERGY.id:
            return parts.meter.energy_wh
        if resource == electrical.DIMMING_LEVEL.id:
            return None if parts.lamp.decision is None else parts.lamp.decision.dimming
        return self.measured_s() if resource == electrical.TIMESTAMP.id else None

    def execute(self, instance, resource, arguments):
        if resource != electrical.ENERGY_RESET.id:
            self.refuse_execution(resource)
        self.parts.meter.reset_energy()
