"""`make bench-soak`: a lamp in the heap of the chip, five minutes of everything at once, and no want of memory.

A true lamp on the VM and the true backend: a report a second, a new schedule of eight programs of eight steps every
ten seconds, the backend away four times for 35 s, so that reports go to flash and come back. Fails when the lamp's log
tells of a failed allocation, when it restarted, or when the last schedule is not verified at the end.
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from contract import limits
from hil.street import vm
from hil.street.backend import BackendFailed
from tests.system.town import Town, running_town
from tests.system.waiting import until

RATE = 10  # the shortest interval of reports is ten seconds of the lamp's time
SCHEDULE_S = 10
AWAY_EVERY_S, AWAY_S = 60, 35
VERIFIED_S = 60
WANT = re.compile(r".*(?:MemoryError|memory allocation|out of memory).*")
USED = re.compile(r"heap_used_bytes=(\d+)")


def schedule(number: int) -> dict[str, Any]:
    """As much as a lamp may be given; another one for each `number`."""
    programs = [
        {
            "name": f"Program {index} of {number}",
            "fade_s": 30,
            "switch_points": [
                {"at": f"{(12 + 3 * step) % 24:02}:{index:02}", "level": (number + 11 * index + 7 * step) % 91 + 10}
                for step in range(8)
            ],
        }
        for index in range(limits.PROGRAMS)
    ]
    rules = [
        {"program": program["name"], "type": "night", "date_rule": f"* {month} *"}
        for month, program in enumerate(programs, start=1)
    ]
    return {"name": "Soak", "programs": programs, "calendar": rules}


def soak(town: Town, seconds: int) -> None:
    """Let all of it happen, then wait until the last schedule is verified. Raises AssertionError when it is not."""
    begun, number, away_until = time.monotonic(), 0, 0.0
    next_away = AWAY_EVERY_S
    while (at_s := time.monotonic() - begun) < seconds:
        if away_until and at_s >= away_until:
            town.backend.start()
            away_until = 0.0
        elif not away_until and at_s >= next_away:
            town.backend.stop()
            away_until, next_away = at_s + AWAY_S, next_away + AWAY_EVERY_S
        if not away_until and at_s >= number * SCHEDULE_S:
            number = int(at_s / SCHEDULE_S) + 1
            town.api.put(f"/schedules/{town.schedule}", schedule(number))
        time.sleep(0.2)
    if away_until:
        town.backend.start()
    until(town.is_verified, VERIFIED_S, "the last schedule is verified")


def main() -> int:
    """Print what was done and what the heap held; 0 when nothing was wanting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=300)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        place = Path(folder)
        settings = {0: {"report_interval_s": limits.REPORT_INTERVAL_MIN_S}}
        with running_town(place / "town", vm.build_image(place), 1, RATE, settings=settings) as town:
            wrong = []
            try:
                soak(town, chosen.seconds)
            except (AssertionError, BackendFailed) as error:
                wrong.append(str(error))
            log = town.lamps[0].log()
            reports = len(town.acknowledged(0))
            if town.lamps[0].resets or town.lamps[0].watchdog_bites or town.lamps[0].exit_codes:
                wrong.append("the lamp restarted")
    wanting = WANT.findall(log)
    peak = max((int(used) for used in USED.findall(log)), default=0)
    print(f"{reports} reports acknowledged, {len(wanting)} failed allocations, peak heap {peak:,} of 262,144 bytes")
    for line in wanting[:10] + wrong:
        print(f"FAILED: {line}")
    return 1 if wanting or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
