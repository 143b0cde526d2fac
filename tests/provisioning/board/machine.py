"""The board: what runs on the chip, and which of the two it is, the loader in ROM or the program in flash.

A pseudo-terminal carries no DTR and RTS, with which a host resets a board and holds its boot pin. So the board takes
what a host does just after such a pulse for the pulse itself:

- A SYNC packet, whatever runs: a reset with the boot pin held. The ROM's loader answers it. (Its greeting is left
  out: on a chip it has passed before a host listens.)
- The first byte after a packet, while the loader is idle, that a terminal's user sends and no packet begins with
  (carriage return, Ctrl-A to Ctrl-E): a reset into the program, which gets this byte.
- The host closes the port while the loader is idle: a reset into the program, because that is what every tool does
  last. A host that dies in the middle of a transfer leaves the loader waiting.

Opening or closing the port while the program runs changes nothing.
"""

import time
from collections import namedtuple

from tests.provisioning.board import slip
from tests.provisioning.board.loader import Loader, is_sync
from tests.provisioning.board.nor import PowerLost
from tests.provisioning.board.stub import Stub

FROM_A_TERMINAL = b"\r\x01\x02\x03\x04\x05"
SYNC_ON_THE_LINE = b"\xc0\x00\x08\x24\x00"


Parts = namedtuple("Parts", ["chip", "nor", "registers", "efuses"])


class Machine:
    """`parts` are the hardware; `tell(event, **facts)` hears what happens."""

    def __init__(self, parts, line, faults, program, tell):
        self._parts = parts
        self._line = line
        self._faults = faults
        self._program = program
        self._tell = tell
        self._loader = None
        self._hangs = False
        self._commands = 0
        self._fresh = False  # a packet has just ended, or nothing came yet
        self._tail = b""  # what the program's host sent last, where a SYNC may begin
        self._reader = slip.Reader(self._stray)
        self._terminal = b""

    def power_on(self):
        self._hangs = False
        self._line.plug()
        self._tell("plugged")
        self.start_program("POWERON_RESET")

    def power_off(self):
        self._program.stop()
        self._loader = None
        self._line.unplug()
        self._tell("unplugged")

    def start_program(self, cause):
        self._loader = None
        self._tail = b""
        self._tell("reset", into="program", cause=cause)
        self._program.start(cause)

    def start_loader(self):
        self._program.stop()
        self._parts.registers.reset()
        self._loader = Loader(*self._parts)
        self._reader = slip.Reader(self._stray)
        self._fresh = True
        self._tell("reset", into="loader")

    def host_left(self):
        self._line.closed()
        if self._loader and self._loader.is_idle and not self._hangs:
            self.start_program("POWERON_RESET")

    def receive(self, data):
        """Bytes from the host."""
        data = self._faults.damage(data, "chip")
        if self._hangs:
            return
        if self._loader is None:
            data = self._watch_for_sync(data)
        if self._loader:
            self._to_loader(data)

    def _watch_for_sync(self, data):
        """Pass on to the program what is not a SYNC; what is one, or comes after it, is for the loader."""
        seen = self._tail + data
        at = seen.find(SYNC_ON_THE_LINE)
        if at < 0 or self._parts.efuses.is_on("no_download"):
            keep = next((n for n in range(len(SYNC_ON_THE_LINE) - 1, 0, -1) if seen.endswith(SYNC_ON_THE_LINE[:n])), 0)
            self._tail = seen[len(seen) - keep :]
            self._program.feed(seen[: len(seen) - keep])
            return b""
        self._program.feed(seen[:at])
        self.start_loader()
        return seen[at:]

    def _stray(self, data):
        if self._fresh and self._loader.is_idle and data[0] in FROM_A_TERMINAL:
            self._terminal = data
        self._fresh = False

    def _to_loader(self, data):
        for packet in self._reader.feed(data):
            self._fresh = True
            if not self._loader:
                return
            self._run(packet)
        if self._terminal and self._loader:
            data, self._terminal = self._terminal, b""
            self.start_program("POWERON_RESET")
            self._program.feed(data)

    def _run(self, packet):
        if is_sync(packet):
            if self._faults.misses_sync():
                self.start_program("POWERON_RESET")
                return
            if type(self._loader) is not Loader or not self._loader.is_idle:
                self.start_loader()
        self._commands += 1
        self._tell("command", number=self._commands, code=packet[1] if packet and len(packet) > 1 else None)
        struck = self._faults.strike()
        if struck:
            self._strike(struck)
            return
        try:
            answers = self._loader.run(packet)
        except PowerLost as loss:
            self._tell("power_lost", where=str(loss))
            self._strike(self._faults.power_fault())
            return
        if self._faults.delay_s:
            time.sleep(self._faults.delay_s)
        for answer in answers:
            self._line.write(self._faults.damage(slip.encode(answer), "host"))
        self._turn()

    def _turn(self):
        """What the last command made the chip do next."""
        outcome, self._loader.outcome = self._loader.outcome, None
        if outcome == "program":
            self.start_program("SW_CPU_RESET")
        elif outcome == "loader":
            self.start_loader()
        elif outcome == "stub":
            self._loader = Stub(*self._parts)
        elif outcome == "crash":
            self._line.write(b"Guru Meditation Error: Core  0 panic'ed (IllegalInstruction)\r\n")
            self.start_program("TG1WDT_SYS_RESET")

    def _strike(self, name):
        values = self._faults.end(name)
        self._tell("fault", name=name)
        if name == "hang":
            self._hangs = True
        elif name == "brownout":
            self._line.write(b"\r\nBrownout detector was triggered\r\n\r\n")
            self.start_program("RTCWDT_BROWN_OUT_RESET")
        else:
            self.power_off()
            if values.get("back"):
                self.power_on()
