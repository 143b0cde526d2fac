"""What goes wrong with a simulated board goes wrong as it does on a bench, and leaves its flash as torn as that."""

import json
import os
import random
from pathlib import Path

import pytest

from tests.provisioning.board import SimulatedBoard, faults
from tests.provisioning.test_board import esptool

WRITE = """
import random
data = random.Random(5).randbytes(100000)
with connect(attempts=1) as esp:
    esp.WRITE_FLASH_ATTEMPTS = 1  # else it waits seven seconds for a port that went away
    cmds.write_flash(esp, [(0x100000, data)], no_progress=True)
    said["done"] = True
"""


def data():
    return random.Random(5).randbytes(100000)


def test_a_cable_that_is_pulled_while_bytes_are_written_leaves_exactly_those():
    with SimulatedBoard(faults=["unplug:bytes=20000"]) as board:
        assert "error" in esptool(board, WRITE)
        assert not os.path.lexists(board.port)
        board.wait_for("power_lost")
        assert board.flash[0x100000:0x104E20] == data()[:20000]
        assert board.flash[0x104E21:0x110000] == b"\xff" * 0xB1DF
        board.plug()
        assert esptool(board, WRITE) == {"done": True}
        assert board.flash[0x100000 : 0x100000 + 100000] == data()


@pytest.mark.parametrize("command", [1, 4, 12, 40])
def test_the_cable_may_be_pulled_at_any_command_and_come_back_at_once(command):
    with SimulatedBoard(faults=[f"unplug:command={command},back=1"]) as board:
        assert "error" in esptool(board, WRITE)
        board.wait_for("fault", name="unplug")
        assert Path(board.port).exists()


def test_a_brown_out_restarts_the_chip_and_not_the_cable():
    with SimulatedBoard(faults=["brownout:bytes=5000"]) as board:
        assert "error" in esptool(board, WRITE)
        board.wait_for("reset", cause="RTCWDT_BROWN_OUT_RESET")
        assert Path(board.port).exists()
        assert board.flash[0x100000:0x101388] == data()[:5000]


def test_without_the_boot_pin_the_chip_never_syncs():
    with SimulatedBoard(faults=["no_sync"]) as board:
        assert "error" in esptool(board, WRITE)
        assert not [event for event in board.events if event["event"] == "command"]
        board.clear_faults()
        assert esptool(board, WRITE) == {"done": True}


def test_a_damaged_block_is_refused_and_sent_again():
    with SimulatedBoard(faults=["corrupt:every=40000,to=chip,times=1"], seed=6) as board:
        assert esptool(board, WRITE) == {"done": True}
        blocks = [event for event in board.events if event.get("code") == 0x03]
        assert len(blocks) == 8  # seven of 16 KB, and one of them twice
        assert board.flash[0x100000 : 0x100000 + 100000] == data()


def test_a_flash_that_claims_more_than_it_has_wraps_round():
    with SimulatedBoard(flash_mb=2, faults=["claims:mb=4"]) as board:
        said = esptool(
            board,
            """
with connect() as esp:
    said["size"] = cmds.detect_flash_size(esp)
    cmds.write_flash(esp, [(0x200000, b"beyond" * 2000)], no_progress=True)
""",
        )
        assert said == {"size": "4MB"}
        assert board.flash[:6] == b"beyond"


def test_a_flash_that_does_not_answer_takes_nothing():
    with SimulatedBoard(faults=["no_flash"]) as board:
        assert "error" in esptool(board, WRITE)
        assert board.flash == b"\xff" * len(board.flash)


@pytest.mark.parametrize("chip", ["esp32", "esp32c3"])
def test_burnt_fuses_show_on_the_line_and_in_espefuses_file(chip):
    with SimulatedBoard(chip=chip) as board:
        board.burn("secure_boot")
        board.burn("flash_encryption")
        said = esptool(
            board,
            """
with cmds.detect_chip(port) as esp:
    said["boot"], said["encrypted"] = bool(esp.get_secure_boot_enabled()), esp.get_flash_encryption_enabled()
    if esp.SECURITY_INFO_SUPPORTED:
        said["flags"] = esp.get_security_info()["parsed_flags"]["SECURE_BOOT_EN"]
import espefuse
virtual = espefuse.init_commands(chip=esp.CHIP_NAME.lower().replace("-", ""), virt=True,
                                 virt_efuse_file=FILE, do_not_confirm=True)
fields = {e.name: e.get() for e in virtual.efuses}
said["mac"] = str(fields["MAC"])[:17]
said["fuse"] = bool(fields.get("ABS_DONE_1", fields.get("SECURE_BOOT_EN")))
""".replace("FILE", json.dumps(str(board.efuse_file))),
        )
        assert said.pop("flags", True)
        assert said == {"boot": True, "encrypted": True, "mac": "24:0a:c4:00:be:ef", "fuse": True}


def test_a_chip_whose_loader_is_burnt_away_does_not_listen():
    with SimulatedBoard() as board:
        board.burn("no_download")
        assert "error" in esptool(board, WRITE)
        assert not [event for event in board.events if event.get("into") == "loader"]


@pytest.mark.parametrize("text", ["fire", "slow:s=3", "unplug:command=soon"])
def test_a_fault_that_there_is_not_is_refused(text):
    with pytest.raises(ValueError):
        faults.parse(text)
