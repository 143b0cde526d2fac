"""Both interpreters testify: every case prints the same under CPython and under MicroPython.

A case is a script in tests/parity/cases that imports only pure modules of contract and firmware (and `files` here), and
prints.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = sorted((Path(__file__).parent / "cases").glob("*.py"))


def _micropython():
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if found is None:
        pytest.fail("micropython is missing: install the 'simulator' extra (make install)")
    return found


def _run(command, environment):
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_both_interpreters_print_the_same(case):
    host = _run([sys.executable, "-W", "error", str(case)], {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"})
    lamp = _run([_micropython(), "-X", "heapsize=128wK", str(case)], {"MICROPYPATH": f"{ROOT}{os.pathsep}.frozen"})
    assert host.strip(), "the case printed nothing"
    assert lamp.splitlines() == host.splitlines()
