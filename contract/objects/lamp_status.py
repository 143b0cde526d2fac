"""What no standard object holds: why the lamp is at its level, what it holds, and how good its evidence is.

Own object. The number is in OMNA's private test range (42769-42800) until one is registered; decided in
docs/decisions. Latitude, longitude and offset are settings: the schedule's sun and local time need them.
"""

from contract.objects import Object, resource

ID = 42769

RUNG = resource(ID, 0, "Rung", "String", "R", mandatory=True)
EXPLANATION = resource(ID, 1, "Explanation", "String", "R", mandatory=True)
UNTIL = resource(ID, 2, "Until", "Time", "R", mandatory=True)
SCHEDULE_DIGEST = resource(ID, 3, "Schedule digest", "String", "R", mandatory=True, minimum=0, maximum=16)
BOOT_COUNTER = resource(ID, 4, "Boot counter", "Integer", "R", mandatory=True, minimum=0)
RESET_CAUSE = resource(ID, 5, "Reset cause", "String", "R", mandatory=True)
CLOCK_ERROR_BOUND = resource(ID, 6, "Clock error bound", "Integer", "R", "ms", mandatory=True, minimum=-1)
COMMAND_RECEIVED = resource(ID, 7, "Command received", "Integer", "R", "ms", mandatory=True, minimum=0)
LIGHT_CHANGED = resource(ID, 8, "Light changed", "Integer", "R", "ms", mandatory=True, minimum=0)
LATITUDE = resource(ID, 9, "Latitude", "Integer", "RW", "udeg", mandatory=True, minimum=-90000000, maximum=90000000)
LONGITUDE = resource(
    ID, 10, "Longitude", "Integer", "RW", "udeg", mandatory=True, minimum=-180000000, maximum=180000000
)
STANDARD_UTC_OFFSET = resource(
    ID, 11, "Standard UTC offset", "Integer", "RW", "s", mandatory=True, minimum=-50400, maximum=50400
)
FAULT = resource(ID, 12, "Fault", "Boolean", "R", multiple=True, mandatory=True)
REPORTS_WAITING = resource(ID, 13, "Reports waiting", "Integer", "R", mandatory=True, minimum=0)
REPORTS_DROPPED = resource(ID, 14, "Reports dropped", "Integer", "R", mandatory=True, minimum=0)
REPORT_INTERVAL = resource(ID, 15, "Report interval", "Integer", "RW", "s", mandatory=True, minimum=10, maximum=86400)
FAILSAFE_LEVEL = resource(ID, 16, "Failsafe level", "Integer", "RW", "/100", mandatory=True, minimum=0, maximum=100)
FAULTS_ACTIVE = resource(ID, 17, "Faults active", "Integer", "R", mandatory=True, minimum=0)

OBJECT = Object(
    ID,
    "Lamp status",
    "1.0",
    "urn:oma:lwm2m:x:42769",
    False,
    True,
    (
        RUNG,
        EXPLANATION,
        UNTIL,
        SCHEDULE_DIGEST,
        BOOT_COUNTER,
        RESET_CAUSE,
        CLOCK_ERROR_BOUND,
        COMMAND_RECEIVED,
        LIGHT_CHANGED,
        LATITUDE,
        LONGITUDE,
        STANDARD_UTC_OFFSET,
        FAULT,
        REPORTS_WAITING,
        REPORTS_DROPPED,
        REPORT_INTERVAL,
        FAILSAFE_LEVEL,
        FAULTS_ACTIVE,
    ),
)
