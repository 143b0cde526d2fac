"""Which program runs on which dates, and before which others.

Source: urn:oma:lwm2m:ext:3452 (Program Scheduler).
"""

from contract.objects import program_scheduler
from firmware.lwm2m.objects.scheduling import Schedule


class ProgramScheduler(Schedule):
    OBJECT = program_scheduler.OBJECT
