"""The steps of a program: times and levels.

Source: urn:oma:lwm2m:ext:3454 (Program Function).
"""

from contract.objects import program_function
from firmware.lwm2m.objects.scheduling import Schedule


class ProgramFunction(Schedule):
    OBJECT = program_function.OBJECT
