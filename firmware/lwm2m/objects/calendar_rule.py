"""On which dates a program runs, and whether a rule holds today.

Source: urn:oma:lwm2m:ext:3453 (Calendar Rule).
"""

from contract.objects import calendar_rule
from firmware.lwm2m.objects.scheduling import Schedule

ACTIVE = calendar_rule.CALENDAR_ACTIVE.id


class CalendarRule(Schedule):
    OBJECT = calendar_rule.OBJECT

    def present(self, instance):
        return super().present(instance) + (ACTIVE,)

    def read(self, instance, resource):
        if resource != ACTIVE:
            return super().read(instance, resource)
        rtc_ms = self.parts.board.rtc_ms()
        now_ms = self.parts.clock.trusted_ms(rtc_ms)
        return None if now_ms is None else self.parts.program.is_calendar_active(instance, now_ms)
