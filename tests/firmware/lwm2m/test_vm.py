"""The whole client on the MicroPython VM, over UDP: it registers, takes the time, reports, is written and observed."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

EXPECTED = """\
[(2, 'rd'), (1, 'time'), (1, 'time'), (1, 'time'), (2, 'dp'), (2, 'dp'), (2, 'dp')]
True [600, 600, 600] True
2.05 [Record(path=Path(object=9001, instance=0, resource=0, resource_instance=None), time_s=None, value=40)]
2.04 70
4.00 /9001/0/0: is 101, must be in 0..100 70
2.05 True
notified
registration left code=2.02
"""


def test_the_client_lives_on_the_lamps_interpreter(tmp_path):
    micropython = Path(sys.executable).with_name("micropython")
    done = subprocess.run(
        [micropython, HERE / "vm_lamp.py", tmp_path],
        env={**os.environ, "MICROPYPATH": f"{ROOT}{os.pathsep}.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("output", "heap"))]
    assert lines == EXPECTED.splitlines()
    heap_bytes = next(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("heap"))
    # What the parts of an idle client hold beside their code, in the 64-bit VM; twice what the ESP32 needs.
    assert heap_bytes < 8000
