"""docs/wire.md is what the contract says, or the build is red."""

import runpy
from pathlib import Path

from contract import faults, limits, objects, wire

PAGE = Path(__file__).parents[2] / "docs" / "wire.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == wire.page(), "run `make docs` and commit docs/wire.md"


def test_the_module_prints_the_page(capsys):
    runpy.run_path(wire.__file__, run_name="__main__")
    assert capsys.readouterr().out == wire.page()


def test_everything_is_on_the_page():
    page = wire.page()
    for item in objects.ALL:
        assert f"### {item.id} {item.name}\n" in page
        for resource in item.resources:
            assert f"\n| {resource.id} | {resource.name} | {resource.operations} |" in page
    for fault in faults.ALL:
        assert f"| {fault.code} | {fault.name} |" in page


def test_every_limit_has_its_reason():
    page = wire.page()
    for name in (name for name in vars(limits) if name.isupper()):
        row = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
        assert len(row.split("|")[3].strip()) > 12, f"{name} in contract/limits.py needs its reason on its line"
