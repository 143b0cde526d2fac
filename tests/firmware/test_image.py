"""What goes into the pole is one image, always the same, within its budgets of flash and heap."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firmware import image as rom
from tests.bench import heap, image


def test_the_image_is_the_same_byte_for_byte_and_stays_in_its_budget(tmp_path: Path) -> None:
    makers = [
        subprocess.Popen(
            [sys.executable, "-m", "firmware.image", str(tmp_path / seed)],
            cwd=image.ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    first, second = (Path(maker.communicate()[0].strip()).read_bytes() for maker in makers)
    assert first == second
    assert len(first) <= image.FLASH_BUDGET_BYTES


def test_the_files_for_a_chip_are_the_same_byte_for_byte_and_say_what_they_are(tmp_path: Path) -> None:
    trees = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "firmware.image", str(tmp_path / seed), "--files"],
            cwd=image.ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == str(tmp_path / seed)
        found = sorted(path for path in (tmp_path / seed).rglob("*") if path.is_file())
        trees.append({path.relative_to(tmp_path / seed).as_posix(): path.read_bytes() for path in found})
    assert trees[0] == trees[1]
    assert {"main.py", "streetlight.romfs", "mpy/firmware/app.mpy", "mpy/firmware/hal/esp32_start.mpy"} <= set(trees[0])
    (tmp_path / "1" / "streetlight.romfs").unlink()
    (tmp_path / "1" / "mpy" / "old.mpy").write_bytes(b"M")
    rom.build_files(tmp_path / "1")
    assert not (tmp_path / "1" / "mpy" / "old.mpy").exists()


def test_the_firmware_stays_in_the_budget_of_every_chip(tmp_path: Path) -> None:
    table = image.chip_table(rom.build_files(tmp_path)).splitlines()
    assert [row.split()[0] for row in table[1:]] == ["esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6"]


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


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image with the load of `make image` in it."""
    return heap.build(tmp_path_factory.mktemp("loaded"))


def test_eight_programs_are_written_over_and_over_in_the_heap_of_the_chip(loaded: Path) -> None:
    stages, wrong = heap.measure(loaded, image.HEAP_BUDGET_KB)
    assert not wrong
    assert max(stages.values()) <= image.AT_REST * image.HEAP_BUDGET_KB * 2048


def test_a_heap_that_is_too_small_is_told(loaded: Path) -> None:
    stages, wrong = heap.measure(loaded, 64)
    assert "after" not in stages
    assert "MemoryError" in wrong


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
