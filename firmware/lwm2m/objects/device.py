"""The controller: who made it, its time and errors, and how to restart it.

Source: OMA-TS-LightweightM2M_Core-V1_1 appendix E.4 (urn:oma:lwm2m:oma:3:1.1).
"""

from contract import faults
from contract.localtime import TimeZone, format_offset, offset_at, parse_offset
from contract.objects import device, device_extension
from firmware import heap
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.objects.desk import Kept
from firmware.version import VERSION

MANUFACTURER = "Streetlight"
MODEL = "Lamp controller"
DEVICE_TYPE = "Street light"
AC_MAINS = 6

# Resource 11: 0 and 8 (peripheral malfunction) are the registry's, 16 to 32 the manufacturer's.
NO_ERROR = 0
PERIPHERAL = 8
OWN_ERRORS = {
    faults.STORAGE_ERROR.code: 16,
    faults.CLOCK_ERROR.code: 17,
    faults.INVALID_SCHEDULE.code: 18,
    faults.RESET_LOOP.code: 19,
    faults.REPORTS_LOST.code: 20,
}

SERIAL_NUMBER = device.SERIAL_NUMBER.id
HARDWARE_VERSION = device.HARDWARE_VERSION.id
MEMORY_FREE = device.MEMORY_FREE.id
MEMORY_TOTAL = device.MEMORY_TOTAL.id
ERROR_CODE = device.ERROR_CODE.id
CURRENT_TIME = device.CURRENT_TIME.id
UTC_OFFSET = device.UTC_OFFSET.id
REBOOT = device.REBOOT.id
FACTORY_RESET = device.FACTORY_RESET.id
RESET_ERROR_CODE = device.RESET_ERROR_CODE.id


class Device(Kept):
    """`parts.restart()` restarts the controller once the answer is out, `parts.factory_reset()` forgets all before."""

    OBJECT = device.OBJECT
    SETTINGS = {device.TIMEZONE.id: "time_zone"}
    FIXED = {
        device.MANUFACTURER.id: MANUFACTURER,
        device.MODEL_NUMBER.id: MODEL,
        device.FIRMWARE_VERSION.id: VERSION,
        device.AVAILABLE_POWER_SOURCES.id: {0: AC_MAINS},
        device.SUPPORTED_BINDING_AND_MODES.id: "U",
        device.DEVICE_TYPE.id: DEVICE_TYPE,
        device.SOFTWARE_VERSION.id: VERSION,
        device.EXTDEVINFO.id: {0: (device_extension.ID, 0)},
    }

    def value(self, resource):
        parts = self.parts
        if resource in self.FIXED:
            return self.FIXED[resource]
        if resource == SERIAL_NUMBER:
            return parts.identity.serial
        if resource == HARDWARE_VERSION:
            return parts.board.model
        if resource == MEMORY_FREE:
            heap.collect()  # what nobody refers to any more is free
            return parts.board.memory()[0] // 1024
        if resource == MEMORY_TOTAL:
            return parts.board.memory()[1] // 1024
        if resource == ERROR_CODE:
            return self._errors()
        if resource == CURRENT_TIME:
            now_ms = self.now_ms()
            return None if now_ms is None else now_ms // 1000
        if resource == UTC_OFFSET:
            return format_offset(self.parts.settings.get("standard_offset_s") + self._daylight_saving_s())
        return None

    def _errors(self):
        codes = sorted({OWN_ERRORS.get(code, PERIPHERAL) for code in self.parts.health.active()})
        return dict(enumerate(codes or [NO_ERROR]))

    def _daylight_saving_s(self):
        """Seconds by which the clock is put forward now."""
        get, now_ms = self.parts.settings.get, self.now_ms()
        if now_ms is None:
            return 0
        return offset_at(TimeZone("", 0, get("time_zone_exceptions")), now_ms // 1000)

    def wanted(self, values, replace):
        wanted = super().wanted(values, replace)
        text = values.get(UTC_OFFSET)
        if text is not None:
            try:
                # The resource is the offset in force now; what is kept is the standard one.
                wanted["standard_offset_s"] = parse_offset(text) - self._daylight_saving_s()
            except ValueError as error:
                raise BadRequest(str(error)) from None
        return wanted

    def effect(self, values):
        now_s = values.get(CURRENT_TIME)
        if now_s is None:
            return None
        clock = self.parts.clock
        if not clock.is_possible(now_s):
            raise BadRequest("%d is no time in which this lamp can live; write UTC seconds since 1970" % now_s)
        return lambda: clock.set_s(now_s, self.parts.board.rtc_ms())

    def execute(self, instance, resource, arguments):
        if resource == REBOOT:
            self.parts.restart()
        elif resource == FACTORY_RESET:
            self.parts.factory_reset()
        elif resource == RESET_ERROR_CODE:
            self.parts.program.clear_errors()
        else:
            self.refuse_execution(resource)
