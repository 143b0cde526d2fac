"""On which dates.

Source: urn:oma:lwm2m:ext:3453 (Calendar Rule, OMA registry).
"""

from contract.objects import Object, resource

ID = 3453

CALENDAR_NAME = resource(ID, 0, "Calendar Name", "String", "RW")
CALENDAR_TYPE = resource(ID, 1, "Calendar Type", "Integer", "RW")
START_DATE = resource(ID, 2, "Start Date", "String", "RW", multiple=True)
END_DATE = resource(ID, 3, "End Date", "String", "RW", multiple=True)
DATE_RULE = resource(ID, 4, "Date Rule", "String", "RW")
CALENDAR_ACTIVE = resource(ID, 5, "Calendar Active", "Boolean", "R")

OBJECT = Object(
    ID,
    "Calendar Rule",
    "1.0",
    "urn:oma:lwm2m:ext:3453",
    True,
    False,
    (
        CALENDAR_NAME,
        CALENDAR_TYPE,
        START_DATE,
        END_DATE,
        DATE_RULE,
        CALENDAR_ACTIVE,
    ),
)
