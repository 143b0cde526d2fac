"""Four simulated boards side by side against one alone, in one run: `python -m tests.bench.batch` prints the ratio.

True children, true esptool, true firmware and a true backend; the firmware's files are made before, since they are made
once for all. Exits 0 when four take less than LIMIT times as long as one.
"""

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from provisioning import firmware_files
from tests.provisioning.board import SimulatedBoard
from tests.system.test_provisioning import City

BOARDS = 4
LIMIT = 2.0


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="streetlight-batch-") as folder, ExitStack() as stack:
        city = City(Path(folder))
        stack.callback(city.close)
        begun_s = time.monotonic()
        firmware_files.make(city.state / "firmware")
        print(f"firmware made in {time.monotonic() - begun_s:.1f} s")
        alone_s = timed(city, 1, 0)
        together_s = timed(city, BOARDS, 1)
    ratio = together_s / alone_s
    print(f"one board {alone_s:.1f} s, {BOARDS} side by side {together_s:.1f} s: ratio {ratio:.2f}, limit {LIMIT}")
    return 0 if ratio < LIMIT else 1


def timed(city: City, count: int, first: int) -> float:
    """Seconds from plugging in until the tool has finished `count` boards, its own start included."""
    with ExitStack() as stack:
        macs = [f"24:0a:c4:00:02:{first + number:02x}" for number in range(count)]
        boards = [stack.enter_context(SimulatedBoard(mac=mac)) for mac in macs]
        begun_s = time.monotonic()
        code, told, _ = city.batch(boards, first)
        took_s = time.monotonic() - begun_s
    if code:
        sys.exit(f"the batch failed with {code}: {told[-3:]}")
    return took_s


if __name__ == "__main__":
    sys.exit(main())
