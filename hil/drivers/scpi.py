"""A board's power by a laboratory supply that speaks SCPI, over a raw TCP socket (port 5025) or a USB serial port.

OUTP, MEAS:VOLT? and SYST:ERR? are common to most supplies; voltage and current limit are set at its front panel. After
each command the supply is asked what it thinks of it.

Source of truth: SCPI-1999 volume 2 (OUTPut, MEASure, SYSTem:ERRor); IEEE 488.2 (*IDN?).
"""

import math
import socket
import threading
from typing import Protocol

import serial

from hil.errors import PowerFailed

PORT = 5025
TIMEOUT_S = 3.0
LONGEST_BYTES = 4096
# SCPI's "not a number" and infinities are 9.9e37 and more.
_OVER_V = 1e6


class Line(Protocol):
    """Bytes to a supply and whole lines from it."""

    def write(self, data: bytes, /) -> object: ...

    def readline(self) -> bytes: ...

    def close(self) -> None: ...


def open_line(address: str) -> Line:
    """`address` is "host", "host:port" or the path of a serial port; raises PowerFailed."""
    try:
        if address.startswith(("/", "COM")):
            opened: Line = serial.Serial(address, 9600, timeout=TIMEOUT_S, exclusive=True)
            return opened
        host, _, port = address.partition(":")
        return _Socket(host, int(port or PORT))
    except (OSError, ValueError) as error:
        raise PowerFailed(f"the supply at {address} cannot be reached ({error})", _LOOK) from None


class _Socket:
    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), TIMEOUT_S)
        self._file = self._socket.makefile("rb")

    def write(self, data: bytes, /) -> None:
        self._socket.sendall(data)

    def readline(self) -> bytes:
        return self._file.readline(LONGEST_BYTES)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class Supply:
    """One supply, perhaps with several outputs. `address` is for messages."""

    def __init__(self, line: Line, address: str = "") -> None:
        self._line, self._address = line, address
        self._lock = threading.Lock()

    def command(self, text: str, output: int | None) -> None:
        """Raises PowerFailed with the supply's own error."""
        with self._lock:
            self._choose(output)
            self._send(text)
            self._check(text)

    def ask(self, text: str, output: int | None) -> str:
        with self._lock:
            self._choose(output)
            answer = self._query(text)
            self._check(text)
            return answer

    def close(self) -> None:
        self._line.close()

    def _choose(self, output: int | None) -> None:
        if output is not None:
            self._send(f"INST:NSEL {output}")
            self._check(f"INST:NSEL {output}")

    def _check(self, text: str) -> None:
        """The oldest error, and the queue emptied, so that it is not taken for a later command's."""
        first = ""
        for _ in range(32):
            told = self._query("SYST:ERR?")
            if told.partition(",")[0].strip().lstrip("+-") in ("0", "00"):
                break
            first = first or told
        if first:
            raise PowerFailed(f"the supply at {self._address} refuses {text}: {first}", _MANUAL)

    def _send(self, text: str) -> None:
        try:
            self._line.write(f"{text}\n".encode())
        except OSError as error:
            raise PowerFailed(f"the supply at {self._address} is gone ({error})", _LOOK) from None

    def _query(self, text: str) -> str:
        self._send(text)
        try:
            answer = self._line.readline()
        except OSError as error:
            raise PowerFailed(f"the supply at {self._address} is gone ({error})", _LOOK) from None
        if not answer.endswith(b"\n"):
            raise PowerFailed(f"the supply at {self._address} does not answer {text}", _LOOK)
        return answer.decode("ascii", "replace").strip()


class SupplyPower:
    """One output; `output` None for a supply that has only one."""

    def __init__(self, supply: Supply, output: int | None = None) -> None:
        self._supply, self._output = supply, output

    def on(self) -> None:
        self._switch(True)

    def off(self) -> None:
        self._switch(False)

    def voltage_v(self) -> float:
        told = self._supply.ask("MEAS:VOLT?", self._output)
        try:
            volts = float(told)
        except ValueError:
            volts = math.nan
        if not abs(volts) < _OVER_V:
            raise PowerFailed(f"the supply measures {told!r}", _MANUAL)
        return volts

    def close(self) -> None:
        self._supply.close()

    def _switch(self, is_on: bool) -> None:
        self._supply.command(f"OUTP {'ON' if is_on else 'OFF'}", self._output)
        told = self._supply.ask("OUTP?", self._output)
        if (told.upper() in ("1", "ON")) != is_on:
            raise PowerFailed(
                f"the supply's output is {'off' if is_on else 'on'} though it was switched {'on' if is_on else 'off'}",
                "it tripped: raise its current limit, and look at the board for a short circuit",
            )


_LOOK = "look at its cable, its remote interface, and its address in bench.toml"
_MANUAL = "look into its manual for what it takes, and at its front panel"
