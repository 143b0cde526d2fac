"""Which serial ports a board may hang on, and waiting for one: names and USB ids only, no port is opened here.

`serial.tools.list_ports` knows the operating system's list. On macOS a port has two names; the `cu.` one is kept.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from provisioning.errors import Failure

# USB vendor, product (None: any) -> what it is: bridges on ESP32 boards, and the chips' own USB.
ADAPTERS: dict[tuple[int, int | None], str] = {
    (0x10C4, 0xEA60): "Silicon Labs CP210x",
    (0x10C4, 0xEA70): "Silicon Labs CP2105",
    (0x1A86, 0x7523): "WCH CH340",
    (0x1A86, 0x7522): "WCH CH340K",
    (0x1A86, 0x55D3): "WCH CH343",
    (0x1A86, 0x55D4): "WCH CH9102",
    (0x0403, 0x6001): "FTDI FT232",
    (0x0403, 0x6010): "FTDI FT2232",
    (0x0403, 0x6014): "FTDI FT232H",
    (0x0403, 0x6015): "FTDI FT231X",
    (0x067B, 0x2303): "Prolific PL2303",
    (0x067B, 0x23A3): "Prolific PL2303GC",
    (0x303A, 0x1001): "Espressif USB Serial/JTAG",
    (0x303A, 0x0002): "Espressif ESP32-S2 USB",
    (0x303A, None): "Espressif USB",
}
POLL_S = 0.2


@dataclass(frozen=True)
class Port:
    """A serial port; `adapter` is "" when nothing says that a board hangs on it."""

    device: str
    adapter: str = ""
    vendor: int | None = None
    product: int | None = None
    serial: str = ""


def adapter_name(vendor: int | None, product: int | None) -> str:
    """What a USB id is, "" for one that is on no board."""
    if vendor is None or product is None:
        return ""
    return ADAPTERS.get((vendor, product)) or ADAPTERS.get((vendor, None)) or ""


def find_all() -> list[Port]:
    """Every serial port of this computer, boards first, in the order of their names."""
    found = []
    for info in list_ports.comports():
        if info.device.startswith("/dev/tty."):
            continue
        name = adapter_name(info.vid, info.pid)
        found.append(Port(info.device, name, info.vid, info.pid, info.serial_number or ""))
    return sorted(found, key=lambda port: (not port.adapter, port.device))


def find_boards() -> list[Port]:
    """The ports whose USB id is on the table."""
    return [port for port in find_all() if port.adapter]


def named(names: Sequence[str]) -> Callable[[], list[Port]]:
    """A lister for ports that a person named: those that exist now."""
    return lambda: [
        # COM3 is no file: only opening it tells.
        Port(device, "named")
        for device in dict.fromkeys(names)
        if not device.startswith("/") or Path(device).exists()
    ]


def wait(
    wait_s: float,
    lister: Callable[[], Iterable[Port]] = find_boards,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Port:
    """The one board that is plugged in, or that will be within `wait_s`; Failure `no_board`, `several_boards`."""
    until = clock() + wait_s
    while True:
        found = list(lister())
        if len(found) > 1:
            raise Failure("several_boards", ", ".join(port.device for port in found))
        if found:
            return found[0]
        if clock() >= until:
            raise Failure("no_board", f"waited {wait_s:g} s" if wait_s else "")
        pause(POLL_S)
