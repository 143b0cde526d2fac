"""Between the chip's UART and the MicroPython VM, which has a terminal of its own here.

The VM's REPL is the true one. What differs from the chip is put right: a new line gets its carriage return, Ctrl-C
interrupts a running program (once, until it shows an effect), and input waits while a program runs instead of being
flushed by the terminal, as far as the chip's ring buffer reaches.
"""

import os
import pty
import re
import termios
import time

INTERRUPT = b"\x03"
RING_BYTES = 260  # of the ESP32 port's stdin_ringbuf
PATIENCE_S = 0.5
SETTLE_S = 0.003
# What the VM prints before it is asked for its raw REPL, and the chip does not, when a soft reset came from there.
GREETING = re.compile(rb'MicroPython [^\n]*\r\nType "help\(\)"[^\n]*\r\n>>> (?=\r\nraw REPL)')


class Terminal:
    """`is_raw`: the REPL that the host has asked for. `to_host(data)` takes what the VM prints."""

    def __init__(self, to_host, starts_raw):
        self._to_host = to_host
        self.master, self.slave = pty.openpty()
        attributes = termios.tcgetattr(self.slave)
        attributes[0] = attributes[1] = 0
        attributes[3] = termios.ISIG
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)
        self.is_raw = starts_raw
        self._held = bytearray(b"\x01" if starts_raw else b"")
        self._greeting = b"" if starts_raw else None
        self._is_ready = False
        self._interrupted_s = None
        self._triggered_s = None
        self._last = b""

    def started(self):
        """The VM has the slave."""
        os.close(self.slave)
        self.slave = None

    def ready(self):
        """The program is about to run: from now on Ctrl-C finds someone."""
        self._is_ready = True
        self.push()

    def feed(self, data):
        self._held += data
        self.push()

    @property
    def waits(self):
        return self._is_ready and bool(self._held)

    def push(self):
        """Give the VM what it can take now."""
        if not self._is_ready or not self._held:
            return
        now_s = time.monotonic()
        if termios.tcgetattr(self.master)[3] & termios.ISIG:
            self._interrupt(now_s)
            del self._held[RING_BYTES:]
        elif self._triggered_s is None or now_s - self._triggered_s > SETTLE_S:
            self._interrupted_s = None
            self._type(now_s)

    def _interrupt(self, now_s):
        if INTERRUPT not in self._held:
            return
        self._held = self._held.replace(INTERRUPT, b"")
        if self._interrupted_s is None or now_s - self._interrupted_s > PATIENCE_S:
            self._interrupted_s = now_s
            os.write(self.master, INTERRUPT)

    def _type(self, now_s):
        """Up to what makes the VM run something; the rest waits for the next prompt."""
        triggers = b"\x04" if self.is_raw else b"\r\n\x04\x01"
        end = next((at + 1 for at, byte in enumerate(self._held) if byte in triggers), len(self._held))
        piece = bytes(self._held[: min(end, 2048)])
        del self._held[: len(piece)]
        if piece[-1:] == b"\x01" and not piece.endswith(b"A\x01"):
            self.is_raw = True
        elif self.is_raw and piece[:1] == b"\x02":
            self.is_raw = False
        self._triggered_s = now_s
        os.write(self.master, piece)

    def read(self):
        """Pass on what the VM printed; False when it has ended."""
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        if self._greeting is not None:
            data = self._without_greeting(data)
        text = re.sub(rb"(?<!\r)\n", b"\r\n", self._last + data)[len(self._last) :]
        self._last = b"\r" if data.endswith(b"\r") else b""
        self._to_host(text)
        return True

    def _without_greeting(self, data):
        self._greeting += data
        if b"raw REPL" not in self._greeting:
            return b""
        data, self._greeting = GREETING.sub(b"", self._greeting).replace(b"\r\nraw REPL", b"raw REPL", 1), None
        return data

    def close(self):
        for file in (self.master, self.slave):
            if file is not None:
                os.close(file)
