"""An ESP32 on a USB cable, as a process on a pseudo-terminal: the ROM's loader, the flash, and what boots from it."""

from tests.provisioning.board.handle import SimulatedBoard

__all__ = ["SimulatedBoard"]
