"""Capacity for schedules, errors in them, and transactions over them.

Source: urn:oma:lwm2m:ext:3457:1.1 (Program Manager, OMA registry). Version 1.1 adds the transaction, 100-103.
"""

from contract.objects import Object, resource

ID = 3457

MAX_NUMBER_OF_PROGRAM_SCHEDULERS = resource(ID, 0, "Max number of Program Schedulers", "Integer", "RW", mandatory=True)
CURRENT_NUMBER_OF_PROGRAM_SCHEDULERS = resource(
    ID, 1, "Current number of Program Schedulers", "Integer", "R", mandatory=True
)
MAX_NUMBER_OF_PROGRAM_FUNCTIONS = resource(ID, 2, "Max number of Program Functions", "Integer", "RW", mandatory=True)
CURRENT_NUMBER_OF_PROGRAM_FUNCTIONS = resource(
    ID, 3, "Current number of Program Functions", "Integer", "R", mandatory=True
)
MAX_NUMBER_OF_CALENDARS = resource(ID, 4, "Max number of Calendars", "Integer", "RW", mandatory=True)
CURRENT_NUMBER_OF_CALENDAR = resource(ID, 5, "Current number of Calendar", "Integer", "R", mandatory=True)
MAX_NUMBER_OF_ACTUATORS = resource(ID, 6, "Max number of Actuators", "Integer", "RW", mandatory=True)
MAX_NUMBER_OF_INPUT_SOURCES = resource(ID, 7, "Max number of Input Sources", "Integer", "RW")
MAX_NUMBER_OF_DATES_IN_CALENDAR = resource(ID, 8, "Max number of Dates in Calendar", "Integer", "RW")
MAX_FLASH_MEMORY_ALLOCATED = resource(ID, 9, "Max Flash Memory Allocated", "Integer", "RW", "B", mandatory=True)
FLASH_MEMORY_FREE = resource(ID, 10, "Flash Memory Free", "Integer", "R", "B")
ERROR_CONDITIONS = resource(ID, 11, "Error Conditions", "Integer", "R", mandatory=True)
CLEAR_ERRORS = resource(ID, 12, "Clear errors", "", "E")
SUPPORTED_CAPABILITIES = resource(ID, 13, "Supported Capabilities", "Integer", "R")
MAX_DYNAMIC_MEMORY_ALLOCATED = resource(ID, 14, "Max Dynamic Memory Allocated", "Integer", "RW", "B")
DYNAMIC_MEMORY_FREE = resource(ID, 15, "Dynamic Memory Free", "Integer", "R", "B")
RESET_SCHEDULE_OBJECTS = resource(ID, 16, "Reset schedule objects", "", "E")
TRANSACTION_START = resource(ID, 100, "Transaction start", "Integer", "RW")
TRANSACTION_END = resource(ID, 101, "Transaction end", "Integer", "RW")
TRANSACTION_TIMEOUT = resource(ID, 102, "Transaction timeout", "Integer", "RW", "s")
TRANSACTION_ERROR = resource(ID, 103, "Transaction error", "Boolean", "R")

OBJECT = Object(
    ID,
    "Program Manager",
    "1.1",
    "urn:oma:lwm2m:ext:3457:1.1",
    False,
    True,
    (
        MAX_NUMBER_OF_PROGRAM_SCHEDULERS,
        CURRENT_NUMBER_OF_PROGRAM_SCHEDULERS,
        MAX_NUMBER_OF_PROGRAM_FUNCTIONS,
        CURRENT_NUMBER_OF_PROGRAM_FUNCTIONS,
        MAX_NUMBER_OF_CALENDARS,
        CURRENT_NUMBER_OF_CALENDAR,
        MAX_NUMBER_OF_ACTUATORS,
        MAX_NUMBER_OF_INPUT_SOURCES,
        MAX_NUMBER_OF_DATES_IN_CALENDAR,
        MAX_FLASH_MEMORY_ALLOCATED,
        FLASH_MEMORY_FREE,
        ERROR_CONDITIONS,
        CLEAR_ERRORS,
        SUPPORTED_CAPABILITIES,
        MAX_DYNAMIC_MEMORY_ALLOCATED,
        DYNAMIC_MEMORY_FREE,
        RESET_SCHEDULE_OBJECTS,
        TRANSACTION_START,
        TRANSACTION_END,
        TRANSACTION_TIMEOUT,
        TRANSACTION_ERROR,
    ),
)
