"""How much heap the lamp needs at its fullest: eight programs written over and over, reports waiting, the log full.

The true firmware runs from its ROM image on the VM, with `heap_lamp` beside it in the image.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from contract import limits, schedule
from contract.localtime import TimeZone
from contract.paths import Path as LwM2MPath
from contract.schedule import FIXED, SUNRISE, SUNSET, CalendarRule, Date, Moment, Program, Step
from contract.senml import Record
from firmware import image as rom
from firmware.codec import senml
from hil.street import vm

SCRIPT = Path(__file__).with_name("heap_lamp.py")
IDENTITY = """{"endpoint": "urn:dev:mac:240ac4fffe00beef", "serial": "bench", "server_host": "127.0.0.1",
"server_port": 9, "sender_id": "0badcafe", "recipient_id": "73", "master_secret": "%s", "master_salt": "%s"}"""


# What `heap_lamp` tells.
STAGES = {
    "running": "the lamp running, no schedule",
    "schedule": "eight programs, written six times",
    "full": "and 45 reports waiting, the log full",
    "after": "and the schedule written twice more",
}


def write_identity(flash: Path) -> None:
    """Give a flash folder an identity with keys of its own, and a server that is not there."""
    (flash / "identity.json").write_text(IDENTITY % (os.urandom(16).hex(), os.urandom(8).hex()))


def full_schedule(level: int) -> Any:
    """As many programs as a lamp holds, each with eight steps, its own dates and a fade; `level` tells two apart."""
    programs = []
    for number in range(limits.PROGRAMS):
        rule = CalendarRule(True, ((Date(None, number + 1, 1), Date(None, number + 2, 10)),), (), (), ())
        steps = [Step(SUNSET, 0, level)]
        steps += [Step(FIXED, (1200 + 60 * place) % 1440, 90 - 5 * place) for place in range(6)]
        steps.append(Step(SUNRISE, -30, 90))
        active = (Moment(SUNSET, 0), Moment(SUNRISE, 0))
        programs.append(Program(f"Program number {number}", number, (rule,), active, tuple(steps), 60, True))
    return schedule.Schedule(tuple(programs), 10_760_000, 106_660_000, TimeZone("Asia/Ho_Chi_Minh", 25200, ()))


def write_composite(wanted: Any) -> bytes:
    """The SenML-CBOR body that takes `wanted` to a lamp: what was there goes, what shall be there comes."""
    instances = schedule.to_objects(wanted)
    records = [
        Record(LwM2MPath(number, None, None, None), None, None) for number in sorted({key[0] for key in instances})
    ]
    for (number, instance), values in sorted(instances.items()):
        for resource, value in sorted(values.items()):
            rows = sorted(value.items()) if isinstance(value, dict) else [(None, value)]
            records += [Record(LwM2MPath(number, instance, resource, row), None, one) for row, one in rows]
    body: bytes = senml.encode_cbor(records)
    return body


def build(folder: Path) -> Path:
    """The simulated lamp's image with `heap_lamp` in it."""
    files = rom.compile_all(simulated=True)
    compiled = folder / "heap_lamp.mpy"
    rom.compile_text("heap_lamp", SCRIPT.read_text(encoding="utf-8"), compiled)
    image = folder / "heap.romfs"
    image.write_bytes(rom.romfs({**files, "heap_lamp.mpy": compiled.read_bytes()}))
    return image


def measure(image: Path, heap_kb: int) -> tuple[dict[str, int], str]:
    """({stage: bytes of the VM's heap in use}, what went wrong: "" when all was well) in a heap of the chip's KB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_identity(folder)
        payloads = []
        for level in (100, 80):
            payloads.append(folder / f"schedule{level}")
            payloads[-1].write_bytes(write_composite(full_schedule(level)))
        words = [str(folder), *map(str, payloads)]
        command = vm.command(image, words, f"{heap_kb}wK", "heap_lamp")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    stages = {stage: int(used) for stage, used in re.findall(r"^(\w+)=(\d+)$", done.stdout, re.MULTILINE)}
    return stages, "" if "after" in stages and not done.returncode else (done.stdout + done.stderr)[-1000:]
