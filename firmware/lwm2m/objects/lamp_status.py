"""Our own object: why the lamp is at its level, what it holds, and how good its evidence is.

Source: contract.objects.lamp_status (OMNA private test range).
"""

from contract import faults
from contract.objects import lamp_status
from firmware.lwm2m.objects.desk import Kept

RUNG = lamp_status.RUNG.id
EXPLANATION = lamp_status.EXPLANATION.id
UNTIL = lamp_status.UNTIL.id
CLOCK_ERROR_BOUND = lamp_status.CLOCK_ERROR_BOUND.id
COMMAND_RECEIVED = lamp_status.COMMAND_RECEIVED.id
LIGHT_CHANGED = lamp_status.LIGHT_CHANGED.id
FAULT = lamp_status.FAULT.id

# Faults that no standard object shows.
OWN_FAULTS = tuple(fault.code for fault in faults.ALL if fault.path is not None and fault.path.object == lamp_status.ID)


class LampStatus(Kept):
    OBJECT = lamp_status.OBJECT
    SETTINGS = {
        lamp_status.LATITUDE.id: "latitude_e6",
        lamp_status.LONGITUDE.id: "longitude_e6",
        lamp_status.STANDARD_UTC_OFFSET.id: "standard_offset_s",
        lamp_status.REPORT_INTERVAL.id: "report_interval_s",
        lamp_status.FAILSAFE_LEVEL.id: "failsafe_level",
    }

    SOURCES = {
        lamp_status.SCHEDULE_DIGEST.id: "program.digest",
        lamp_status.BOOT_COUNTER.id: "counters.boots",
        lamp_status.RESET_CAUSE.id: "counters.cause",
        lamp_status.REPORTS_WAITING.id: "queue.waiting",
        lamp_status.REPORTS_DROPPED.id: "queue.dropped",
        lamp_status.SAFETY_FLOOR.id: "lamp.floor.level",
        lamp_status.FLOOR_HOLDS.id: "lamp.floor.holds",
        lamp_status.FLASH_WRITTEN.id: "store.written",
    }

    def value(self, resource):
        parts = self.parts
        if resource <= UNTIL:
            return self._why(resource)
        if resource == CLOCK_ERROR_BOUND:
            return parts.clock.error_bound_ms(parts.board.rtc_ms())
        if resource == COMMAND_RECEIVED:
            return parts.lamp.command_received_ms(parts.clock)
        if resource == LIGHT_CHANGED:
            return parts.lamp.light_changed_ms(parts.clock)
        if resource == FAULT:
            return {code: parts.health.is_raised(code) for code in OWN_FAULTS}
        return len(parts.health.active())

    def _why(self, resource):
        decision = self.parts.lamp.decision
        if decision is None:
            return None
        if resource == RUNG:
            return decision.rung
        if resource == EXPLANATION:
            return "%s [%s]" % (decision.words, decision.source)
        return decision.until_ms // 1000
