"""Our own object: why the lamp is at its level, what it holds, and how good its evidence is.

Source: contract.objects.lamp_status (OMNA private test range).
"""

from contract import faults
from contract.objects import lamp_status
from firmware.lwm2m.objects.desk import Kept

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
    OTHERS = (
        lamp_status.RUNG.id,
        lamp_status.EXPLANATION.id,
        lamp_status.UNTIL.id,
        lamp_status.SCHEDULE_DIGEST.id,
        lamp_status.BOOT_COUNTER.id,
        lamp_status.RESET_CAUSE.id,
        lamp_status.CLOCK_ERROR_BOUND.id,
        lamp_status.COMMAND_RECEIVED.id,
        lamp_status.LIGHT_CHANGED.id,
        lamp_status.FAULT.id,
        lamp_status.REPORTS_WAITING.id,
        lamp_status.REPORTS_DROPPED.id,
        lamp_status.FAULTS_ACTIVE.id,
    )

    def value(self, resource):
        parts = self.parts
        if resource <= lamp_status.UNTIL.id:
            return self._why(resource)
        if resource == lamp_status.SCHEDULE_DIGEST.id:
            return parts.program.digest
        if resource == lamp_status.BOOT_COUNTER.id:
            return parts.counters.boots
        if resource == lamp_status.RESET_CAUSE.id:
            return parts.counters.cause
        if resource == lamp_status.CLOCK_ERROR_BOUND.id:
            return parts.clock.error_bound_ms(parts.board.rtc_ms())
        if resource == lamp_status.COMMAND_RECEIVED.id:
            return parts.lamp.command_received_ms(parts.clock)
        if resource == lamp_status.LIGHT_CHANGED.id:
            return parts.lamp.light_changed_ms(parts.clock)
        if resource == lamp_status.FAULT.id:
            return {code: parts.health.is_raised(code) for code in OWN_FAULTS}
        if resource == lamp_status.REPORTS_WAITING.id:
            return parts.queue.waiting()
        if resource == lamp_status.REPORTS_DROPPED.id:
            return parts.queue.dropped
        return len(parts.health.active())

    def _why(self, resource):
        decision = self.parts.lamp.decision
        if decision is None:
            return None
        if resource == lamp_status.RUNG.id:
            return decision.rung
        if resource == lamp_status.EXPLANATION.id:
            return "%s [%s]" % (decision.words, decision.source)
        return decision.until_ms // 1000
