"""Which program function runs, on which dates, at which priority, on which output.

Source: urn:oma:lwm2m:ext:3452 (Program Scheduler, OMA registry).
"""

from contract.objects import Object, resource

ID = 3452

SCHEDULE_NAME = resource(ID, 0, "Schedule Name", "String", "RW")
STATE = resource(ID, 1, "State", "Boolean", "RW", mandatory=True)
PRIORITY = resource(ID, 2, "Priority", "Integer", "RW", mandatory=True)
CALENDAR_RULES = resource(ID, 3, "Calendar Rules", "Integer", "RW", multiple=True)
PROGRAM_FUNCTION = resource(ID, 4, "Program Function", "Integer", "RW", mandatory=True)
INPUT_SOURCES = resource(ID, 5, "Input Sources", "String", "RW", multiple=True)
OUTPUT_INSTANCES = resource(ID, 6, "Output Instances", "String", "RW", multiple=True, mandatory=True)
OUTPUT_TARGETS = resource(ID, 7, "Output Targets", "String", "RW", multiple=True, mandatory=True)
COMPOUND_OPERATION = resource(ID, 8, "Compound Operation", "Boolean", "RW")
OFF_WHEN_INACTIVE = resource(ID, 9, "Off when inactive", "Boolean", "RW")

OBJECT = Object(
    ID,
    "Program Scheduler",
    "1.0",
    "urn:oma:lwm2m:ext:3452",
    True,
    True,
    (
        SCHEDULE_NAME,
        STATE,
        PRIORITY,
        CALENDAR_RULES,
        PROGRAM_FUNCTION,
        INPUT_SOURCES,
        OUTPUT_INSTANCES,
        OUTPUT_TARGETS,
        COMPOUND_OPERATION,
        OFF_WHEN_INACTIVE,
    ),
)
