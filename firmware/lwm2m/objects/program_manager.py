"""Capacity for schedules, what is wrong with the last one, and transactions over several requests.

Source: urn:oma:lwm2m:ext:3457:1.1 (Program Manager).
"""

import contract.objects.program_manager as manager
from firmware import program
from firmware.lwm2m.node import Node
from firmware.lwm2m.objects.scheduling import CAPACITY

# Bits of resource 13: astronomical events 0, output filters 4, calendar 5, off when inactive 9, transactions 10, and
# their automatic fallback 11.
CAPABILITIES = 1 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 10 | 1 << 11

COUNTS = {
    manager.CURRENT_NUMBER_OF_PROGRAM_SCHEDULERS.id: program.SCHEDULER,
    manager.CURRENT_NUMBER_OF_PROGRAM_FUNCTIONS.id: program.FUNCTION,
    manager.CURRENT_NUMBER_OF_CALENDAR.id: program.CALENDAR,
}

ERROR_CONDITIONS = manager.ERROR_CONDITIONS.id
CLEAR_ERRORS = manager.CLEAR_ERRORS.id
SUPPORTED_CAPABILITIES = manager.SUPPORTED_CAPABILITIES.id
RESET_SCHEDULE_OBJECTS = manager.RESET_SCHEDULE_OBJECTS.id
TRANSACTION_START = manager.TRANSACTION_START.id
TRANSACTION_END = manager.TRANSACTION_END.id
TRANSACTION_TIMEOUT = manager.TRANSACTION_TIMEOUT.id
TRANSACTION_ERROR = manager.TRANSACTION_ERROR.id


class ProgramManager(Node):
    """Its writes are prepared by `scheduling.Planner`, together with those to the schedule objects."""

    OBJECT = manager.OBJECT

    def __init__(self, parts, planner):
        super().__init__(planner)
        self._parts = parts
        others = (
            ERROR_CONDITIONS,
            CLEAR_ERRORS,
            SUPPORTED_CAPABILITIES,
            RESET_SCHEDULE_OBJECTS,
            TRANSACTION_START,
            TRANSACTION_END,
            TRANSACTION_TIMEOUT,
            TRANSACTION_ERROR,
        )
        self._present = tuple(sorted(tuple(CAPACITY) + tuple(COUNTS) + others))

    def present(self, instance):
        return self._present

    def read(self, instance, resource):
        held = self._parts.program
        if resource in CAPACITY:
            return CAPACITY[resource]
        if resource in COUNTS:
            return len(held.instances_of(COUNTS[resource]))
        if resource == ERROR_CONDITIONS:
            return held.errors
        if resource == SUPPORTED_CAPABILITIES:
            return CAPABILITIES
        if resource == TRANSACTION_START:
            return held.token
        if resource == TRANSACTION_TIMEOUT:
            return self._parts.settings.get("transaction_timeout_s")
        return held.transaction_error if resource == TRANSACTION_ERROR else None

    def execute(self, instance, resource, arguments):
        if resource == CLEAR_ERRORS:
            self._parts.program.clear_errors()
        else:
            self._parts.program.reset()
