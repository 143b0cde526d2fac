"""A watchdog that bites as the chip's does: even when the event loop hangs in a loop without an end.

A second thread looks at the time of the last feed and ends the process from outside, by a signal sent from a shell.
The VM's threads have no common lock, so this one allocates nothing and touches nothing but a list cell,
numbers and functions that it was handed: it cannot meet a dict that the main thread is rebuilding.
"""

import _thread
import os
import time

from firmware.hal import WATCHDOG_MS

# For `time.sleep`, which sleeps; `sleep_ms` of the unix port wakes 1000 times a second to see whether it is time.
LOOK_S = 0.25

# SIGALRM: the parent sees return code -14 and knows that it was the watchdog, and neither a power cut nor a crash.
BITE = "printf watchdog > '%s'; kill -s ALRM $PPID"


def _watch(fed, patience_ms, bite, look_s, sleep, ticks_ms, ticks_diff, system):
    while ticks_diff(ticks_ms(), fed[0]) < patience_ms:
        sleep(look_s)
    system(bite)


class Watchdog:
    """Starts at once. `mark` is the file that tells the next start why this one ended; its path must hold no quote."""

    def __init__(self, mark, patience_ms=WATCHDOG_MS):
        if "'" in mark:
            raise ValueError("the flash folder's path %s holds a quote: choose another folder" % mark)
        self._fed = [time.ticks_ms()]
        arguments = (self._fed, patience_ms, BITE % mark, LOOK_S, time.sleep, time.ticks_ms, time.ticks_diff, os.system)
        _thread.start_new_thread(_watch, arguments)

    def feed(self):
        self._fed[0] = time.ticks_ms()
