"""How a chip starts: what `main.py` asks first. The light comes on, and only a finished lamp goes on from there.

A board that provisioning did not finish lights the street and does nothing else. Its keys were never used to speak, so
provisioning may write the file system anew, records of OSCORE sequence numbers and all, and go on with the same keys.
"""

import sys

import esp32

from contract.identity import NAMESPACE, SEALED_KEY
from firmware.hal.esp32 import open_board

ADVICE = "this board is not finished: it is lit and does nothing else; run `streetlight provision` with it\n"


def is_sealed():
    try:
        return esp32.NVS(NAMESPACE).get_i32(SEALED_KEY) == 1
    except OSError:
        return False


def open_lamp():
    """(the board, lit; whether it is a finished lamp). An unfinished one has no watchdog: nobody feeds it."""
    sealed = is_sealed()
    board = open_board({} if sealed else {"watchdog": False})
    if not sealed:
        sys.stderr.write(ADVICE)
    return board, sealed
