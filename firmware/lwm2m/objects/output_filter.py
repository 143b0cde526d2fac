"""How a step is reached: the fade.

Source: urn:oma:lwm2m:ext:3456 (Output Filter).
"""

from contract.objects import output_filter
from firmware.lwm2m.objects.scheduling import Schedule


class OutputFilter(Schedule):
    OBJECT = output_filter.OBJECT
