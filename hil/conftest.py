"""The bench under pytest: `pytest hil --bench FILE [--report DIR]`, one test a check (`hil/test_bench.py`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.checks.table import CHECKS, named
from hil.effort import FULL, QUICK
from hil.errors import BenchError
from hil.run import benches_of, session
from hil.session import Session

HOW = "the checks of the bench run with --bench FILE (a bench.toml, or `simulated`): docs/bench.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bench", "the bench (hardware in the loop)")
    group.addoption("--bench", help="a bench.toml, or `simulated`", metavar="FILE")
    group.addoption("--report", type=Path, help="folder for report.html, results.jsonl and junit.xml", metavar="DIR")
    group.addoption("--quick", action="store_true", help="few samples: what is broken shows, what is rare not")
    group.addoption("--only", action="append", default=[], help="a check by name; may be given again", metavar="CHECK")


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("timeout"):
        config.addinivalue_line("markers", "timeout(seconds): as pytest-timeout has it, which is not installed")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "check" not in metafunc.fixturenames:
        return
    config = metafunc.config
    if not config.getoption("bench"):
        metafunc.parametrize("check", [pytest.param("none", marks=pytest.mark.skip(reason=HOW))])
        return
    try:
        names = [check.name for check in named(config.getoption("only"))]
    except KeyError as error:
        raise pytest.UsageError(str(error.args[0])) from None
    metafunc.parametrize("check", names)


@pytest.fixture(scope="session")
def bench_session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """All checks that were asked for, under way."""
    option = request.config.getoption
    report: Path = option("report") or tmp_path_factory.mktemp("report")
    wanted = {item.callspec.params["check"] for item in request.session.items if hasattr(item, "callspec")}
    checks = [check for check in CHECKS if check.name in wanted]
    try:
        benches = benches_of(option("bench"), tmp_path_factory.mktemp("bench"))
        with session(benches, report, checks, QUICK if option("quick") else FULL, bool(option("only"))) as running:
            yield running
    except BenchError as error:
        pytest.exit(str(error), returncode=2)
