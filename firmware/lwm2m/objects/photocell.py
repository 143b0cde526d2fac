"""The photocell, on lamps that have one.

Source: urn:oma:lwm2m:ext:3419:1.1 (Photocell).
"""

from contract.objects import photocell
from firmware.lwm2m.objects.desk import Kept

PHOTOCELL_STATUS = photocell.PHOTOCELL_STATUS.id


class Photocell(Kept):
    """Its status is true in the dark, with the hysteresis that firmware.lamp applies."""

    OBJECT = photocell.OBJECT
    SETTINGS = {photocell.ON_LUX_LEVEL.id: "on_lux", photocell.OFF_LUX_LEVEL.id: "off_lux"}

    def value(self, resource):
        decision = self.parts.lamp.decision
        if decision is None or decision.bright is None:
            return None
        if resource == PHOTOCELL_STATUS:
            return not decision.bright
        looked_ms = self.parts.clock.now_ms(decision.at_rtc_ms)
        return None if looked_ms is None else looked_ms // 1000
