"""What the four schedule objects have in common: their instances live in firmware.program, which owns them together.

A request that touches any of them, and the transaction resources of 3457, is prepared here as one.
"""

from contract import limits
from contract.objects import find_in, program_manager
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.node import Node
from firmware.store import MAX_RECORD_BYTES

# What the lamp holds is fixed: 3457 lets a server ask, and write what is already true.
CAPACITY = {
    program_manager.MAX_NUMBER_OF_PROGRAM_SCHEDULERS.id: limits.PROGRAMS,
    program_manager.MAX_NUMBER_OF_PROGRAM_FUNCTIONS.id: limits.FUNCTIONS,
    program_manager.MAX_NUMBER_OF_CALENDARS.id: limits.CALENDAR_RULES,
    program_manager.MAX_NUMBER_OF_ACTUATORS.id: 1,
    program_manager.MAX_NUMBER_OF_INPUT_SOURCES.id: 0,
    program_manager.MAX_NUMBER_OF_DATES_IN_CALENDAR.id: limits.DATE_RANGES,
    program_manager.MAX_FLASH_MEMORY_ALLOCATED.id: 2 * MAX_RECORD_BYTES,
}
ID = program_manager.ID
TRANSACTION_START = program_manager.TRANSACTION_START.id
TRANSACTION_END = program_manager.TRANSACTION_END.id
TRANSACTION_TIMEOUT = program_manager.TRANSACTION_TIMEOUT.id


class Planner:
    """The owner of 3452, 3453, 3454, 3456 and 3457."""

    def __init__(self, parts):
        self._parts = parts

    def prepare(self, changes):
        """Check all `changes`; return the function that carries them out. Raises ProgramError, SettingError,
        BadRequest."""
        program, settings = self._parts.program, self._parts.settings
        manager = {}
        rest = []
        for change in changes:
            if change.object == ID:
                manager.update(change.values)
            else:
                rest.append(change)
        for resource in CAPACITY:
            if manager.get(resource, CAPACITY[resource]) != CAPACITY[resource]:
                raise BadRequest(
                    "resource %d is %d on this lamp and cannot be changed" % (resource, CAPACITY[resource])
                )
        wanted = {}
        if TRANSACTION_TIMEOUT in manager:
            wanted = settings.check({"transaction_timeout_s": manager[TRANSACTION_TIMEOUT]})
        begin = manager.get(TRANSACTION_START)
        end = manager.get(TRANSACTION_END)
        if begin is not None:
            if end is not None:
                raise BadRequest(
                    "a transaction cannot start and end in one request; leave both out, it is atomic anyway"
                )
            take = program.prepare_begin(begin, rest, self._parts.board.rtc_ms())
        elif end is not None:
            take = program.prepare_end(end, rest)
        else:
            take = program.prepare(rest) if rest else None

        def commit():
            if wanted:
                settings.set(wanted)
            if take is not None:
                take()

        return commit


class Schedule(Node):
    """Base of the four. Instances come and go as the server writes them; any of the object's resources may be given."""

    def __init__(self, parts, planner):
        super().__init__(planner)
        self.parts = parts

    def instances(self):
        return tuple(self.parts.program.instances_of(self.OBJECT.id))

    def present(self, instance):
        return tuple(sorted(self.parts.program.values_of(self.OBJECT.id, instance)))

    def supports(self, instance, resource):
        return find_in(self.OBJECT, resource) is not None

    def read(self, instance, resource):
        return self.parts.program.values_of(self.OBJECT.id, instance).get(resource)
