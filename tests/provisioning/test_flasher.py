"""The adapter over esptool, against a simulated chip on a pseudo-terminal: what it finds, writes, and how it fails."""

import hashlib
import os
from pathlib import Path

import pytest

from provisioning import base_image, chips, flasher
from provisioning.base_image import Segment
from provisioning.errors import Failure
from tests.provisioning import bases
from tests.provisioning.board import SimulatedBoard


def failure(port: str) -> Failure:
    with pytest.raises(Failure) as caught:
        flasher.open_chip(port).close()
    return caught.value


@pytest.mark.parametrize("name", ["esp32", "esp32s3", "esp32c3"])
def test_each_chip_is_found_written_and_read_back_with_progress(name: str) -> None:
    chip = chips.get(name)
    data = os.urandom(50_000)
    seen: list[tuple[int, int]] = []
    with SimulatedBoard(chip=name, mac="24:0a:c4:12:34:56") as board:
        opened = flasher.open_chip(board.port)
        assert opened.found == chips.Found(chip, bytes.fromhex("240ac4123456"), 4 * chips.MIB)
        parts = base_image.split(bases.made(chip.image_id, chip.bootloader_offset), chip).segments
        opened.write([*parts, Segment("files", 0x200000, data)], lambda done, total: seen.append((done, total)))
        assert opened.md5(0x200000, len(data)) == hashlib.md5(data).hexdigest()
        assert opened.read(0x200000, len(data)) == data
        opened.erase(0x200000, 0x1000)
        assert opened.read(0x200000, 0x1000) == b"\xff" * 0x1000
        opened.reset()
        for part in parts:
            assert board.flash[part.address : part.end] == part.data
    total = len(data) + sum(len(part.data) for part in parts)
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    assert failure(str(tmp_path / "tty")).code == "no_board"


def test_a_chip_that_does_not_answer() -> None:
    with SimulatedBoard(faults=["no_sync"]) as board:
        assert failure(board.port).code == "no_sync"


def test_a_chip_that_is_locked() -> None:
    with SimulatedBoard() as board:
        board.burn("flash_encryption")
        opened = flasher.open_chip(board.port)
        opened.close()
        assert opened.found.locks == ("flash encryption",)


@pytest.mark.parametrize("fault", ["unplug:bytes=20000", "unplug:command=8", "unplug:sectors=3"])
def test_the_plug_pulled_while_it_writes(fault: str) -> None:
    with SimulatedBoard() as board:
        opened = flasher.open_chip(board.port)
        board.fault(fault)
        with pytest.raises(Failure) as caught:
            opened.write([Segment("files", 0x200000, os.urandom(200_000))])
        assert caught.value.code == "unplugged", caught.value
        opened.close()
