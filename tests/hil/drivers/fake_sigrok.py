"""A sigrok-cli that prints what a logic analyser with continuous acquisition would: run as that program.

D0 changes each millisecond. The marker's moments come over a FIFO whose path is the device's name ("fake:PATH"), as
CLOCK_MONOTONIC ns, "quit" (the analyser is pulled), or "junk". Like the true one it ends at a byte of standard input,
and it counts time with a crystal that is 100 ppm fast.
"""

import os
import select
import sys
import time

FAST_PPM = 100
STEP_NS = 100

HEADER = """$date today $end
$version libsigrok 0.5.2 $end
$timescale 100 ns $end
$scope module libsigrok $end
$var wire 1 ! D0 $end
$var wire 1 " D1 $end
$upscope $end
$enddefinitions $end
#0 0! {marker}"
"""


def main() -> None:
    if "--version" in sys.argv:
        sys.stdout.write("sigrok-cli 0.7.2-fake\n\nUsing libsigrok\n")
        return
    path = sys.argv[sys.argv.index("-d") + 1].removeprefix("fake:")
    fifo = os.open(path, os.O_RDWR)
    begun_ns = time.monotonic_ns()
    marker = int(os.environ.get("FAKE_MARKER", "1"))
    sys.stdout.write(HEADER.format(marker=marker))
    sys.stdout.flush()
    told, rest = 1, b""

    def steps(ns: int) -> int:
        return round((ns - begun_ns) * (1 + FAST_PPM * 1e-6)) // STEP_NS

    while True:
        ready, _, _ = select.select([sys.stdin, fifo], [], [], 0.005)
        if sys.stdin in ready:
            return
        if fifo in ready:
            *lines, rest = (rest + os.read(fifo, 4096)).split(b"\n")
            for line in lines:
                if line == b"quit":
                    sys.stderr.write("fx2lafw: device is gone\n")
                    sys.exit(1)
                if line == b"junk":
                    sys.stdout.write("#12x 7?\n")
                    continue
                told = edges(told, begun_ns, int(line), steps)
                marker = 1 - marker
                sys.stdout.write(f'#{steps(int(line))} {marker}"\n')
        else:
            told = edges(told, begun_ns, time.monotonic_ns() - 1_000_000, steps)
        sys.stdout.flush()


def edges(told, begun_ns, until_ns, steps):
    """D0's edges up to a moment, in order with the marker's."""
    while begun_ns + told * 1_000_000 < until_ns:
        sys.stdout.write(f"#{steps(begun_ns + told * 1_000_000)} {told % 2}!\n")
        told += 1
    return told


main()
