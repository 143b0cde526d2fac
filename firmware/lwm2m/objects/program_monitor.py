"""Which program runs now, and since when.

Source: urn:oma:lwm2m:ext:3458 (Program Monitor). Instance numbers are those of 3452.
"""

from contract.objects import program_monitor, program_scheduler
from firmware import program
from firmware.lwm2m.node import Node

DISABLED = 0
INACTIVE = 1
RUNNING = 2


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
            program_monitor.PROGRAM_NAME.id,
            program_monitor.STATUS.id,
            program_monitor.ERROR_CONDITIONS.id,
            program_monitor.CLEAR_ERRORS.id,
            program_monitor.LAST_EXECUTION.id,
            program_monitor.LAST_CONTROL_OUTPUT.id,
        )

    def read(self, instance, resource):
        held = self._parts.program
        values = held.values_of(program.SCHEDULER, instance)
        if resource == program_monitor.PROGRAM_NAME.id:
            return values.get(program_scheduler.SCHEDULE_NAME.id, "")
        if resource == program_monitor.ERROR_CONDITIONS.id:
            return 0
        running = self._running(instance)
        if resource == program_monitor.STATUS.id:
            if not values.get(program_scheduler.STATE.id):
                return DISABLED
            return INACTIVE if running is None else RUNNING
        if running is None:
            return None
        if resource == program_monitor.LAST_EXECUTION.id:
            return running.since_ms // 1000 or None
        return {0: "%d" % held.aim_of(running)} if resource == program_monitor.LAST_CONTROL_OUTPUT.id else None

    def _running(self, instance):
        """Return the Explanation when this program decides now, else None."""
        now_ms = self._parts.clock.trusted_ms(self._parts.board.rtc_ms())
        running = None if now_ms is None else self._parts.program.explain_at(now_ms)
        return running if running is not None and self._parts.program.instance_of(running) == instance else None

    def execute(self, instance, resource, arguments):
        self._parts.program.clear_errors()
