"""The firmware comes as files; what is no firmware, or too much of it, is refused."""

from pathlib import Path

import pytest

from provisioning import chips, firmware_files
from provisioning.errors import Failure

ESP32 = chips.get("esp32")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mpy/firmware").mkdir(parents=True)
    (tmp_path / "main.py").write_bytes(b"print()\n")
    (tmp_path / "streetlight.romfs").write_bytes(b"\xd2\xcd\x31rom")
    (tmp_path / "mpy/firmware/app.mpy").write_bytes(b"M\x06\x00\x1f" + bytes(1000))
    return tmp_path


def test_a_base_with_romfs_gets_the_image_and_one_without_the_tree(folder: Path) -> None:
    tree = firmware_files.load(folder, ESP32, with_romfs=False, wiring=b"{}")
    assert sorted(tree.files) == ["firmware/app.mpy", "lamp/board.json", "main.py"]
    assert (tree.rom, tree.mpy_version) == (None, 6)
    rom = firmware_files.load(folder, ESP32, with_romfs=True)
    assert sorted(rom.files) == ["main.py"]
    assert rom.rom == b"\xd2\xcd\x31rom"


def refusal(folder: Path) -> str:
    with pytest.raises(Failure) as caught:
        firmware_files.load(folder, ESP32, with_romfs=False)
    return caught.value.code


def test_what_is_no_firmware_or_too_much_is_refused(folder: Path) -> None:
    (folder / "mpy/firmware/app.mpy").write_bytes(b"M\x06" + bytes(600_000))
    assert refusal(folder) == "firmware_too_big"
    (folder / "mpy/firmware/app.mpy").write_bytes(b"import os")
    assert refusal(folder) == "tool_missing"
    (folder / "mpy/firmware/app.mpy").write_bytes(b"M\x06")
    (folder / "mpy/other.mpy").write_bytes(b"M\x05")
    assert refusal(folder) == "tool_missing"
    (folder / "main.py").unlink()
    assert refusal(folder) == "folder_denied"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure) as caught:
        firmware_files.make(tmp_path / "file" / "firmware")
    assert caught.value.code == "folder_denied"
