"""How each program fares.

Source: urn:oma:lwm2m:ext:3458 (Program Monitor, OMA registry).
"""

from contract.objects import Object, resource

ID = 3458

PROGRAM_NAME = resource(ID, 0, "Program Name", "String", "R", mandatory=True)
STATUS = resource(ID, 1, "Status", "Integer", "R", mandatory=True)
ERROR_CONDITIONS = resource(ID, 2, "Error Conditions", "Integer", "R", mandatory=True)
CLEAR_ERRORS = resource(ID, 3, "Clear errors", "", "E")
EVALUATION_COUNTER = resource(ID, 4, "Evaluation Counter", "Integer", "R")
EXECUTION_COUNTER = resource(ID, 5, "Execution Counter", "Integer", "R")
COUNTER_RESET = resource(ID, 6, "Counter Reset", "", "E")
LAST_EXECUTION = resource(ID, 7, "Last Execution", "Time", "R")
LAST_CONTROL_OUTPUT = resource(ID, 8, "Last Control Output", "String", "R", multiple=True)

OBJECT = Object(
    ID,
    "Program Monitor",
    "1.0",
    "urn:oma:lwm2m:ext:3458",
    True,
    False,
    (
        PROGRAM_NAME,
        STATUS,
        ERROR_CONDITIONS,
        CLEAR_ERRORS,
        EVALUATION_COUNTER,
        EXECUTION_COUNTER,
        COUNTER_RESET,
        LAST_EXECUTION,
        LAST_CONTROL_OUTPUT,
    ),
)
