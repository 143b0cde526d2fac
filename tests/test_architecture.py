"""The rules of docs/architecture.md that import-linter cannot say; `make check` runs its contracts as well."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import GROUPS

ROOT = Path(__file__).resolve().parents[1]
PRODUCTS = ("contract", "firmware", "backend", "provisioning", "hil")
LONGEST_MODULE = 400
COMPOSITION_ROOTS = ("firmware/app.py", "firmware/__main__.py", "backend/app.py", "provisioning/cli.py")
HARDWARE_MODULES = {"machine", "network", "esp32"}
# The bench's probe is a chip of its own.
PROBES = ("hil/probe/pio.py", "hil/probe/esp32.py")
OWNERS = {
    "aiocoap": ("backend/device_server/",),
    "esptool": ("provisioning/flasher.py", "provisioning/efuses.py"),
    "espefuse": ("provisioning/efuses.py",),
    "espsecure": ("provisioning/efuses.py",),
    "serial": ("provisioning/console.py", "provisioning/ports.py", "hil/drivers/"),
    "nacl": ("provisioning/sealing.py", "backend/"),
    "segno": ("provisioning/label.py",),
    "reportlab": ("provisioning/label.py",),
    "mpremote": ("provisioning/console.py", "hil/drivers/console.py"),
    "httpx": ("hil/", "provisioning/"),
}
# What contract/ may import on both interpreters; `wire` writes a page, `ledger` is read by hosts: CPython only.
CONTRACT_MODULES = {"contract", "collections", "hashlib", "binascii", "math", "sys", "micropython", "struct", "gc"}


def modules(*products: str) -> Iterator[Path]:
    for product in products or PRODUCTS:
        yield from sorted((ROOT / product).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> set[str]:
    """Dotted names of all that a module imports, at whatever depth of the code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    return {dotted.split(".")[0] for dotted in imported(path)}


def test_there_are_five_products_and_each_says_what_it_is() -> None:
    for product in PRODUCTS:
        assert ast.get_docstring(ast.parse((ROOT / product / "__init__.py").read_text())), product


@pytest.mark.parametrize("path", list(modules()), ids=name)
def test_no_module_is_longer_than_400_lines_and_each_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_MODULE, "split it: one idea, one module"
    if path.name != "__init__.py" or text.strip():
        assert ast.get_docstring(ast.parse(text)), "it has no module docstring"


def test_only_the_esp32_board_imports_the_chip() -> None:
    for path in modules():
        if HARDWARE_MODULES & tops(path) and name(path) not in PROBES:
            assert path.parent.name == "hal" and path.name.startswith("esp32"), name(path)


def test_only_the_hardware_seam_opens_sockets_or_reads_time() -> None:
    for path in modules("firmware"):
        if {"socket", "time", "utime", "usocket", "select"} & tops(path):
            assert name(path).startswith("firmware/hal/"), name(path)


def test_the_contract_needs_nothing_but_the_interpreter() -> None:
    for path in modules("contract"):
        if path.name not in {"wire.py", "ledger.py"}:
            assert tops(path) <= CONTRACT_MODULES, name(path)


@pytest.mark.parametrize("library", OWNERS)
def test_each_foreign_library_has_one_owner(library: str) -> None:
    for path in modules():
        if library in tops(path):
            assert name(path).startswith(OWNERS[library]), f"{name(path)} imports {library}"


def test_only_composition_roots_name_a_board() -> None:
    for path in modules("firmware"):
        names_board = any(re.match(r"firmware\.hal\.(esp32|posix|simulated)", dotted) for dotted in imported(path))
        if names_board:
            assert name(path).startswith("firmware/hal/") or name(path) in COMPOSITION_ROOTS, name(path)


def test_the_domains_of_the_backend_are_layered() -> None:
    """endpoints -> service -> repository -> models, and never upwards."""
    order = ["models", "repository", "service", "endpoints"]
    for domain in sorted(path.parent for path in (ROOT / "backend").glob("*/endpoints.py")):
        for rank, layer in enumerate(order):
            module = domain / f"{layer}.py"
            if not module.exists():
                continue
            above = {f"backend.{domain.name}.{upper}" for upper in order[rank + 1 :]}
            assert not above & imported(module), f"{name(module)} reaches upwards"


def test_a_domain_reaches_another_through_its_service() -> None:
    """Neither repositories nor endpoints of another domain; models are for foreign keys and joins of a repository."""
    domains = sorted(path.parent.name for path in (ROOT / "backend").glob("*/endpoints.py"))
    for domain in domains:
        for path in modules(f"backend/{domain}"):
            for dotted in imported(path):
                match = re.match(r"backend\.(\w+)\.(endpoints|repository)\b", dotted)
                if match and match[1] in domains and match[1] != domain:
                    raise AssertionError(f"{name(path)} imports {dotted}: go through its service")


def test_no_work_is_postponed_without_an_issue_number() -> None:
    for path in modules():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert not re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line), f"{name(path)}:{number}"


def test_what_runs_in_a_process_of_its_own_is_there() -> None:
    assert [place for place in GROUPS if not (ROOT / place).exists()] == []
