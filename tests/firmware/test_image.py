"""What goes into the pole is one image, always the same, within its budgets of flash and heap."""

from pathlib import Path

import pytest

from firmware import image as rom
from tests.bench import image


def test_the_image_is_the_same_byte_for_byte_and_stays_in_its_budget(tmp_path: Path) -> None:
    first, second = rom.build(tmp_path / "first"), rom.build(tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size <= image.FLASH_BUDGET_BYTES


def test_an_image_that_is_up_to_date_is_not_made_again(tmp_path: Path) -> None:
    made = rom.build(tmp_path, simulated=True)
    before = made.stat().st_mtime_ns
    assert rom.build(tmp_path, simulated=True).stat().st_mtime_ns == before
    made.write_bytes(b"rotten")
    assert rom.build(tmp_path, simulated=True).stat().st_size > 1000


def test_a_lamp_boots_from_its_image_in_the_heap_of_the_chip(tmp_path: Path) -> None:
    lived, log = image.run_lamp(rom.build(tmp_path, simulated=True), image.HEAP_BUDGET_KB, 5)
    assert lived, log
    assert "light level=100 rung=failsafe" in log


def test_the_boards_of_hosts_stay_on_hosts_and_those_of_chips_on_chips() -> None:
    chip = {path.as_posix() for path in rom.sources()}
    host = {path.as_posix() for path in rom.sources(simulated=True)}
    assert {"firmware/hal/esp32.py", "firmware/hal/udp.py"} <= chip
    assert not chip & {"firmware/hal/posix.py", "firmware/hal/simulated.py", "firmware/image.py", "contract/talq.py"}
    assert "firmware/hal/simulated.py" in host
    assert not host & {"firmware/hal/esp32.py", "firmware/image.py", "contract/wire.py"}


def test_a_file_that_does_not_compile_is_named(tmp_path: Path) -> None:
    with pytest.raises(rom.ImageError, match=r"(?s)broken: .*SyntaxError"):
        rom.compile_text("broken", "def (:\n", tmp_path / "broken.mpy")


def test_sizes_are_summed_by_package() -> None:
    rows = image.sizes([(Path("firmware/coap/a.py"), 10), (Path("firmware/coap/b.py"), 5), (Path("contract/c.py"), 1)])
    assert rows == {"contract": (1, 1), "firmware.coap": (2, 15)}
    assert image.package(Path("firmware/lwm2m/objects/device.py")) == "firmware.lwm2m"
    assert image.table(rows).splitlines()[2].split() == ["firmware.coap", "2", "15"]


@pytest.mark.parametrize("least", [8, 9, 12, 40, 63, 64])
def test_the_smallest_heap_is_found_to_a_step(least: int) -> None:
    found = image.smallest(lambda size: size >= least, 8, 64, 4)
    assert found is not None
    assert least <= found <= least + 4


def test_a_lamp_that_fits_nowhere_is_told() -> None:
    assert image.smallest(lambda size: False, 8, 64, 4) is None


def test_the_peak_is_the_highest_that_the_lamp_logged() -> None:
    assert image.peak_bytes("1 up heap_used_bytes=900 x=1\n2 up heap_used_bytes=1200\n3 heap_used_bytes=5") == 1200
    assert image.peak_bytes("nothing of the kind") is None
