"""Every file of the pole compiles for it, and the whole stays in its budget."""

from pathlib import Path

import pytest

from tests.bench import image


def test_every_file_of_contract_and_firmware_compiles_and_the_image_stays_in_its_budget(tmp_path: Path) -> None:
    compiled = [(source, image.compile_file(source, tmp_path).stat().st_size) for source in image.sources()]
    for source in image.sources(on_chip=False):
        image.compile_file(source, tmp_path)
    print(image.table(image.sizes(compiled), image.FLASH_BUDGET_BYTES))
    assert sum(size for _, size in compiled) <= image.FLASH_BUDGET_BYTES


def test_the_boards_of_hosts_stay_on_hosts() -> None:
    names = {path.as_posix() for path in image.sources()}
    assert "firmware/hal/esp32.py" in names
    assert "firmware/hal/udp.py" in names
    assert not names & {"firmware/hal/posix.py", "firmware/hal/simulated.py", "firmware/hal/simulated_lamp.py"}
    assert not names & {path.as_posix() for path in image.sources(on_chip=False)}


def test_a_file_that_does_not_compile_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text("def (:\n")
    monkeypatch.setattr(image, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"(?s)broken\.py: .*SyntaxError"):
        image.compile_file(Path("broken.py"), tmp_path)


def test_sizes_are_summed_by_package() -> None:
    rows = image.sizes([(Path("firmware/coap/a.py"), 10), (Path("firmware/coap/b.py"), 5), (Path("contract/c.py"), 1)])
    assert rows == {"contract": (1, 1), "firmware.coap": (2, 15)}
    assert image.package(Path("firmware/lwm2m/objects/device.py")) == "firmware.lwm2m"
    text = image.table(rows, 100, {"firmware.coap": 7000})
    assert "16 % of the budget of 100 bytes" in text
    assert text.splitlines()[2].split() == ["firmware.coap", "2", "15", "7,000"]


@pytest.mark.parametrize("least", [8, 9, 12, 40, 63, 64])
def test_the_smallest_heap_is_found_to_a_step(least: int) -> None:
    found = image.smallest(lambda size: size >= least, 8, 64, 4)
    assert found is not None
    assert least <= found <= least + 4


def test_the_heap_of_a_package_is_what_its_import_leaves_in_use(tmp_path: Path) -> None:
    image.compile_file(Path("contract/__init__.py"), tmp_path)
    image.compile_file(Path("contract/paths.py"), tmp_path)
    heap = image.heap_by_package(tmp_path, [Path("contract/__init__.py"), Path("contract/paths.py")])
    assert 500 < heap["contract"] < 20000
    with pytest.raises(ValueError, match="does not import"):
        image.heap_by_package(tmp_path, [Path("contract/nowhere.py")])


def test_a_lamp_that_fits_nowhere_is_told() -> None:
    assert image.smallest(lambda size: False, 8, 64, 4) is None


def test_the_peak_is_the_highest_that_the_lamp_logged() -> None:
    assert image.peak_bytes("1 up heap_used_bytes=900 x=1\n2 up heap_used_bytes=1200\n3 heap_used_bytes=5") == 1200
    assert image.peak_bytes("nothing of the kind") is None
