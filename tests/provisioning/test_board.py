"""The simulated board, seen with the tools that the technician's command uses: esptool in a process of its own."""

import json
import subprocess
import sys

import pytest

from tests.provisioning.board import SimulatedBoard
from tests.provisioning.board.handle import environment
from tests.provisioning.board.nor import Nor, PowerLost

# What a child does with esptool, and prints as one line of JSON after everything that esptool prints.
PRELUDE = """
import hashlib, json, os, sys
from esptool import cmds
from esptool.util import FatalError
port = sys.argv[1]
said = {}
def connect(stub=True, **options):
    esp = cmds.detect_chip(port, 115200, connect_attempts=options.pop("attempts", 2))
    if stub:
        esp = cmds.run_stub(esp)
    cmds.attach_flash(esp)
    return esp
"""


def esptool(board, script):
    """Run `script` beside the prelude in a child; what it put into `said`, or its last line of trouble in "error"."""
    code = PRELUDE + script + "\nprint('\\n' + json.dumps(said))\n"
    child = subprocess.run(
        [sys.executable, "-P", "-c", code, board.port], capture_output=True, text=True, timeout=60, env=environment()
    )
    if child.returncode:
        return {"error": child.stderr.strip().splitlines()[-1]}
    return json.loads(child.stdout.splitlines()[-1])


CHIPS = {
    "esp32": ("ESP32", "ESP32-D0WD-V3 (revision v3.1)"),
    "esp32s3": ("ESP32-S3", "ESP32-S3 (QFN56) (revision v0.2)"),
    "esp32c3": ("ESP32-C3", "ESP32-C3 (QFN32) (revision v0.4)"),
}


@pytest.mark.parametrize("chip", CHIPS)
def test_the_real_esptool_finds_and_fills_each_chip_with_its_stub(chip):
    with SimulatedBoard(chip=chip, mac="24:0a:c4:12:34:56") as board:
        said = esptool(
            board,
            """
with connect() as esp:
    said["name"], said["description"] = esp.CHIP_NAME, esp.get_chip_description()
    said["mac"] = bytes(esp.read_mac("BASE_MAC")).hex(":")
    said["size"], said["crystal"] = cmds.detect_flash_size(esp), esp.get_crystal_freq()
    esp.change_baud(921600)
    data = bytes(range(256)) * 200 + os.urandom(3000)
    cmds.write_flash(esp, [(0x10000, data), (0x40000, b"raw" * 100)], no_progress=True)
    cmds.write_flash(esp, [(0x50000, b"loose" * 4000)], no_compress=True, no_progress=True)
    cmds.verify_flash(esp, [(0x10000, data)])
    said["same"] = esp.read_flash(0x10000, len(data)) == data
    said["whole"] = hashlib.md5(esp.read_flash(0x10000, 0x48000)).hexdigest()
    cmds.erase_region(esp, 0x50000, 0x1000)
    cmds.reset_chip(esp, "hard-reset")
""",
        )
        assert (said["name"], said["description"]) == CHIPS[chip]
        assert (said["mac"], said["size"], said["crystal"]) == ("24:0a:c4:12:34:56", "4MB", 40)
        assert said["same"]
        assert board.flash[0x40000:0x4012C] == b"raw" * 100
        assert board.flash[0x50000:0x51000] == b"\xff" * 0x1000  # erased again
        assert board.flash[0x51000:0x51010] != b"\xff" * 16
        board.wait_for("reset", into="program", since=board.events.index(board.wait_for("command")))


@pytest.mark.parametrize("chip", CHIPS)
def test_the_rom_itself_does_what_the_stub_does(chip):
    with SimulatedBoard(chip=chip) as board:
        said = esptool(
            board,
            """
with connect(stub=False) as esp:
    data = os.urandom(5000)
    cmds.write_flash(esp, [(0x300000, data)], no_progress=True)
    cmds.write_flash(esp, [(0x310000, data)], no_compress=True, no_progress=True)
    said["same"] = esp.read_flash(0x300000, 5000) == data
    cmds.erase_region(esp, 0x310000, 0x1000)
    said["data"] = data.hex()
""",
        )
        assert said["same"]
        assert board.flash[0x301000:0x301388].hex() == said["data"][0x2000:]
        assert board.flash[0x310000:0x311000] == b"\xff" * 0x1000


def test_writing_clears_bits_and_only_erasing_sets_them(tmp_path):
    nor = Nor(tmp_path / "flash", 1 << 20)
    nor.program(0x1000, b"\xf0\x0f")
    nor.program(0x1000, b"\xcc\xcc")
    assert nor.read(0x0FFF, 4) == b"\xff\xc0\x0c\xff"
    nor.erase(0x1004, 1)
    assert nor.read(0x1000, 2) == b"\xff\xff"


def test_what_was_being_written_or_erased_when_the_power_went_is_torn(tmp_path):
    nor = Nor(tmp_path / "flash", 1 << 20)
    nor.bytes_left = 10
    with pytest.raises(PowerLost):
        nor.program(0, bytes(100))
    assert nor.read(0, 10) == bytes(10)
    assert nor.read(11, 89) == b"\xff" * 89
    nor.program(0, bytes(4096 * 2))
    nor.sectors_left = 1
    with pytest.raises(PowerLost):
        nor.erase(0, 4096 * 2)
    assert nor.read(0, 4096) == b"\xff" * 4096
    assert nor.read(4096, 4096) not in (bytes(4096), b"\xff" * 4096)
    again = Nor(tmp_path / "flash", 1 << 20)
    assert again.read(0, 8192) == nor.read(0, 8192)  # the file is the flash
