"""The USB port of a board with the lamp's firmware, by MicroPython's raw REPL. Beside the probe's, the one of mpremote.

mpremote's way into the raw REPL is the tested one; it prints when it fails, which is kept from the screen here. A lamp
that is interrupted no longer feeds its watchdog: every visit ends with a reset, ours or the watchdog's.
"""

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from contract.identity import DOCUMENT_BYTES, KEY, NAMESPACE
from hil.errors import ConsoleFailed
from hil.seams import BoardFacts

PROMPT_S = 12.0  # ESP32 boot, mount and a first import; four times what a slow one takes
_ATTEMPT_S = 4.0
_ROMFS = b"\xd2\xcd\x31"

# Nothing of the identity but its name leaves the board: the rest is keys and passwords.
_WHO = f"""
import json, sys
from binascii import hexlify
told = {{"machine": getattr(sys.implementation, "_machine", sys.platform)}}
told["version"] = ".".join([str(part) for part in sys.implementation.version[:3]])
try:
    import esp32
    buffer = bytearray({DOCUMENT_BYTES})
    length = esp32.NVS({NAMESPACE!r}).get_blob({KEY!r}, buffer)
    told["endpoint"] = json.loads(bytes(buffer[:length]))["endpoint"]
except Exception:
    told["endpoint"] = ""
try:
    from firmware.version import VERSION
    told["firmware"] = VERSION
except Exception:
    told["firmware"] = ""
try:
    import vfs
    told["image"] = hexlify(bytes(memoryview(vfs.rom_ioctl(2, 0))[:64])).decode()
except Exception:
    told["image"] = ""
print(json.dumps(told))
"""
# The pins stay as they are, and nothing feeds.
_HANG = "while True:\n pass"
_RESET = "import machine\nmachine.reset()"


def image_digest(head: bytes) -> str:
    """What the ROMFS image was made of, from its first bytes: 32 bytes in the record (a padding, kind 1) after its
    magic and its length, a varuint. "" when it is no image of ours.

    Source of truth: firmware/image.py; MicroPython's extmod/vfs_rom.c.
    """
    at = len(_ROMFS)
    while head[at : at + 1] >= b"\x80":
        at += 1
    record = head[at + 1 : at + 35]
    return record[2:].hex() if head.startswith(_ROMFS) and record[:2] == b"\x01\x20" and len(record) == 34 else ""


class BoardConsole:
    """`port` is a path that outlives a power cut (/dev/serial/by-id/...). It is opened when it is needed."""

    def __init__(self, port: str, now: Callable[[], float] = time.monotonic) -> None:
        self._port, self._now = port, now
        self._transport: Any = None

    def describe(self) -> BoardFacts:
        """The lamp is interrupted, asked, and reset: it boots and joins again."""
        self._enter()
        with self._translated():
            said, error = self._transport.exec_raw(_WHO, timeout=_ATTEMPT_S)
            told = _parse(said, error, self._port)
            self._transport.exec_raw_no_follow(_RESET)
        digest = image_digest(bytes.fromhex(told.get("image", "")))
        firmware = " ".join(part for part in (told.get("firmware", ""), digest[:16]) if part)
        return BoardFacts(told.get("endpoint", ""), told.get("machine", ""), told.get("version", ""), firmware)

    def hang(self) -> None:
        self._enter()
        with self._translated():
            self._transport.exec_raw_no_follow(_HANG)

    def log(self) -> str:
        """At most what the system keeps of a port that nobody reads (4 KB on Linux), its oldest part."""
        with self._translated():
            self._open()
            waiting = self._transport.serial.in_waiting
            data: bytes = self._transport.serial.read(waiting) if waiting else b""
        return data.decode("utf-8", "replace")

    def close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            with contextlib.suppress(Exception):  # a port that is gone is closed
                transport.close()

    def _open(self) -> None:
        if self._transport is None:
            self._transport = SerialTransport(self._port)

    def _enter(self) -> None:
        """Into the raw REPL, the program interrupted; the pins stay as they are."""
        deadline = self._now() + PROMPT_S
        while True:
            try:
                with self._translated(passes=TransportError):
                    self._open()
                    self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_ATTEMPT_S)
                    return
            except TransportError as error:
                self.close()
                if "failed to access" in str(error):
                    raise ConsoleFailed(f"there is no port {self._port}, or it is taken", _CABLE) from None
                if self._now() >= deadline:
                    raise ConsoleFailed(
                        f"{self._port}: no MicroPython prompt", "is it a lamp? has it power? provision it again"
                    ) from None

    @contextlib.contextmanager
    def _translated(self, passes: type[Exception] | tuple[type[Exception], ...] = ()) -> Iterator[None]:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except passes:
            raise
        except (serial.SerialException, OSError) as error:
            self.close()
            raise ConsoleFailed(f"{self._port} is gone ({str(error)[:120]})", _CABLE) from None
        except TransportError as error:
            self.close()
            raise ConsoleFailed(f"{self._port}: {str(error)[:120]}", _CABLE) from None


def _parse(said: bytes, error: bytes, port: str) -> dict[str, str]:
    try:
        told = json.loads(said.decode("utf-8", "replace").strip().splitlines()[-1])
    except (ValueError, IndexError):
        told = None
    if error or not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise ConsoleFailed(f"{port}: the board does not say who it is", "is it a lamp? provision it again")
    return told


_CABLE = "look at its cable, at console in bench.toml, and close what else has the port open"
