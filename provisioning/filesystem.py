"""The file system of the board as bytes: littlefs, made on this computer. The one user of littlefs-python.

The same files give the same bytes. Disk version 2.0: MicroPython before 1.24 takes 2.1 for damage and loops; newer
ones upgrade it at their first write, so an image that was mounted once is compared by the hashes of its files.
"""

from collections.abc import Mapping

from provisioning.chips import SECTOR
from provisioning.errors import Failure

try:
    from littlefs import LittleFS, LittleFSError
except ImportError as error:
    raise Failure("tool_missing", "littlefs-python") from error

# As MicroPython's VfsLfs2 is opened by its inisetup (extmod/vfs_lfs.c: read, prog and lookahead 32, block of a sector).
_LINE = 32
_DISK_VERSION = 0x00020000


def _open(size: int) -> LittleFS:
    if size <= 0 or size % SECTOR:
        raise ValueError("a file system is made of whole sectors")
    return LittleFS(
        block_size=SECTOR,
        block_count=size // SECTOR,
        read_size=_LINE,
        prog_size=_LINE,
        cache_size=4 * _LINE,
        lookahead_size=_LINE,
        block_cycles=100,
        name_max=255,
        disk_version=_DISK_VERSION,
        mount=False,
    )


def build(files: Mapping[str, bytes], size: int) -> bytes:
    """The image of `size` bytes with `files` ({path with slashes: content}); raises Failure `firmware_too_big`."""
    volume = _open(size)
    volume.format()
    volume.mount()
    try:
        for path in sorted(files):
            folder = path.rpartition("/")[0]
            if folder:
                volume.makedirs(folder, exist_ok=True)
            with volume.open(path, "wb") as file:
                file.write(files[path])
    except (LittleFSError, OSError) as error:
        held = sum(len(data) for data in files.values())
        raise Failure("firmware_too_big", f"{held:,} bytes into {size:,}: {error}") from None
    finally:
        volume.unmount()
    return bytes(volume.context.buffer)


def read(image: bytes) -> dict[str, bytes]:
    """{path: content} of an image; raises ValueError when it is none."""
    volume = _open(len(image))
    volume.context.buffer = bytearray(image)
    try:
        volume.mount()
        found = {}
        for folder, _, names in volume.walk("/"):
            for name in names:
                path = f"{folder.rstrip('/')}/{name}".lstrip("/")
                with volume.open(path, "rb") as file:
                    found[path] = bytes(file.read())
    except (LittleFSError, OSError) as error:
        raise ValueError(f"no file system: {error}") from None
    return found


def used_bytes(files: Mapping[str, bytes]) -> int:
    """Bytes of flash that `files` take: whole sectors, a small file in its folder's, two sectors a folder."""
    folders = {path.rpartition("/")[0] for path in files} | {""}
    inline = 4 * _LINE
    sectors = sum(-(-len(data) // SECTOR) for data in files.values() if len(data) > inline)
    return (sectors + 2 * len(folders)) * SECTOR


def runs(image: bytes) -> list[tuple[int, bytes]]:
    """(offset, bytes) of what is not FF, in whole sectors: an erased partition needs no more. Gaps of less than 64 KiB
    are written along, because every piece costs a conversation with the chip."""
    found: list[tuple[int, int]] = []
    for at in range(0, len(image), SECTOR):
        if image[at : at + SECTOR] != b"\xff" * SECTOR:
            if found and at - found[-1][1] < 16 * SECTOR:
                found[-1] = (found[-1][0], at + SECTOR)
            else:
                found.append((at, at + SECTOR))
    return [(begin, image[begin:end]) for begin, end in found]
