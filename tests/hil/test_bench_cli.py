"""`streetlight hil` and `pytest hil` as their user meets them, where nothing is measured."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hil.bench_cli import UNUSABLE, commands
from hil.checks.table import CHECKS

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, list(words))
    return done.exit_code, done.output


def test_the_list_names_every_check_with_its_limits() -> None:
    code, text = run("list")
    assert code == 0
    for check in CHECKS:
        assert f"\n{check.name}\n" in f"\n{text}"
    assert "power on to light at the failsafe level: p95 ≤ 3 s (simulated 0.5 s)" in text
    assert "Not yet: update-interrupted" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--bench", "simulated", "--only", "bott"), "no check is named bott: boot"),
        (("run", "--bench", "nowhere.toml"), "nowhere.toml cannot be read"),
        (("doctor", "--bench", "nowhere.toml"), "nowhere.toml cannot be read"),
        (("run", "--bench", "bench.toml", "--firmware", "."), "boards carry what was flashed"),
        (("compare", "nowhere", "nowhere"), "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(words: tuple[str, ...], said: str) -> None:
    code, text = run(*words)
    assert code == UNUSABLE
    assert said in text


def test_a_report_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text("")
    code, text = run("run", "--bench", "simulated", "--only", "boot", "--report", str(tmp_path))
    assert code == UNUSABLE
    assert "holds a run already" in text


def pytest_hil(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "pytest", "-rs", "hil", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_without_a_bench_the_checks_are_one_skip_that_says_how_to_run_them() -> None:
    done = pytest_hil()
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
    assert "--bench FILE" in done.stdout


def test_a_bench_that_cannot_be_read_ends_pytest_with_the_reason() -> None:
    done = pytest_hil("--bench", "nowhere.toml")
    assert done.returncode == UNUSABLE, done.stdout
    assert "copy hil/bench.example.toml" in done.stdout + done.stderr
