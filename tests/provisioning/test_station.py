"""The station with the true esptool and the true prompt, the plug pulled in the loader: the next run finishes.

Every operation of the board is tried in test_procedure; here it is the protocols that break."""

from pathlib import Path

import pytest

from provisioning import chips, firmware_files, flasher, procedure
from provisioning.console import Console
from provisioning.errors import Failure
from provisioning.firmware_files import Firmware
from provisioning.station import Station, Tools
from tests.provisioning import bases, bench
from tests.provisioning.board import SimulatedBoard

SHA256 = "7bbc04812073fde44a4c524e91fdd1675e22d884f5cf22263f05da90cacae15c"
# Counted in what the loader is told, what is written and what is erased.
FAULTS = ["unplug:command=9", "unplug:sectors=300", "unplug:bytes=5000", "unplug:bytes=900000"]


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    folder = firmware_files.make(tmp_path_factory.mktemp("firmware"))
    return firmware_files.load(folder, chips.get("esp32"), with_romfs=False)


def test_pulled_in_the_loader_the_next_run_finishes_and_one_key_is_enrolled(firmware: Firmware, tmp_path: Path) -> None:
    desk = bench.Bench(tmp_path / "state")
    request = procedure.Request(bases.genuine(), SHA256, {}, bench.REST)
    with SimulatedBoard(tmp_path / "board") as board:
        tools = Tools(
            open_chip=lambda: flasher.open_chip(board.port),
            open_prompt=lambda: Console(board.port),
            journal=desk.journal,
            backend=desk.city,
            load_firmware=lambda chip, with_romfs: firmware,
            ask_plate=lambda mac: bench.PLATE,
            backup=lambda mac, document: "",
            label=lambda endpoint, asset_id, serial: "label.pdf",
        )
        for fault in FAULTS:
            board.fault(fault)
            with pytest.raises(Failure) as caught:
                Station(tools, desk.shown).run(procedure.provision(request))
            assert caught.value.code in ("unplugged", "no_sync"), (fault, caught.value)
            board.clear_faults()
            board.plug()
        done = Station(tools, desk.shown).run(procedure.provision(request))
    assert done.endpoint == "urn:dev:mac:240ac4fffe00beef"
    assert len(desk.city.taken) == 1
    desk.journal.check()
