"""What a procedure asks for. A station does each and sends back what is named here, or throws the `Failure` it met.

`name` is what people and --json see: detect, read, firmware, backup, erase, base, files, identity, verify, boot,
self_test, enrol, seal, label, journal. No step shows a secret in its repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioning.base_image import Segment
from provisioning.enrolment import Order


@dataclass(frozen=True)
class Detect:
    """-> flasher.Found."""

    name: str = "detect"


@dataclass(frozen=True)
class Recall:
    """-> journal.Board or None: what this computer knows of a board."""

    mac: bytes
    name: str = "read"


@dataclass(frozen=True)
class AskPlate:
    """-> plate.Plate: which lamp this board becomes. Failure `interrupted` when nobody says."""

    mac: bytes
    name: str = "detect"


@dataclass(frozen=True)
class Read:
    """-> bytes of the flash."""

    address: int
    size: int
    name: str = "read"


@dataclass(frozen=True)
class Erase:
    """-> None; `regions` are (address, size) of whole sectors, in this order."""

    regions: tuple[tuple[int, int], ...]
    name: str = "erase"


@dataclass(frozen=True)
class Write:
    """-> None."""

    name: str
    segments: tuple[Segment, ...] = field(repr=False)


@dataclass(frozen=True)
class Digest:
    """-> the chip's own MD5 of each region, in this order."""

    regions: tuple[tuple[int, int], ...]
    name: str = "verify"


@dataclass(frozen=True)
class LoadFirmware:
    """-> firmware_files.Firmware."""

    chip: str
    with_romfs: bool
    name: str = "firmware"


@dataclass(frozen=True)
class Boot:
    """-> None: what is on the flash runs, and the board is at its prompt. The chip's loader is gone."""

    name: str = "boot"


@dataclass(frozen=True)
class Run:
    """-> what the script's last line says, as JSON."""

    name: str
    script: str = field(repr=False)
    timeout_s: float = 30.0


@dataclass(frozen=True)
class Hash:
    """-> {path: SHA-256} by the board's own file system."""

    paths: tuple[str, ...]
    name: str = "verify"


@dataclass(frozen=True)
class Backup:
    """-> where the sealed copy is. `document` is the identity that is about to be lost."""

    mac: bytes
    document: bytes = field(repr=False)
    name: str = "backup"


@dataclass(frozen=True)
class Note:
    """-> None, when the journal holds it for good."""

    event: str
    mac: bytes
    facts: Mapping[str, Any] = field(default_factory=dict)
    name: str = "journal"


@dataclass(frozen=True)
class Enrol:
    """-> enrolment.Outcome."""

    order: Order
    name: str = "enrol"


@dataclass(frozen=True)
class Lookup:
    """-> enrolment.Known or None: the backend's view."""

    endpoint: str
    name: str = "enrol"


@dataclass(frozen=True)
class Label:
    """-> where it was put."""

    endpoint: str
    asset_id: str
    serial: str
    name: str = "label"


@dataclass(frozen=True)
class Start:
    """-> None: the board is reset and runs by itself; the port is free."""

    name: str = "boot"


Step = (
    Detect
    | AskPlate
    | Recall
    | Read
    | Erase
    | Write
    | Digest
    | LoadFirmware
    | Boot
    | Run
    | Hash
    | Backup
    | Note
    | Enrol
    | Lookup
    | Label
    | Start
)
