"""Runs on boards that are lamps already, as generators without I/O: is this one good, and make it nobody's again."""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from provisioning import base_image, partitions, procedure, self_test
from provisioning import held as holding
from provisioning.chips import PARTITION_TABLE, SECTOR, Found
from provisioning.enrolment import Known
from provisioning.errors import Failure
from provisioning.firmware_files import Firmware
from provisioning.held import Held
from provisioning.identity import endpoint_of
from provisioning.self_test import Finding
from provisioning.steps import Boot, Detect, Digest, Erase, Hash, LoadFirmware, Lookup, Note, Read, Run, Start, Step


@dataclass(frozen=True)
class Checkup:
    """What is looked at beyond the board itself: a base image to compare with, what is fitted, the backend's view."""

    base: bytes | None = field(default=None, repr=False)
    wiring: bytes | None = None
    ask_backend: bool = False


@dataclass(frozen=True)
class Good:
    """A board that is as it should be."""

    mac: bytes
    endpoint: str
    findings: tuple[Finding, ...]


def verify(checkup: Checkup) -> Generator[Step, Any, Good]:
    """Everything is looked at before the verdict. Raises Failure: `not_provisioned`, `firmware_mismatch`,
    `self_test_failed` ... with all that is not good; nothing on the board is changed."""
    found: Found = yield Detect()
    if "download mode" in found.locks:
        raise Failure("secured", "its flash cannot be read over USB; ask the backend about the lamp")
    held: Held = yield from holding.read(found)
    endpoint = endpoint_of(found.mac)
    if held.drawn is None or held.place is None:
        raise Failure("not_provisioned", "it holds no identity")
    try:
        if held.drawn.endpoint != endpoint:
            raise Failure("not_provisioned", f"its identity is that of {held.drawn.endpoint}")
        if not held.is_sealed:
            raise Failure("not_provisioned", f"the run that gave it {endpoint} did not end")
        plan = procedure.self_test_plan(found, held.drawn, checkup.wiring)
    finally:
        held.drawn.wipe()
    findings, firmware = yield from _flash(checkup, found)
    yield Boot()
    findings.append((yield from _files(firmware)))
    findings += self_test.judge((yield Run("self_test", plan.script, self_test.SCRIPT_S)), plan)
    if checkup.ask_backend:
        findings.append(_known((yield Lookup(endpoint))))
    yield Start()
    _raise_for(findings)
    return Good(found.mac, endpoint, tuple(findings))


def _flash(checkup: Checkup, found: Found) -> Generator[Step, Any, tuple[list[Finding], Firmware]]:
    """The parts of the flash that nothing writes while the lamp runs, by the chip's own digest."""
    rows = partitions.parse((yield Read(PARTITION_TABLE, SECTOR)), "not_provisioned")
    rom = partitions.romfs(rows)
    firmware: Firmware = yield LoadFirmware(found.chip.name, rom is not None)
    parts = []
    if checkup.base is not None:
        parts += [
            (part.name, part.address, len(part.data), part.md5)
            for part in base_image.split(checkup.base, found.chip).segments
        ]
    if rom is not None and firmware.rom is not None:
        parts.append(("romfs", rom.offset, len(firmware.rom), hashlib.md5(firmware.rom).hexdigest()))
    told = yield Digest(tuple((address, size) for _, address, size, _ in parts))
    findings = [
        Finding(name, digest == wanted, "as written" if digest == wanted else f"differs at {address:#x}")
        for (name, address, _, wanted), digest in zip(parts, told, strict=True)
    ]
    return findings, firmware


def _files(firmware: Firmware) -> Generator[Step, Any, Finding]:
    told = yield Hash(tuple(firmware.files))
    others = firmware.differing(told)
    shown = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
    return Finding("files", not others, f"other content: {shown}" if others else f"{len(told)} files as written")


def _known(known: Known | None) -> Finding:
    if known is None:
        return Finding("backend", False, "does not know it")
    return Finding("backend", known.state != "retired", f"lamp {known.lamp_id} is {known.state or 'known'}")


_CODES = {"backend": "not_provisioned", "memory": "memory_low"}


def _raise_for(findings: list[Finding]) -> None:
    bad = self_test.failed(findings)
    if not bad:
        return
    names = {one.name for one in bad}
    code = next((code for name, code in _CODES.items() if name in names), "firmware_mismatch")
    if names <= set(self_test.NAMES) - set(_CODES):
        code = "self_test_failed"
    raise Failure(code, "; ".join(f"{one.name}: {one.detail}" for one in bad))


@dataclass(frozen=True)
class Wiped:
    """`endpoint` "" when there was no identity."""

    mac: bytes
    endpoint: str
    was_sealed: bool


def wipe() -> Generator[Step, Any, Wiped]:
    """Erase identity, seal and file system -> Wiped. The base image stays; the board lights no street any more."""
    found: Found = yield Detect()
    if found.locks:
        raise Failure("secured", ", ".join(found.locks))
    table = yield Read(PARTITION_TABLE, SECTOR)
    try:
        rows = partitions.parse(table)
    except Failure:
        rows = ()
    places = [row for row in (partitions.nvs(rows), partitions.files(rows)) if row and row.end <= found.flash_bytes]
    held: Held = yield from holding.read(found)
    endpoint = held.drawn.endpoint if held.drawn is not None else ""
    if held.drawn is not None:
        held.drawn.wipe()
    if places:
        yield Erase(tuple((row.offset, row.size) for row in places))
        told = yield Digest(tuple((row.offset, row.size) for row in places))
        for row, digest in zip(places, told, strict=True):
            if digest != hashlib.md5(b"\xff" * row.size).hexdigest():
                raise Failure("verify_failed", f"{row.name} is not empty after it was erased")
    yield Note("wiped", found.mac, {"endpoint": endpoint})
    return Wiped(found.mac, endpoint, held.is_sealed)
