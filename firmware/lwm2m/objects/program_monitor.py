"""Which program runs now, and since when.

Source: urn:oma:lwm2m:ext:3458 (Program Monitor). Instance numbers are those of 3452.
"""

from contract.objects import program_monitor, program_scheduler
from firmware import program
from firmware.lwm2m.node import Node

DISABLED = 0
INACTIVE = 1
RUNNING = 2

SCHEDULE_NAME = program_scheduler.SCHEDULE_NAME.id
PROGRAM_NAME = program_monitor.PROGRAM_NAME.id
STATUS = program_monitor.STATUS.id
ERROR_CONDITIONS = program_monitor.ERROR_CONDITIONS.id
CLEAR_ERRORS = program_monitor.CLEAR_ERRORS.id
LAST_EXECUTION = program_monitor.LAST_EXECUTION.id
LAST_CONTROL_OUTPUT = program_monitor.LAST_CONTROL_OUTPUT.id


class ProgramMonitor(Node):
    """What is refused never runs, so a program that is held has no errors of its own."""

    OBJECT = program_monitor.OBJECT

    def __init__(self, parts):
        super().__init__()
        self._parts = parts

    def instances(self):
        return tuple(self._parts.program.instances_of(program.SCHEDULER))

    def present(self, instance):
        return (
            PROGRAM_NAME,
            STATUS,
            ERROR_CONDITIONS,
            CLEAR_ERRORS,
            LAST_EXECUTION,
            LAST_CONTROL_OUTPUT,
        )

    def read(self, instance, resource):
        held = self._parts.program
        values = held.values_of(program.SCHEDULER, instance)
        if resource == PROGRAM_NAME:
            return values.get(SCHEDULE_NAME, "")
        if resource == ERROR_CONDITIONS:
            return 0
        running = self._running(instance)
        if resource == STATUS:
            if not values.get(program.STATE):
                return DISABLED
            return INACTIVE if running is None else RUNNING
        if running is None:
            return None
        if resource == LAST_EXECUTION:
            return running.since_ms // 1000 or None
        return {0: "%d" % held.aim_of(running)} if resource == LAST_CONTROL_OUTPUT else None

    def _running(self, instance):
        """Return the Explanation when this program decides now, else None."""
        now_ms = self._parts.clock.trusted_ms(self._parts.board.rtc_ms())
        running = None if now_ms is None else self._parts.program.explain_at(now_ms)
        return running if running is not None and self._parts.program.instance_of(running) == instance else None

    def execute(self, instance, resource, arguments):
        self._parts.program.clear_errors()
