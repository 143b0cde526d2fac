"""Runs a script on the MicroPython VM and brings back what it printed, one JSON value a line."""

import json
import os
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ESP32_MODULES = ROOT / "tests" / "esp32_modules"

# The `micropython` command without what Python's own start-up costs: 15 ms instead of 61.
START = """
import sys
sys.path.append(sys.argv.pop(1))
import micropython_run
sys.exit(micropython_run.run_main(["micropython"] + sys.argv[1:]))
"""
VM = (sys.executable, "-I", "-S", "-c", START, sysconfig.get_path("platlib"))

# Every script begins with it: `tell(value)` reports a fact to the test.
# `time` comes first, as the ESP32's stand-in asks for.
PRELUDE = """
import time
import json
def tell(value):
    print(json.dumps(value))
"""


def command(script: str, heap: str = "128wK", arguments: tuple[str, ...] = ()) -> list[str]:
    return [*VM, "-X", f"heapsize={heap}", "-c", PRELUDE + textwrap.dedent(script), *arguments]


def environment(*modules: Path) -> dict[str, str]:
    """`modules` are folders that come before the tree; `.frozen` stays, as asyncio lives there."""
    return {**os.environ, "MICROPYPATH": ":".join([*map(str, modules), str(ROOT), ".frozen"])}


def run(
    script: str, cwd: Path, *modules: Path, code: int = 0, heap: str = "128wK", arguments: tuple[str, ...] = ()
) -> list[object]:
    """What the script told; fails when its exit code is another than `code`."""
    done = subprocess.run(
        command(script, heap, arguments),
        cwd=cwd,
        env=environment(*modules),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines() if line[:1] in '{["-0123456789tfn']
