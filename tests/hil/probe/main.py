"""The probe's program on the MicroPython VM; only the chip is a stand-in. Its port is standard input and output."""

import sys
import time

sys.path.insert(0, sys.argv[1])

from hil.probe.program import Program
from hil.probe.stream import Stream
from tests.hil.probe.chip import Capture

stream = Stream()
program = Program(Capture(time.ticks_us), stream, int(sys.argv[2]))
while program.turn():
    pass
stream.close()
