"""All objects at once on both interpreters: compiling them on the way takes more than the heap of a parity case."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("every_object.py")


def run(command: list[str], environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [*command, str(SCRIPT)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.splitlines()


def test_both_interpreters_read_and_write_the_same_objects() -> None:
    lamp = Path(sys.executable).with_name("micropython")
    on_host = run([sys.executable, "-W", "error"], {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"})
    on_lamp = run([str(lamp), "-X", "heapsize=256wK"], {"MICROPYPATH": f"{ROOT}{os.pathsep}.frozen"})
    assert len(on_host) > 300
    assert on_lamp == on_host
