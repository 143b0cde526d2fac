"""The USB cable: a pseudo-terminal whose slave the host opens under a lasting name.

A pseudo-terminal carries no DTR and RTS; what that means for resets is told in machine.py.
"""

import errno
import os
import pty
import tty
from pathlib import Path


class Line:
    """`link` is the name that stays when the cable is pulled and put back: a symbolic link, absent while unplugged."""

    def __init__(self, link):
        self._link = Path(link)
        self._queue = bytearray()
        self.master = None
        self.is_open = False  # whether a host has it open

    @property
    def is_plugged(self):
        return self.master is not None

    @property
    def has_waiting(self):
        return bool(self._queue)

    def plug(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.master, False)
        new = self._link.with_name(f"{self._link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(name)
        new.replace(self._link)

    def unplug(self):
        """The device goes away: whoever has it open gets an error."""
        self._link.unlink(missing_ok=True)
        self.closed()
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def read(self):
        """What the host sent; None when no host has the line open."""
        try:
            return os.read(self.master, 65536)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return None

    def write(self, data):
        """Send to the host; what nobody listens to is lost."""
        if self.is_open:
            self._queue += data
            self.flush()

    def flush(self):
        """Send what the host has room for."""
        while self._queue:
            try:
                sent = os.write(self.master, self._queue[:65536])
            except BlockingIOError:
                return
            del self._queue[:sent]

    def closed(self):
        """The host is gone, and with it what was on its way."""
        self.is_open = False
        self._queue.clear()
