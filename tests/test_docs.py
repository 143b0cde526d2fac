"""The documents say what is so: links lead somewhere, files, tests, targets and commands that they name exist.

Tables that repeat the code (settings, faults, objects, conditions of the simulation) are compared with it.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from backend.settings import Settings
from contract import faults, objects
from firmware import settings_rules as lamp_settings
from firmware.hal import simulated_conditions
from streetlight import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PRODUCTS = ("contract", "firmware", "backend", "provisioning", "hil")
LONGEST_LINE = 140

FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.M | re.S)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
# In two pieces each, so that this file does not hold what it looks for.
FORBIDDEN = ("/wo" + "rk/", "/ro" + "ot/", "pypi.org" + "/simple", "files.python" + "hosted")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pages() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        yield page, page.read_text(encoding="utf-8")


def code_of(text: str) -> list[str]:
    """What stands in code: the lines of fenced blocks, and every inline span."""
    lines = [line for block in FENCE.finditer(text) for line in block[0].splitlines()[1:-1]]
    return lines + INLINE.findall(FENCE.sub("", text))


@cache
def tracked() -> tuple[str, ...]:
    """Files of the repository; in an unpacked archive, all that is no build product."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return tuple(path for path in listed.split("\0") if path and (ROOT / path).is_file())
    made = {".venv", "build", "dist", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis"}
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return tuple(name(path) for path in found if not made & set(path.relative_to(ROOT).parts))


def tops() -> set[str]:
    return {path.split("/")[0] for path in tracked()}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{name(page)} links to {target}"
        if heading:
            assert heading in headings(found), f"{name(page)} links to {target}: there is no such heading"


def headings(page: Path) -> set[str]:
    """Anchors as hosting sites make them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            if not re.match(r"[a-z]+:|#", target):
                found = (page.parent / target.partition("#")[0]).resolve()
                waiting += found.glob("*.md") if found.is_dir() else [found]
    assert [name(page) for page in PAGES if page not in reached] == []


def test_every_file_that_is_named_exists() -> None:
    for page, text in pages():
        for span in INLINE.findall(FENCE.sub("", text)):
            # A command's words are looked at one by one; `tests/x.py::test_y` is another test's business.
            for word in span.split():
                path = word.partition("::")[0].rstrip("/,;:")
                if "/" not in path or not re.fullmatch(r"[\w.*/-]+", path):
                    continue
                if path.split("/")[0] in tops() and path.split("/")[0] != "build":
                    found = any(ROOT.glob(path)) or any(ROOT.glob(path + ".py"))
                    assert found, f"{name(page)} names {path}"


def test_every_module_that_is_named_exists() -> None:
    pattern = re.compile(rf"\b(?:{'|'.join(PRODUCTS)})(?:\.\w+)+")
    for page, text in pages():
        for span in INLINE.findall(FENCE.sub("", text)):
            for dotted in pattern.findall(span):
                assert exists(dotted), f"{name(page)} names {dotted}"


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name that stands in the last module on the way."""
    parts = dotted.split(".")
    place = ROOT / parts.pop(0)
    while parts and place.is_dir():
        inner = place / parts[0]
        if inner.is_dir():
            place = inner
        elif inner.with_suffix(".py").is_file():
            place = inner.with_suffix(".py")
        else:
            place = place / "__init__.py"
            break
        parts.pop(0)
    return not parts or all(re.search(rf"\b{part}\b", place.read_text(encoding="utf-8")) for part in parts)


def test_every_test_that_is_named_exists() -> None:
    for page, text in pages():
        for path, test in re.findall(r"(tests/[\w/]+\.py)::(?:\w+::)?(test_\w+)", text):
            assert (ROOT / path).is_file(), f"{name(page)} names {path}"
            assert test in names_in(path), f"{name(page)} names {path}::{test}"


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for page, text in pages():
        for code in code_of(text):
            for target in re.findall(r"(?:^|[\s;&])make ([a-z][a-z-]*)", code):
                assert target in targets, f"{name(page)} says make {target}"


def test_every_command_and_option_that_is_named_exists() -> None:
    group = typer.main.get_command(app)
    for page, text in pages():
        for code in code_of(text):
            for words in re.findall(r"(?:^|\bbin/|[\s(])streetlight +([a-z-][^|&;)]*)", code):
                complaint = misspelt(group, words.split())
                assert complaint is None, f"{name(page)}: streetlight {words}: {complaint}"


def misspelt(command: Any, words: list[str]) -> str | None:
    """What is wrong with the words after `streetlight`, or None."""
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        found = command.commands.get(words[0])
        if found is None:
            return f"there is no command {words[0]}"
        command = found
        words = words[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    return f"there is no option {unknown[0]}" if unknown else None


def test_the_map_of_the_tree_lists_every_top_level_entry() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## The tree\n+```\n(.*?)^```", readme, re.M | re.S)
    assert block is not None
    listed = {word.rstrip("/") for line in block[1].splitlines() if (word := line.split(" ")[0])}
    listed = {entry.split("/")[0] for entry in listed}
    assert listed == tops()


def test_no_file_names_a_machine_or_a_registry() -> None:
    for path in tracked():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for phrase in FORBIDDEN:
            assert phrase not in text, f"{path} holds {phrase}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "wire.md"], ids=name)
def test_lines_fit_on_a_screen(page: Path) -> None:
    """But for rows of tables, which cannot be broken; wire.md is generated."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        assert len(line) <= LONGEST_LINE or line.startswith("|"), f"{name(page)}:{number} has {len(line)} characters"


def table(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table under a heading, without its head; code marks are taken off."""
    text = (ROOT / page).read_text(encoding="utf-8")
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.M | re.S)
    assert section is not None, f"{page} has no heading {heading!r}"
    rows = [line for line in section[1].splitlines() if line.startswith("|")]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows[2:]]


def shown(value: object) -> str:
    """A value as the tables write it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if value < 1e6 else f"{value:.0f}"
    return str(value) or '""'


def test_the_table_of_the_lamps_settings_is_the_codes() -> None:
    rows = {row[0]: row[1:5] for row in table("docs/firmware.md", "Settings")}
    assert rows == {key: [shown(part) for part in entry] for key, entry in lamp_settings.TABLE.items()}


def test_the_table_of_the_lamps_faults_is_the_contracts() -> None:
    rows = {int(row[0]): row[1:4] for row in table("docs/firmware.md", "Faults")}
    assert rows == {fault.code: [fault.name, fault.severity, str(fault.debounce_s)] for fault in faults.ALL}


def test_the_table_of_objects_is_what_the_lamp_serves() -> None:
    rows = {int(row[0]): row[1] for row in table("docs/firmware.md", "Objects")}
    kept = {0, 21}  # never shown to anybody
    assert rows == {entry.id: entry.name for entry in objects.ALL if entry.id not in kept}


def test_the_table_of_conditions_is_the_simulations() -> None:
    rows = {row[0]: row[1:3] for row in table("docs/firmware.md", "simulation.json")}
    wanted = {
        key: [shown(default), f"{shown(lowest)} to {shown(highest)}"]
        for key, (default, lowest, highest) in simulated_conditions.NUMBERS.items()
    }
    assert {key: row for key, row in rows.items() if key not in simulated_conditions.OTHERS} == wanted
    assert set(rows) == wanted.keys() | simulated_conditions.OTHERS.keys()
    text = (ROOT / "docs/firmware.md").read_text(encoding="utf-8")
    assert [fault for fault in simulated_conditions.FAULTS if f"`{fault}`" not in text] == []


def test_the_table_of_the_backends_settings_is_the_codes() -> None:
    rows = {row[0]: row[1] for row in table("docs/operations.md", "Settings")}
    wanted = {f"STREETLIGHT_{key.upper()}": shown(field.default) for key, field in Settings.model_fields.items()}
    assert rows == wanted
