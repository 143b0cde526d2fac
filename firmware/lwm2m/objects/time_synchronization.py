"""Where time may come from besides the server, and whether it is good enough.

Source: urn:oma:lwm2m:ext:3415:2.0 (Time synchronization). Resource 4 is an Integer in hours in the registry; it
is given as hours since 1970.
"""

from contract.objects import time_synchronization
from firmware.lwm2m.objects.desk import Kept


class TimeSynchronization(Kept):
    OBJECT = time_synchronization.OBJECT
    SETTINGS = {
        time_synchronization.NTP_SERVER_ADDRESS.id: "ntp_server",
        time_synchronization.BACKUP_NTP_SERVER_ADDRESS.id: "ntp_backup",
        time_synchronization.NTP_PERIOD.id: "ntp_period_h",
    }

    def value(self, resource):
        synced_ms = self.parts.clock.last_sync_ms()
        return None if synced_ms is None else synced_ms // 3600000
