"""A board's power by a relay of a USB relay board of the LCUS kind (CH340, 1 to 8 relays), the commonest there is.

A command is A0, the relay (from 1), 0 or 1, and the low byte of the sum of the three; FF asks for the states, which
boards with two relays and more answer in text ("CH1:ON ..."). 9600 baud.

Source of truth: the maker's sheet of LCUS-2/4/8, as sold everywhere and published by nobody.
"""

import re
import threading
from typing import Protocol

import serial

from hil.errors import PowerFailed

BAUD = 9600
ANSWER_S = 0.5
_LONGEST_BYTES = 128
_HEAD, _ASK = 0xA0, b"\xff"
_STATE = re.compile(rb"CH\s*(\d+)\s*:?\s*(ON|OFF)", re.IGNORECASE)
_REPLUG = "look at the relay board's USB cable and at its port in bench.toml"


class RelayPort(Protocol):
    """What is used of a serial port; `read` gives b"" after ANSWER_S at the latest."""

    def read(self, size: int, /) -> bytes: ...

    def write(self, data: bytes, /) -> int | None: ...

    def reset_input_buffer(self) -> None: ...

    def close(self) -> None: ...


def command(relay: int, is_closed: bool) -> bytes:
    """`relay` is 1 to 8."""
    if not 1 <= relay <= 8:
        raise ValueError(f"relay {relay}: there are 1 to 8")
    body = bytes([_HEAD, relay, int(is_closed)])
    return body + bytes([sum(body) & 0xFF])


def parse(text: bytes) -> dict[int, bool]:
    """Which relay is closed; relays that were not told are missing."""
    return {int(number): state.upper() == b"ON" for number, state in _STATE.findall(text)}


class RelayBoard:
    """One board on one port, for several relays. With `answers` each switching is asked back.

    Raises PowerFailed when the port cannot be opened.
    """

    def __init__(self, path: str, answers: bool = True, port: RelayPort | None = None) -> None:
        self._path, self._answers = path, answers
        self._lock = threading.Lock()
        try:
            self._port: RelayPort = port or serial.Serial(path, BAUD, timeout=ANSWER_S, exclusive=True)
        except (serial.SerialException, OSError) as error:
            raise PowerFailed(f"the relay board's port {path} cannot be opened ({error})", _REPLUG) from None

    def switch(self, relay: int, is_closed: bool) -> None:
        """Raises PowerFailed when the board is gone or says that the relay is in the other state."""
        with self._lock:
            try:
                self._port.write(command(relay, is_closed))
                if not self._answers:
                    return
                self._port.reset_input_buffer()
                self._port.write(_ASK)
                told = self._hear(relay)
            except OSError as error:
                raise PowerFailed(f"the relay board at {self._path} is gone ({error})", _REPLUG) from None
        if relay not in told:
            raise PowerFailed(
                f"the relay board at {self._path} says nothing of relay {relay}",
                "set answers = false for a board that never answers (LCUS-1); else look at its cable",
            )
        if told[relay] != is_closed:
            raise PowerFailed(
                f"relay {relay} at {self._path} is {'open' if is_closed else 'closed'} still",
                "it has no 5 V or its driver is dead: try another relay",
            )

    def _hear(self, relay: int) -> dict[int, bool]:
        """No longer than until the relay's state is told: power is cycled fast."""
        text = b""
        while relay not in parse(text) and len(text) < _LONGEST_BYTES:
            byte = self._port.read(1)
            if not byte:
                break
            text += byte
        return parse(text)

    def close(self) -> None:
        self._port.close()


class RelayPower:
    """One relay. `closed_is_on`: the board hangs on its normally open contact; False: on the normally closed one."""

    def __init__(self, board: RelayBoard, relay: int, closed_is_on: bool = True) -> None:
        self._board, self._relay, self._closed_is_on = board, relay, closed_is_on

    def on(self) -> None:
        self._board.switch(self._relay, self._closed_is_on)

    def off(self) -> None:
        self._board.switch(self._relay, not self._closed_is_on)

    def voltage_v(self) -> None:
        """A relay measures nothing."""

    def close(self) -> None:
        self._board.close()
