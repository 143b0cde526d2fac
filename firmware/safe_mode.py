"""The lamp that starts again and again: lit, on the network, and nothing else, so that somebody can ask it why.

Nothing that may have killed the normal start is touched: of flash only the counters of starts and the sequence numbers
are read; there is no schedule, no meter, no measurement and no detector, and no report but two: fault 33 and an
introduction. It ends by a reboot that the server asks for, by the loss of power, or after an hour with one normal try;
a factory reset forgets all but the counters as well. Loaded only when it is needed (firmware.rarely).
"""

from contract import faults
from contract.objects import device, lamp_status
from firmware import crystal, health, learnt_night, override, program, settings
from firmware.clock import Clock
from firmware.counters import LOOP
from firmware.errors import StorageError
from firmware.lamp import FAILSAFE, Lamp, _Wish
from firmware.lwm2m import queue
from firmware.lwm2m import reports as paths
from firmware.lwm2m.objects.desk import Desk
from firmware.lwm2m.objects.device import Device
from firmware.lwm2m.objects.lamp_status import LampStatus
from firmware.lwm2m.objects.server import Server
from firmware.pace import LONGEST_SLEEP_MS

# By ticks: it is the controller that gets a rest, not the simulated night.
LENGTH_MS = 3600000

LOOK_MS = 2000

STATUS = (
    lamp_status.RUNG.id,
    lamp_status.EXPLANATION.id,
    lamp_status.UNTIL.id,
    lamp_status.BOOT_COUNTER.id,
    lamp_status.RESET_CAUSE.id,
    lamp_status.CLOCK_ERROR_BOUND.id,
    lamp_status.FAULT.id,
    lamp_status.REPORTS_WAITING.id,
    lamp_status.FAILSAFE_LEVEL.id,
    lamp_status.FAULTS_ACTIVE.id,
)


class Nowhere:
    """The store of all that safe mode keeps away from flash: it holds nothing and takes nothing."""

    def load(self, name):
        return None

    view = load

    def save(self, name, data, both=False):
        raise StorageError("in safe mode nothing is kept", "reboot the lamp (3/0/4), and write again")

    def delete(self, name):
        self.save(name, None)


class Steady(Lamp):
    """Decides once and for all: lit."""

    words = ""

    def _wish(self, now_ms, rtc_ms, lux):
        level = self._settings.get("failsafe_level") or 100
        return _Wish(
            (FAILSAFE, level), level * 10, level, FAILSAFE, self.words, "42769/0/4", 0, 0, rtc_ms + LONGEST_SLEEP_MS
        )


class Verdict:
    """Of the health of this lamp one thing is known."""

    def is_raised(self, code):
        return code == faults.RESET_LOOP.code

    def active(self):
        return [faults.RESET_LOOP.code]


class Controller(Device):
    """Without what the rest of the lamp would have to answer."""

    LACKS = (device.EXTDEVINFO.id, device.RESET_ERROR_CODE.id)


class Status(LampStatus):
    """What is known without the rest of the lamp."""

    def present(self, instance):
        return STATUS


class Watch:
    """Tells the server once, and ends safe mode after an hour."""

    lux = None

    def __init__(self, parts):
        self._parts = parts
        self._started_rtc_ms = parts.board.rtc_ms()
        self._is_told = False
        self.progress_ms = 0

    async def run(self):
        """Look for ever; only cancellation or the restart ends it."""
        board = self._parts.board
        while True:
            self.look()
            self.progress_ms = board.ticks_ms()
            await board.sleep_ms(LOOK_MS)

    def look(self):
        """Say what is the matter as soon as there is a clock; try again when it is time."""
        parts = self._parts
        if not self._is_told and parts.clock.now_ms(self._started_rtc_ms) is not None:
            self._is_told = True
            parts.reports.fault(faults.RESET_LOOP.code, True, self._started_rtc_ms)
            parts.reports.report(paths.INTRODUCTION_PATHS, parts.board.rtc_ms())
        if parts.board.ticks_ms() >= LENGTH_MS:
            parts.log.note("safe mode ends", next="one normal start")
            _settle(parts, 1)
            parts.board.reset()


def furnish(parts):
    """Fill `parts` (firmware.app.Parts) with what safe mode has; return the nodes of its tree."""
    nowhere = Nowhere()
    parts.settings = settings.Settings(nowhere, parts.identity.settings)
    parts.clock = Clock(parts.board.rtc_rate)
    parts.queue = queue.Queue(nowhere)
    parts.override = override.Override(parts.settings, nowhere)
    parts.lamp = Steady(parts.settings, None, parts.override)
    parts.lamp.words = "safe mode: restarted %d times in a row; lit" % parts.counters.short
    parts.health = Verdict()
    parts.keep = lambda: _settle(parts)
    parts.forget = lambda: _forget(parts)
    parts.log.note("safe mode", restarts=parts.counters.short)
    desk = Desk(parts.settings)
    return [Server(parts, desk), Controller(parts, desk), Status(parts, desk)]


def _settle(parts, tries=LOOP - 1):
    """End the loop: the next start is a normal one, and after so many short ones it is a loop again."""
    try:
        parts.counters.short = LOOP - 1 - tries
        parts.counters.save()
    except StorageError as error:
        parts.log.transition("storage", "failing", reason=str(error))


class Eraser:
    """A store that forgets what it is asked for."""

    def __init__(self, parts):
        self._parts = parts

    def load(self, name):
        try:
            self._parts.store.delete(name)
        except StorageError as error:
            self._parts.log.note("not everything was reset", reason=str(error))

    view = load


def _forget(parts):
    """A factory reset also forgets what it keeps in a lamp that works: any of it may be what kills this one."""
    eraser = Eraser(parts)
    for name in (settings.RECORD, program.RECORD, override.RECORD, health.RECORD, crystal.RECORD, learnt_night.RECORD):
        eraser.load(name)
    # Who looks for all records of reports names them.
    queue.Queue(eraser).load()
