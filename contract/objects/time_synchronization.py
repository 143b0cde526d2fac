"""SNTP, the fallback when the server gives no time, and the clock error.

Source: urn:oma:lwm2m:ext:3415:2.0 (Time synchronization, OMA registry).
"""

from contract.objects import Object, resource

ID = 3415

NTP_SERVER_ADDRESS = resource(ID, 1, "NTP server address", "String", "RW", mandatory=True)
BACKUP_NTP_SERVER_ADDRESS = resource(ID, 2, "Backup NTP server address", "String", "RW")
NTP_PERIOD = resource(ID, 3, "NTP period", "Integer", "RW", "h")
LAST_TIME_SYNC = resource(ID, 4, "Last time sync", "Integer", "R", "h")
TIME_SYNC_ERROR = resource(ID, 5, "Time sync error", "Boolean", "R")

OBJECT = Object(
    ID,
    "Time synchronization",
    "2.0",
    "urn:oma:lwm2m:ext:3415:2.0",
    False,
    False,
    (
        NTP_SERVER_ADDRESS,
        BACKUP_NTP_SERVER_ADDRESS,
        NTP_PERIOD,
        LAST_TIME_SYNC,
        TIME_SYNC_ERROR,
    ),
)
