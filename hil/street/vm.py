"""The lamp's processor: the MicroPython VM with the firmware in ROM and as much heap as the chip gives.

The firmware is one ROMFS image (`python -m firmware.image`). It is read into memory that belongs to this process and
not to the VM's heap, and mounted there at /rom, so that its byte code is executed in place as from the flash of an
ESP32. The VM is a module of CPython: a bare interpreter (-I -S) that imports nothing else starts it.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import contract

# 128 KB of the chip's words; twice as many bytes here, where a word is twice as long.
HEAP = "128wK"
ADVICE = "install the extra `simulator` (pip install 'streetlight[simulator]')"

# A bytes object ends in its content and one zero, and stays where it is while it is referred to.
LAUNCHER = """
import os, sys
os.environ["MICROPYPATH"] = ".frozen"
library, image, heap, module = sys.argv[1:5]
sys.path.append(library)
import micropython_run
with open(image, "rb") as file:
    rom = file.read()
boot = '''
import sys, uctypes, vfs
vfs.mount(vfs.VfsRom(uctypes.bytearray_at(%d, %d)), "/rom")
sys.path.insert(0, "/rom")
__import__("%s", None, None, False)
''' % (id(rom) + bytes.__basicsize__ - 1, len(rom), module)
sys.exit(micropython_run.run_main(["micropython", "-X", "heapsize=" + heap, "-c", boot, *sys.argv[5:]]))
"""


class MissingVm(RuntimeError):
    """The MicroPython VM or its compiler is not installed."""


def build_image(directory: Path, tree: Path | None = None) -> Path:
    """The ROMFS image of the simulated lamp, in `directory`; it is compiled when it is not there or out of date.

    `tree` is a folder with another firmware/ and contract/ (this product's own when left out). Raises MissingVm when
    there is no compiler or it refuses a file.
    """
    command = [sys.executable, "-m", "firmware.image", str(directory.resolve()), "--simulated"]
    root = tree or Path(contract.__file__).resolve().parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingVm(f"the lamp's ROM image could not be made: {done.stderr.strip() or ADVICE}")
    return Path(done.stdout.strip())


def command(image: Path, arguments: list[str], heap: str = HEAP, module: str = "firmware.__main__") -> list[str]:
    """The command line that runs `module` (as __main__) of the ROM `image` with `arguments` in the VM.

    `heap` is what MicroPython's -X heapsize takes. Raises MissingVm.
    """
    return [sys.executable, "-I", "-S", "-c", LAUNCHER, _library(), str(image), heap, module, *arguments]


def script(text: str) -> list[str]:
    """The command line that runs a script in a VM of its own, without the firmware. Raises MissingVm."""
    start = (
        "import sys; sys.path.append(sys.argv[1]); import micropython_run; "
        "sys.exit(micropython_run.run_main(['micropython', '-c', sys.argv[2]]))"
    )
    return [sys.executable, "-I", "-S", "-c", start, _library(), text]


def version() -> str:
    """MicroPython's own words about itself. Raises MissingVm."""
    done = subprocess.run(script("import sys; print(sys.version)"), capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingVm(f"the MicroPython VM does not run: {done.stderr.strip()}")
    return done.stdout.strip()


def _library() -> str:
    """The folder in which the VM is installed."""
    found = importlib.util.find_spec("micropython_run")
    if found is None or found.origin is None:
        raise MissingVm(f"the MicroPython VM is not installed: {ADVICE}")
    return str(Path(found.origin).parent)
