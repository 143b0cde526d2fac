"""A lamp is looked at without being changed, and made nobody's again."""

import hashlib
from pathlib import Path

import pytest

from provisioning import upkeep
from provisioning.errors import Failure
from provisioning.upkeep import Checkup
from tests.provisioning import bases
from tests.provisioning.bench import MAC, Bench

ENDPOINT = "urn:dev:mac:240ac4fffe00beef"
WHOLE = Checkup(bases.made(), None, True)


@pytest.fixture
def lamp(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.run()
    return bench


def test_a_good_lamp_is_good_and_unchanged(lamp: Bench) -> None:
    before = bytes(lamp.board.flash)
    good = lamp.run(upkeep.verify(WHOLE))
    assert good.endpoint == ENDPOINT
    names = [one.name for one in good.findings]
    assert names[:4] == ["bootloader", "partition table", "factory", "files"]
    assert names[-1] == "backend"
    assert bytes(lamp.board.flash) == before
    assert lamp.board.restarts == 2


def test_a_blank_board_and_one_that_was_not_finished_are_no_lamps(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.fails(upkeep.verify(Checkup())).code == "not_provisioned"
    bench.city.refuses = Failure("backend_down", "")
    bench.fails()
    failure = bench.fails(upkeep.verify(Checkup()))
    assert failure.code == "not_provisioned"
    assert "did not end" in failure.detail


def test_other_firmware_is_named(lamp: Bench) -> None:
    held = lamp.board.hash_files

    def other(paths: tuple[str, ...]) -> dict[str, str]:
        return {**held(paths), "firmware/app.mpy": "00"}

    lamp.board.hash_files = other  # type: ignore[method-assign]
    failure = lamp.fails(upkeep.verify(Checkup()))
    assert failure.code == "firmware_mismatch"
    assert "firmware/app.mpy" in failure.detail


def test_a_base_that_rotted_is_named(lamp: Bench) -> None:
    lamp.board.flash[0x10040] ^= 1
    failure = lamp.fails(upkeep.verify(WHOLE))
    assert (failure.code, "factory" in failure.detail) == ("firmware_mismatch", True)
    lamp.run(upkeep.verify(Checkup()))


def test_a_board_that_fails_its_test_and_one_that_lacks_memory(lamp: Bench) -> None:
    lamp.board.tells = {"air": [], "flash": [-1, 0]}
    failure = lamp.fails(upkeep.verify(Checkup()))
    assert failure.code == "self_test_failed"
    assert "air" in failure.detail
    assert "flash" in failure.detail
    lamp.board.tells = {"free": 1000}
    assert lamp.fails(upkeep.verify(Checkup())).code == "memory_low"


def test_a_lamp_that_the_backend_does_not_know(lamp: Bench) -> None:
    lamp.city.keys.clear()
    failure = lamp.fails(upkeep.verify(WHOLE))
    assert (failure.code, "backend" in failure.detail) == ("not_provisioned", True)


def test_a_chip_with_another_boards_identity(lamp: Bench) -> None:
    lamp.board.found = type(lamp.board.found)(lamp.board.found.chip, MAC[:5] + b"\0", lamp.board.found.flash_bytes)
    assert lamp.fails(upkeep.verify(Checkup())).code == "not_provisioned"


def test_wiping_leaves_no_identity_no_files_and_a_line_in_the_journal(lamp: Bench) -> None:
    held = lamp.board.identity()
    assert held is not None
    wiped = lamp.run(upkeep.wipe())
    assert (wiped.endpoint, wiped.was_sealed) == (ENDPOINT, True)
    assert lamp.board.entries() == {}
    assert held.secret.hex().encode() not in lamp.board.flash
    assert hashlib.md5(lamp.board.flash[0x200000:]).digest() == hashlib.md5(b"\xff" * 0x200000).digest()
    known = lamp.journal.board("24:0a:c4:00:be:ef")
    assert known is not None
    assert known.event == "wiped"
    lamp.city.keys.clear()
    assert lamp.run().result == "enrolled"  # and it becomes a lamp again without a word


def test_wiping_a_blank_board_does_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    before = bytes(bench.board.flash)
    assert bench.run(upkeep.wipe()).endpoint == ""
    assert bytes(bench.board.flash) == before


def test_pulled_at_every_operation_of_a_wipe_the_next_one_finishes(tmp_path: Path) -> None:
    for cut in range(7):
        bench = Bench(tmp_path / str(cut))
        bench.run()
        bench.board.cable.plug()
        bench.board.cable.cut_after = cut
        try:
            bench.run(upkeep.wipe())
        except Failure as failure:
            assert failure.code == "unplugged"
        bench.board.cable.plug()
        bench.run(upkeep.wipe())
        assert bench.board.entries() == {}
