"""The file system is made here, the same byte for byte each time, and MicroPython reads it."""

import os
from pathlib import Path

import pytest

from provisioning import filesystem
from provisioning.errors import Failure
from tests.firmware.hal import vm

SIZE = 2 * 1024 * 1024
FILES = {"main.py": b"print('lamp')\n", "firmware/app.mpy": os.urandom(9000), "firmware/hal/esp32.mpy": b"x" * 5000}


def test_the_same_files_give_the_same_bytes_in_any_order() -> None:
    first = filesystem.build(FILES, SIZE)
    assert first == filesystem.build(dict(reversed(FILES.items())), SIZE)
    assert len(first) == SIZE
    assert filesystem.read(first) == FILES


def test_the_disk_version_is_the_one_that_every_micropython_mounts() -> None:
    image = filesystem.build(FILES, SIZE)
    at = image.index(b"littlefs") + 8
    assert image[at + 4 : at + 8] == b"\x00\x00\x02\x00"


def test_micropython_reads_what_was_built(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(filesystem.build(FILES, SIZE))
    told = vm.run(
        """
import hashlib, vfs
from binascii import hexlify
class Disk:
    def __init__(self):
        self.data = bytearray(open("image", "rb").read())
    def readblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        buffer[:] = memoryview(self.data)[at:at + len(buffer)]
    def writeblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        self.data[at:at + len(buffer)] = buffer
    def ioctl(self, op, argument):
        return {4: len(self.data) // 4096, 5: 4096}.get(op, 0)
vfs.mount(vfs.VfsLfs2(Disk()), "/flash")
for name in NAMES:
    with open("/flash/" + name, "rb") as file:
        tell(hexlify(file.read()).decode())
vfs.umount("/flash")
""".replace("NAMES", repr(list(FILES))),
        tmp_path,
        heap="4096wK",
    )
    assert [bytes.fromhex(str(line)) for line in told] == list(FILES.values())


def test_files_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Failure) as caught:
        filesystem.build({"big": bytes(300_000)}, 64 * 4096)
    assert caught.value.code == "firmware_too_big"


@pytest.mark.parametrize("data", [b"\xff" * SIZE, bytes(SIZE)])
def test_what_is_no_file_system_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match="no file system"):
        filesystem.read(data)


def test_the_room_that_files_take_is_known_before() -> None:
    assert filesystem.used_bytes({"a": b"x" * 4097, "b/c": b"y"}) == (2 + 4) * 4096


def test_what_is_written_of_an_image_is_all_that_is_not_erased_flash() -> None:
    image = filesystem.build(FILES, SIZE)
    flash = bytearray(b"\xff" * SIZE)
    pieces = filesystem.runs(image)
    for at, data in pieces:
        flash[at : at + len(data)] = data
    assert flash == image
    assert sum(len(data) for _, data in pieces) < SIZE // 4
