"""More about the controller: names, asset, hours, and the table of daylight saving.

Source: urn:oma:lwm2m:ext:3410:2.0 (Device Extension).
"""

from contract.localtime import format_offset, parse_offset
from contract.objects import device_extension
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.objects.desk import Kept

MAC_NAME = "urn:dev:mac:"
OUI_DIGITS = 6
NO_OUI = "000000"

DST = (device_extension.DST_START.id, device_extension.DST_END.id, device_extension.DST_OFFSET.id)

DEVICE_OPERATING_HOURS = device_extension.DEVICE_OPERATING_HOURS.id
UPTIME = device_extension.UPTIME.id
MANUFACTURER_IDENTIFIER = device_extension.MANUFACTURER_IDENTIFIER.id
CONFIGURATION_RESET = device_extension.CONFIGURATION_RESET.id


class DeviceExtension(Kept):
    """The three columns of the daylight saving table (11 to 13) are one setting."""

    OBJECT = device_extension.OBJECT
    SETTINGS = {
        device_extension.USER_GIVEN_NAME.id: "user_name",
        device_extension.ASSET_IDENTIFIER.id: "asset_id",
        device_extension.INSTALLATION_DATE.id: "installation_s",
        device_extension.MAINTENANCE.id: "maintenance",
    }
    LACKS = (
        device_extension.GTIN_MODEL_NUMBER.id,
        device_extension.SOFTWARE_UPDATE.id,
        device_extension.ADDITIONAL_FIRMWARE_INFORMATION.id,
    )

    def value(self, resource):
        parts = self.parts
        if resource in DST:
            column = DST.index(resource)
            return {row: _shown(entry, column) for row, entry in enumerate(parts.settings.get("time_zone_exceptions"))}
        if resource == DEVICE_OPERATING_HOURS:
            return parts.meter.operating_hours
        if resource == UPTIME:
            return parts.board.ticks_ms() // 1000
        if resource == MANUFACTURER_IDENTIFIER:
            name = parts.identity.endpoint
            is_mac = name.startswith(MAC_NAME)
            return name[len(MAC_NAME) : len(MAC_NAME) + OUI_DIGITS] if is_mac else NO_OUI
        return None

    def wanted(self, values, replace):
        wanted = super().wanted(values, replace)
        if any(resource in values for resource in DST):
            wanted["time_zone_exceptions"] = self._exceptions(values)
        elif replace:
            wanted["time_zone_exceptions"] = []
        return wanted

    def _exceptions(self, values):
        starts, ends, offsets = [values.get(resource, self.value(resource)) for resource in DST]
        if not sorted(starts) == sorted(ends) == sorted(offsets):
            raise BadRequest("DST start, end and offset (11 to 13) need the same resource instances; write all three")
        try:
            return [(starts[row], ends[row], parse_offset(offsets[row])) for row in sorted(starts)]
        except ValueError as error:
            raise BadRequest(str(error)) from None

    def execute(self, instance, resource, arguments):
        if resource != CONFIGURATION_RESET:
            self.refuse_execution(resource)
        self.parts.settings.factory_reset()


def _shown(entry, column):
    """Return a cell as the registry writes it: an hour forward is "01:00"."""
    if column < 2:
        return entry[column]
    text = format_offset(entry[2])
    return text[1:] if entry[2] >= 0 else text
