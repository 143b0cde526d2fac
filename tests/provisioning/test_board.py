"""The simulated board, seen with the tools that the technician's command uses: esptool in a process of its own."""

import hashlib
import json
import subprocess
import sys

import pytest
from mpremote.transport_serial import SerialTransport

from provisioning import filesystem, nvs
from tests.provisioning import bases
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


MAIN = b"""
print("main runs")
import time
while True:
    time.sleep_ms(50)
"""


def filled(folder, files, entries=None, base=None):
    """A state folder whose flash holds a base image, a file system and NVS."""
    flash = bytearray(b"\xff" * (4 << 20))
    for at, data in (
        (0x1000, base or bases.made()),
        (0x9000, nvs.build(entries or {}, 0x6000)),
        (0x200000, filesystem.build(files, 0x200000)),
    ):
        flash[at : at + len(data)] = data
    folder.mkdir(exist_ok=True)
    (folder / "flash.bin").write_bytes(flash)
    return folder


@pytest.fixture
def booted(tmp_path):
    """A board whose main.py runs, and mpremote's own transport in its raw REPL."""
    state = filled(tmp_path / "board", {"main.py": MAIN, "lamp/plate.txt": b"40 W"}, {("streetlight", "sealed"): 7})
    with SimulatedBoard(state=state) as board:
        board.wait_for("running")
        repl = SerialTransport(board.port)
        repl.enter_raw_repl()
        yield board, repl
        repl.close()


def test_what_was_flashed_boots_and_answers_mpremote(booted):
    board, repl = booted
    assert repl.fs_readfile("/lamp/plate.txt") == b"40 W"
    assert repl.fs_hashfile("/main.py", "sha256") == hashlib.sha256(MAIN).digest()
    told = repl.exec("import sys, machine, time; print(sys.path, machine.unique_id().hex(), machine.reset_cause())")
    assert told.decode().strip() == "['', '.frozen', '/lib'] 240ac400beef 5"
    repl.fs_writefile("/new.txt", b"kept" * 3000)
    assert b"kept" * 500 in board.flash
    repl.enter_raw_repl()  # with a soft reset, after which everything is read from flash again
    assert repl.fs_hashfile("/new.txt", "sha256") == hashlib.sha256(b"kept" * 3000).digest()


def test_nvs_is_what_the_flash_holds_and_is_written_as_idf_writes_it(booted):
    board, repl = booted
    repl.exec("import esp32; n = esp32.NVS('streetlight'); n.set_blob('note', b'x' * 700); n.set_i32('sealed', -1)")
    assert nvs.parse(board.flash[0x9000:0xF000]) == {("streetlight", "note"): b"x" * 700, ("streetlight", "sealed"): -1}
    repl.exec("for i in range(900):\n n.set_i32('sealed', i)")  # more than all pages hold
    assert nvs.parse(board.flash[0x9000:0xF000])["streetlight", "sealed"] == 899
    assert repl.exec("b = bytearray(700); print(n.get_blob('note', b), b == b'x' * 700)").strip() == b"700 True"
