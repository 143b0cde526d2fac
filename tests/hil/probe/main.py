"""The probe's program on the MicroPython VM; only the chip is a stand-in. Its port is standard input and output."""

import sys
import time

sys.path.insert(0, sys.argv[1])

from hil.probe.stream import serve
from tests.hil.probe.chip import Capture

serve(Capture(time.ticks_us), int(sys.argv[2]))
