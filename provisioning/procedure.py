"""A run as a generator without I/O: it yields steps, is sent what came of them, and raises `Failure`.

`provision` makes a lamp of a board. Each step may be the last one before the plug is pulled, and the next run finishes:

- keys are drawn once. They are written to the journal (their sender id is) before they are written to the chip, are
  read back from it before they are enrolled, and a run that finds them unsealed goes on with them;
- an unsealed board lights and never speaks (`firmware.hal.esp32_start`), so its file system may be made anew;
- the seal comes after the enrolment. A sealed board without a label in the journal only lacks its label.
"""

import contextlib
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract import identity as fields
from provisioning import base_image, chips, filesystem, identity, nvs, self_test
from provisioning import held as holding
from provisioning.base_image import Base, Segment
from provisioning.chips import Found
from provisioning.enrolment import Order
from provisioning.errors import Failure
from provisioning.firmware_files import Firmware
from provisioning.held import Held, Memory
from provisioning.identity import Drawn
from provisioning.plate import Plate, format_mac
from provisioning.steps import (
    AskPlate,
    Backup,
    Boot,
    Detect,
    Digest,
    Enrol,
    Erase,
    Hash,
    Label,
    LoadFirmware,
    Note,
    Read,
    Recall,
    Run,
    Start,
    Step,
    Write,
)

Steps = Generator[Step, Any, Any]

SEAL = f"""
import esp32, json
store = esp32.NVS({fields.NAMESPACE!r})
store.set_i32({fields.SEALED_KEY!r}, 1)
store.commit()
print(json.dumps(store.get_i32({fields.SEALED_KEY!r})))
"""
HELLO = """
import json, sys
print(json.dumps([getattr(sys.implementation, "_mpy", 0), ".".join([str(n) for n in sys.implementation.version[:3]])]))
"""


@dataclass(frozen=True)
class Request:
    """What is wanted. `rest` are the fields of the identity that are no keys: server, Wi-Fi, settings beyond the place.

    `chip` "" takes whatever chip `base` is for; `base_sha256` and `known_bases` vouch for it; `settings` makes the
    lamp's start values of its plate."""

    base: bytes = field(repr=False)
    base_sha256: str | None
    known_bases: Mapping[str, str]
    rest: Mapping[str, Any] = field(repr=False)
    chip: str = ""
    replace: bool = False
    wiring: bytes | None = None
    settings: Callable[[Plate], Mapping[str, Any]] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Done:
    """A finished run. `kept`: the keys were on the board already."""

    mac: bytes
    endpoint: str
    sender_id: bytes
    asset_id: str
    serial: str
    result: str
    kept: bool
    label: str
    findings: tuple[self_test.Finding, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """Everything that is decided before anything is touched."""

    found: Found
    base: Base
    plate: Plate
    drawn: Drawn
    is_kept: bool
    stays: bool
    replace: bool


def provision(request: Request) -> Steps:
    """Steps to a finished lamp -> Done. Raises Failure; the journal has it as `failed` then."""
    seen: list[bytes] = []
    try:
        done: Done = yield from _provision(request, seen)
        return done
    except Failure as failure:
        if seen and failure.exit_status < 60:
            yield Note("failed", seen[0], {"code": failure.code, "detail": failure.detail[:300]})
        raise


def _provision(request: Request, seen: list[bytes]) -> Generator[Step, Any, Done]:
    base_image.check_known(request.base, request.known_bases, request.base_sha256)
    found: Found = yield Detect()
    if found.locks:
        raise Failure("secured", ", ".join(found.locks))
    base = _fitting_base(request, found)
    seen.append(found.mac)
    plate: Plate = yield AskPlate(found.mac)
    if plate.mac and plate.mac != format_mac(found.mac):
        raise Failure("mac_known", f"{plate.asset_id} is for {plate.mac}, this board is {format_mac(found.mac)}")
    memory = Memory.of((yield Recall(found.mac)))
    held: Held = yield from holding.read(found)
    is_mine = memory.drew(held.drawn) and held.drawn is not None and _is_of(held.drawn, found)
    if held.is_sealed and is_mine and not memory.is_labelled and not request.replace:
        assert held.drawn is not None
        return (yield from _finish(found, plate, held.drawn, "sealed before", True))
    _refuse(request, held, memory, is_mine)
    wanted = _want(request, found, base, plate, held, memory, is_mine)
    try:
        if held.drawn is not None and not wanted.is_kept:
            yield Backup(found.mac, held.document)
            yield Note("replaced", found.mac, {"sender_id_before": held.drawn.sender_id.hex()})
        return (yield from _make(request, wanted))
    finally:
        wanted.drawn.wipe()
        if held.drawn is not None:
            held.drawn.wipe()


def _fitting_base(request: Request, found: Found) -> Base:
    if request.chip and chips.get(request.chip) != found.chip:
        raise Failure("wrong_chip", f"{found.chip.shown} found, {chips.get(request.chip).shown} asked for")
    base = base_image.split(request.base, found.chip)
    if found.flash_bytes < max(base.flash_bytes, found.chip.least_flash_bytes):
        has, needs = found.flash_bytes // chips.MIB, max(base.flash_bytes, found.chip.least_flash_bytes) // chips.MIB
        raise Failure("wrong_flash_size", f"{has} MB found, {needs} MB needed")
    return base


def _is_of(drawn: Drawn, found: Found) -> bool:
    return drawn.endpoint == identity.endpoint_of(found.mac)


def _refuse(request: Request, held: Held, memory: Memory, is_mine: bool) -> None:
    """Whatever would take an identity away that somebody may count on needs --replace."""
    if request.replace:
        return
    if held.is_sealed:
        name = held.drawn.endpoint if held.drawn is not None else "an identity that cannot be read"
        raise Failure("already_sealed", name)
    if held.drawn is not None and not is_mine:
        raise Failure("mac_known", f"it holds {held.drawn.endpoint}, which another computer left unfinished")
    if memory.is_sealed and not is_mine:
        raise Failure("mac_known", f"sealed here with sender id {memory.sender_id}, which it does not hold any more")


def _want(
    request: Request, found: Found, base: Base, plate: Plate, held: Held, memory: Memory, is_mine: bool
) -> Wanted:
    is_kept = is_mine and not held.is_sealed and held.drawn is not None
    rest = {**request.rest, "serial": plate.serial}
    if request.settings is not None:
        rest["settings"] = dict(request.settings(plate))
    if is_kept:
        assert held.drawn is not None
        before = held.drawn.document()
        drawn = held.drawn.with_rest(rest)
    else:
        before = b""
        drawn = identity.draw(found.mac, rest)
    stays = is_kept and before == drawn.document() and holding.is_at_home(held, base)
    # An order of this computer's own that was never followed by a seal may have put dead keys in force.
    replace = request.replace or (memory.was_ordered and not memory.is_sealed and not is_kept)
    return Wanted(found, base, plate, drawn, is_kept, stays, replace)


def _make(request: Request, wanted: Wanted) -> Generator[Step, Any, Done]:
    found, base, drawn = wanted.found, wanted.base, wanted.drawn
    firmware: Firmware = yield LoadFirmware(found.chip.name, base.romfs is not None)
    image = filesystem.build(firmware.files, base.files.size)
    files = [Segment("files", base.files.offset + at, data) for at, data in filesystem.runs(image)]
    if base.romfs is not None and firmware.rom is not None:
        if len(firmware.rom) > base.romfs.size:
            raise Failure("firmware_too_big", f"{len(firmware.rom):,} bytes into {base.romfs.size:,}")
        files.append(Segment("romfs", base.romfs.offset, firmware.rom))
    document = drawn.document()
    store = Segment("identity", base.nvs.offset, nvs.build({identity.NVS_IDENTITY: document}, base.nvs.size))
    if not wanted.is_kept:
        yield Note("drawn", found.mac, {**_public(wanted), "base": base.sha256})
    erased = [] if wanted.stays else [(base.nvs.offset, base.nvs.size)]
    erased += [(row.offset, row.size) for row in (*base.erased, base.files)]
    yield Erase(tuple(erased))
    yield from _write_base(base)
    yield Write("files", tuple(files))
    if not wanted.stays:
        yield Write("identity", (store,))
    yield from _compare(wanted, [*base.segments, *files], document)
    yield Note("written", found.mac)
    yield Boot()
    yield from _check_python(firmware)
    yield from _check_files(firmware)
    findings = yield from _self_test(wanted, request)
    yield Note("passed", found.mac, {"findings": [[one.name, one.passed, one.detail] for one in findings]})
    outcome = yield from _enrol(wanted)
    if (yield Run("seal", SEAL)) != 1:
        raise Failure("verify_failed", "the seal does not read back")
    return (yield from _finish(found, wanted.plate, drawn, outcome, wanted.is_kept, findings))


def _write_base(base: Base) -> Steps:
    """Only what is not there already: a second run, or a board of the same base, saves most of its time."""
    there = yield Digest(tuple((part.address, len(part.data)) for part in base.segments), "base")
    missing = tuple(part for part, digest in zip(base.segments, there, strict=True) if digest != part.md5)
    if missing:
        yield Write("base", missing)


def _compare(wanted: Wanted, segments: list[Segment], document: bytes) -> Steps:
    """The chip's digest of each part, and the identity read back as the lamp will read it."""
    digests = yield Digest(tuple((part.address, len(part.data)) for part in segments))
    for part, digest in zip(segments, digests, strict=True):
        if digest != part.md5:
            raise Failure("verify_failed", f"{part.name} at {part.address:#x} reads back differently")
    data = yield Read(wanted.base.nvs.offset, wanted.base.nvs.size, "verify")
    if nvs.parse(data).get(identity.NVS_IDENTITY) != document:
        raise Failure("verify_failed", "the identity reads back differently")


def _check_python(firmware: Firmware) -> Steps:
    told = yield Run("boot", HELLO)
    if not isinstance(told, list) or len(told) != 2 or not isinstance(told[0], int):
        raise Failure("no_boot", "the prompt does not say what it is")
    if told[0] & 0xFF != firmware.mpy_version:
        held = told[0] & 0xFF
        raise Failure(
            "base_too_old", f"MicroPython {told[1]} takes .mpy {held}, the firmware is {firmware.mpy_version}"
        )


def _check_files(firmware: Firmware) -> Steps:
    """By the board's own file system, file by file: it may have upgraded the image at its first mount."""
    told = yield Hash(tuple(firmware.files))
    for path in firmware.differing(told):
        raise Failure("verify_failed", f"the board reads another {path}")


def _self_test(wanted: Wanted, request: Request) -> Generator[Step, Any, tuple[self_test.Finding, ...]]:
    plan = self_test_plan(wanted.found, wanted.drawn, request.wiring)
    findings = self_test.judge((yield Run("self_test", plan.script, self_test.SCRIPT_S)), plan)
    bad = self_test.failed(findings)
    if bad:
        code = "memory_low" if bad[0].name == "memory" else "self_test_failed"
        raise Failure(code, "; ".join(f"{one.name}: {one.detail}" for one in bad))
    return tuple(findings)


def self_test_plan(found: Found, drawn: Drawn, wiring: bytes | None) -> self_test.Plan:
    """What the wiring and the identity promise."""
    fitted: dict[str, Any] = json.loads(wiring) if wiring else {}
    return self_test.Plan(
        found.mac,
        drawn.endpoint,
        drawn.sender_id,
        fitted.get("meter", "none") != "none",
        fitted.get("photocell_pin", -1) != -1,
        float(drawn.rest.get("settings", {}).get("nominal_power_w", 0)),
        str(drawn.rest.get("wifi_ssid", "")),
    )


def _enrol(wanted: Wanted) -> Generator[Step, Any, str]:
    """The order is in the journal before it is sent: an answer that is lost leaves keys in force."""
    drawn, plate = wanted.drawn, wanted.plate
    facts = {"asset_id": plate.asset_id, **plate.facts}
    order = Order(
        drawn.endpoint, drawn.sender_id, bytearray(drawn.secret), bytearray(drawn.salt), facts, wanted.replace
    )
    try:
        yield Note("ordered", wanted.found.mac, {"sender_id": drawn.sender_id.hex()})
        outcome = yield Enrol(order)
    finally:
        order.wipe()
    event = "recorded" if outcome.result == "recorded" else "enrolled"
    yield Note(event, wanted.found.mac, {"result": outcome.result, "lamp_id": outcome.lamp_id})
    return str(outcome.result)


def _finish(
    found: Found,
    plate: Plate,
    drawn: Drawn,
    result: str,
    kept: bool,
    findings: tuple[self_test.Finding, ...] = (),
) -> Generator[Step, Any, Done]:
    yield Note("sealed", found.mac, {"endpoint": drawn.endpoint, "sender_id": drawn.sender_id.hex()})
    serial = str(drawn.rest.get("serial", plate.serial))
    label = yield Label(drawn.endpoint, plate.asset_id, serial)
    yield Note("labelled", found.mac)
    with contextlib.suppress(Failure):  # a lamp that is finished may be unplugged
        yield Start()
    return Done(found.mac, drawn.endpoint, drawn.sender_id, plate.asset_id, serial, result, kept, str(label), findings)


def _public(wanted: Wanted) -> dict[str, Any]:
    drawn, plate = wanted.drawn, wanted.plate
    return {
        "endpoint": drawn.endpoint,
        "sender_id": drawn.sender_id.hex(),
        "asset_id": plate.asset_id,
        "serial": plate.serial,
        "chip": wanted.found.chip.name,
    }
