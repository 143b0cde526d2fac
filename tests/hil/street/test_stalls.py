"""How late this computer is: wakes of a VM that are late, and waits of a lamp for its processor."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from hil.patience import until
from hil.street.stalls import Stalls
from hil.street.waits import Waits

BURN = "import os, sys, time\nos.sched_setaffinity(0, {int(sys.argv[1])})\nprint(flush=True)\nwhile True: pass"
MS, SECOND = 1_000_000, 1_000_000_000


@dataclass
class Pole:
    """As much of a lamp as is asked here."""

    pid: int | None = None


@pytest.fixture
def burners() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Three that want one processor."""
    processor = str(min(os.sched_getaffinity(0)))
    processes = [subprocess.Popen([sys.executable, "-c", BURN, processor], stdout=subprocess.PIPE) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def waits_of(*poles: Pole) -> Waits:
    return Waits(cast(Any, poles))


def has_waited(waits: Waits, lamp: int, begin_ns: int, least_ns: int) -> bool:
    return waits.waited_ns(lamp, begin_ns, time.monotonic_ns()) >= least_ns


def test_a_lamp_that_shares_its_processor_has_waited_and_one_that_sleeps_has_not(
    burners: list[subprocess.Popen[bytes]],
) -> None:
    sleeper = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert sleeper.stdout is not None
    sleeper.stdout.readline()
    waits = waits_of(Pole(burners[0].pid), Pole(sleeper.pid), Pole())
    try:
        begin_ns = time.monotonic_ns()
        waits.start()
        until(lambda: has_waited(waits, 0, begin_ns, SECOND // 5), 30, "it waits for its turn", "look at /proc")
        end_ns = time.monotonic_ns()
        assert waits.waited_ns(0, begin_ns, end_ns) <= end_ns - begin_ns + 100 * MS
        assert waits.waited_ns(1, begin_ns, end_ns) < SECOND // 10
        assert waits.waited_ns(2, begin_ns, end_ns) == 0
    finally:
        waits.close()
        sleeper.communicate(b"\n")


def test_waits_before_a_stretch_and_of_a_process_that_is_gone_are_no_part_of_it(
    burners: list[subprocess.Popen[bytes]],
) -> None:
    pole = Pole(burners[0].pid)
    waits = waits_of(pole)
    try:
        waits.start()
        begin_ns = time.monotonic_ns()
        until(lambda: has_waited(waits, 0, begin_ns, SECOND // 10), 30, "it waits", "look at /proc")
        middle_ns = time.monotonic_ns()
        first = waits.waited_ns(0, begin_ns, middle_ns)
        burners[0].kill()
        burners[0].wait()
        pole.pid = burners[1].pid
        until(lambda: has_waited(waits, 0, begin_ns, first + SECOND // 10), 30, "the next one waits", "look at /proc")
        assert waits.waited_ns(0, begin_ns, middle_ns) == first
    finally:
        waits.close()


def test_the_floor_counts_wakes_and_a_stretch_has_its_worst_one() -> None:
    stalls = Stalls()
    try:
        stalls.start()
        until(lambda: stalls.wakes >= 200, 60, "the VM wakes up", "look at the VM")
        floor = stalls.floor()
    finally:
        stalls.close()
    assert 0 <= floor.median_ms <= floor.p99_ms <= floor.max_ms
    assert stalls.worst_ns(0, time.monotonic_ns()) >= round(floor.max_ms * 1e6)
    assert stalls.worst_ns(0, 1) == 0


def test_too_few_wakes_are_no_floor() -> None:
    with pytest.raises(ValueError, match="0 wakes are too few"):
        Stalls().floor()
