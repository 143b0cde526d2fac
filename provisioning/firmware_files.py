"""The lamp's firmware as files for a chip. It comes from another product, as files only: a process makes them.

`python -m firmware.image DIRECTORY --files` writes main.py, a tree of .mpy files, and the same as a ROMFS image, byte
for byte the same from the same sources. The ROMFS image is what fits the heap of a plain ESP32, because byte code is
executed in place; it needs a base image with a partition `romfs`.
"""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from provisioning import filesystem
from provisioning.chips import Chip
from provisioning.errors import Failure, of_file

MAIN = "main.py"
ROM = "streetlight.romfs"
TREE = "mpy"
WIRING = "lamp/board.json"
_MAKE_S = 300


@dataclass(frozen=True)
class Firmware:
    """`files` go into the file system; `rom` into the partition `romfs`, where the base image has one. `mpy_version` is
    what the byte code was made for: MicroPython refuses another."""

    files: Mapping[str, bytes] = field(repr=False)
    rom: bytes | None = field(repr=False)
    mpy_version: int

    @property
    def bytes_held(self) -> int:
        """What it takes of the flash."""
        return filesystem.used_bytes(self.files) + len(self.rom or b"")

    def differing(self, told: Mapping[str, str]) -> list[str]:
        """The paths whose SHA-256 (hexadecimal, as the board told it) is not that of the file, or is not there."""
        return [path for path, data in self.files.items() if told.get(path) != hashlib.sha256(data).hexdigest()]


def make(folder: Path) -> Path:
    """Build the firmware of this installation in `folder`, where it stays until a source changes."""
    command = [sys.executable, "-m", "firmware.image", str(folder.resolve()), "--files"]
    root = Path(__file__).resolve().parents[1]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=_MAKE_S)
    except OSError as error:
        raise of_file(error, folder) from None
    except subprocess.TimeoutExpired:
        raise Failure("tool_missing", "the compiler of the firmware hangs") from None
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["no words"]
        if "No space left" in words[-1]:
            raise Failure("disk_full", str(folder))
        raise Failure("tool_missing", f"the firmware could not be made: {words[-1]}")
    return folder


def load(folder: Path, chip: Chip, with_romfs: bool, wiring: bytes | None = None) -> Firmware:
    """The firmware that `make` left in `folder`, for a base image with or without a partition `romfs`; `wiring` is the
    text of a `board.json`. Raises Failure `firmware_too_big` when it is beyond the chip's budget."""
    try:
        files = {MAIN: (folder / MAIN).read_bytes()}
        rom = (folder / ROM).read_bytes()
        tree = {
            path.relative_to(folder / TREE).as_posix(): path.read_bytes()
            for path in sorted((folder / TREE).rglob("*.mpy"))
        }
    except OSError as error:
        raise of_file(error, folder) from None
    code = next((data for data in tree.values() if data[:1] == b"M"), None)
    if code is None or any(data[:2] != code[:2] for data in tree.values()):
        raise Failure("tool_missing", f"{folder / TREE} holds no byte code of MicroPython")
    if wiring is not None:
        files[WIRING] = wiring
    made = Firmware(files, rom, code[1]) if with_romfs else Firmware({**files, **tree}, None, code[1])
    if made.bytes_held > chip.budget_bytes:
        raise Failure("firmware_too_big", f"{made.bytes_held:,} bytes of {chip.budget_bytes:,} for {chip.shown}")
    return made
