"""docs/bench.md says what the bench's code says: keys of bench.toml, limits, pins; and its drawings can be read."""

import ast
import dataclasses
import re
import typing
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hil.bench_plan import Plan
from hil.doctor.findings import Kind
from hil.limits import LIMITS
from tests.test_docs import ROOT, shown, table

PAGE = "docs/bench.md"
DRAWINGS = sorted((ROOT / "docs/bench").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def wanted_keys() -> list[list[str]]:
    """A row for each key of each table that `hil.bench_plan` knows."""
    return keys_of(Plan, "")


def keys_of(kind: type, place: str) -> list[list[str]]:
    """The keys of one table, then those of the tables in it; `place` as it is written in bench.toml."""
    hints = typing.get_type_hints(kind)
    own, inner = [], []
    for field in dataclasses.fields(kind):
        default = "required" if field.default is dataclasses.MISSING else default_of(field.default)
        own.append([place, field.name, field.metadata["takes"].replace("`", ""), default])
        path = f"{place.strip('[]')}.{field.name}".strip(".")
        if "kinds" in field.metadata:
            for driver, chosen in field.metadata["kinds"].items():
                inner += keys_of(chosen, f'[{path}] driver = "{driver}"')
            continue
        hint = hints[field.name]
        found = [one for one in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(one)]
        for one in found:
            assert isinstance(one, type)
            is_list = typing.get_origin(hint) is tuple
            inner += keys_of(one, f"[[{path}]]" if is_list else f"[{path}]")
    return own + inner


def default_of(value: object) -> str:
    """No text and no list are as good as nothing; 0 and false are not."""
    return "-" if value in (None, "", ()) else shown(value)


def wanted_limits() -> list[list[str]]:
    """A row for each limit, in their order."""
    return [
        [
            limit.check,
            limit.quantity,
            f"{limit.statistic} {limit.sign} {limit.bound(False):g} {limit.unit}",
            "-" if limit.simulated is None else f"{limit.sign} {limit.simulated:g} {limit.unit}",
            str(limit.samples),
            limit.requirement,
        ]
        for limit in LIMITS
    ]


def pins_of(module: str) -> tuple[int, ...]:
    """PINS of a program that only MicroPython can import."""
    for node in ast.parse((ROOT / module).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PINS":
            return tuple(ast.literal_eval(node.value))
    raise AssertionError(f"{module} has no PINS")


def test_the_page_names_every_key_of_bench_toml_and_what_it_takes() -> None:
    assert table(PAGE, "Keys of bench.toml") == wanted_keys()


def test_the_page_names_every_limit_as_the_bench_judges_it() -> None:
    assert table(PAGE, "Limits") == wanted_limits()


def test_the_page_wires_every_channel_to_the_pin_that_the_probe_watches() -> None:
    pico, esp32 = pins_of("hil/probe/pio.py"), pins_of("hil/probe/esp32.py")
    wanted = [
        [str(channel), f"GP{pin}", str(esp32[channel]) if channel < len(esp32) else "-"]
        for channel, pin in enumerate(pico)
    ]
    assert table(PAGE, "Wiring") == wanted


def test_the_totals_of_the_parts_are_their_sums() -> None:
    *parts, total = table(PAGE, "Parts")
    for column in (1, 2):
        assert int(total[column]) == sum(int(row[column]) for row in parts if row[column] != "-")


def test_an_hour_is_enough_for_the_steps() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    minutes = [int(found) for found in re.findall(r"^\d+\. \*\*(\d+) min\.\*\*", text, re.M)]
    assert minutes
    assert sum(minutes) <= 60


def test_the_page_shows_every_drawing_and_no_other() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    shown_there = re.findall(r"!\[[^\]\n]+\]\((bench/[^)\s]+)\)", text)
    assert sorted(shown_there) == [f"bench/{drawing.name}" for drawing in DRAWINGS]
    assert shown_there


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.name)
def test_a_drawing_has_a_title_a_description_text_and_colours_for_dark_screens(drawing: Path) -> None:
    root = ET.parse(drawing).getroot()
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    assert root.findall(f".//{SVG}text")
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")


def test_the_page_says_what_the_doctor_says() -> None:
    assert table(PAGE, "What doctor says") == [[kind.title, kind.advice.replace("`", "")] for kind in Kind]
