"""The MicroPython prompt of a board, over the serial port. The one user of pyserial and mpremote.

mpremote's way into the raw REPL is the tested one; it prints to standard output when it fails, which is kept from the
screen here. What the board says is data: it is parsed, never run.
"""

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from provisioning.errors import Failure

try:
    import serial
    from mpremote.transport import TransportError
    from mpremote.transport_serial import SerialTransport
except ImportError as error:
    raise Failure("tool_missing", "mpremote") from error

BOOT_S = 12.0  # ESP32 boot, mount and a first import; four times what a slow one takes
_ATTEMPT_S = 4.0
_SCRIPT_S = 30.0

# A finished lamp runs with a watchdog that nobody feeds at the prompt; it cannot be stopped, but told to wait longer.
_PATIENCE = """
try:
    import machine
    machine.WDT(timeout=600000)
except Exception:
    pass
"""

_HASH = """
import hashlib, json
from binascii import hexlify
found = {}
for name in %s:
    try:
        summary = hashlib.sha256()
        with open("/" + name, "rb") as file:
            while True:
                data = file.read(1024)
                if not data:
                    break
                summary.update(data)
        found[name] = hexlify(summary.digest()).decode()
    except OSError:
        found[name] = ""
print(json.dumps(found))
"""


class Console:
    """A board at its prompt; its program was interrupted, the heap is fresh. `close` leaves it there.

    Opening raises Failure `no_boot` when no prompt comes within `boot_s`, `unplugged`, `port_busy`, `port_denied`,
    `no_board`.
    """

    def __init__(self, port: str, boot_s: float = BOOT_S, now: Callable[[], float] = time.monotonic) -> None:
        self._port = port
        with _translated(port):
            self._transport = SerialTransport(port)
        try:
            self._enter(now() + boot_s, now)
        except BaseException:
            self.close()
            raise

    def _enter(self, deadline: float, now: Callable[[], float]) -> None:
        """Into the raw REPL after a soft reset: the heap is fresh and main.py does not run."""
        while True:
            try:
                with _translated(self._port, passes=TransportError):
                    self._transport.enter_raw_repl(soft_reset=True, timeout_overall=_ATTEMPT_S)
                    self._transport.exec_raw(_PATIENCE, timeout=_ATTEMPT_S)
                    return
            except TransportError:
                if now() >= deadline:
                    raise Failure("no_boot", f"{self._port}: no MicroPython prompt") from None

    def run(self, code: str, timeout_s: float = _SCRIPT_S) -> str:
        """What the board printed; raises Failure `no_boot` with the last line of a traceback."""
        with _translated(self._port):
            said, error = self._transport.exec_raw(code, timeout=timeout_s)
        if error:
            lines = bytes(error).decode("utf-8", "replace").strip().splitlines()
            raise Failure("no_boot", f"{self._port}: {lines[-1][:160] if lines else 'an error without words'}")
        return bytes(said).decode("utf-8", "replace")

    def ask(self, code: str, timeout_s: float = _SCRIPT_S) -> Any:
        """The same for a script whose last line is one JSON value."""
        lines = self.run(code, timeout_s).strip().splitlines()
        try:
            return json.loads(lines[-1]) if lines else None
        except ValueError:
            raise Failure("no_boot", f"{self._port}: the board answered what is no JSON") from None

    def hash_files(self, paths: Sequence[str]) -> dict[str, str]:
        """{path: SHA-256, hexadecimal; "" where there is no such file}."""
        found = self.ask(_HASH % json.dumps(list(paths)))
        if not isinstance(found, dict) or set(found) != set(paths):
            raise Failure("no_boot", f"{self._port}: the board told other files than it was asked for")
        return {str(name): str(value) for name, value in found.items()}

    def restart(self) -> None:
        """Start the board as power does, and give the port back."""
        with _translated(self._port):
            # Late enough for the prompt to say that it took the script.
            self._transport.exec_raw_no_follow("import machine, time\ntime.sleep_ms(300)\nmachine.reset()")
        self.close()

    def close(self) -> None:
        with contextlib.suppress(Exception):  # a port that is gone is closed
            self._transport.close()


@contextlib.contextmanager
def _translated(port: str, passes: type[Exception] | tuple[type[Exception], ...] = ()) -> Iterator[None]:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except passes:
        raise
    except (serial.SerialException, OSError) as error:
        raise Failure(_code(str(error)), f"{port}: {str(error)[:160]}") from None
    except TransportError as error:
        said = str(error)
        raise Failure(_code(said) if "access" in said else "no_boot", f"{port}: {said[:160]}") from None


def _code(said: str) -> str:
    lower = said.lower()
    if "permission" in lower or "errno 13" in lower:
        return "port_denied"
    if "busy" in lower or "lock" in lower:
        return "port_busy"
    if "no such file" in lower or "failed to access" in lower:
        return "no_board"
    return "unplugged"
