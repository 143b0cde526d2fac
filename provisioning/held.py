"""What a chip holds when it comes: partition table, identity, seal. And what this computer remembers of it. Pure."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from provisioning import identity, nvs, partitions
from provisioning.base_image import Base
from provisioning.chips import PARTITION_TABLE, SECTOR, Found
from provisioning.errors import Failure
from provisioning.identity import Drawn
from provisioning.journal import Board
from provisioning.partitions import Partition
from provisioning.steps import Read, Step

Steps = Generator[Step, Any, Any]


@dataclass(frozen=True)
class Held:
    """`place` is the NVS that it was read from, None when there is no partition table; `drawn` a usable identity."""

    place: Partition | None
    drawn: Drawn | None
    document: bytes
    is_sealed: bool

    def __repr__(self) -> str:
        return f"Held({self.drawn}, sealed={self.is_sealed})"


EMPTY = Held(None, None, b"", False)


def read(found: Found) -> Generator[Step, Any, Held]:
    """The steps that tell. A chip without a table, or with one that cannot be believed, holds nothing."""
    table = yield Read(PARTITION_TABLE, SECTOR)
    try:
        place = partitions.nvs(partitions.parse(table))
    except Failure:
        return EMPTY
    if place is None or place.end > found.flash_bytes:
        return EMPTY
    return interpret(place, (yield Read(place.offset, place.size)))


def interpret(place: Partition, data: bytes) -> Held:
    """What the NVS partition `data` says."""
    entries = nvs.parse(data)
    document = entries.get(identity.NVS_IDENTITY)
    known = document if isinstance(document, bytes) else b""
    return Held(place, identity.parse(known), known, entries.get(identity.NVS_SEALED) == 1)


def is_at_home(held: Held, base: Base) -> bool:
    """Whether the identity lies where the new base image looks for it."""
    return held.place is not None and (held.place.offset, held.place.size) == (base.nvs.offset, base.nvs.size)


@dataclass(frozen=True)
class Memory:
    """The journal's view of a board: the keys that it drew last, how far they came."""

    sender_id: str = ""
    was_ordered: bool = False
    is_sealed: bool = False
    is_labelled: bool = False

    @classmethod
    def of(cls, board: Board | None) -> "Memory":
        if board is None or "drawn" not in board.events:
            return cls()
        # What happened to the keys that were drawn last; earlier ones are gone.
        last = len(board.events) - 1 - board.events[::-1].index("drawn")
        since = board.events[last:]
        return cls(
            str(board.facts.get("sender_id", "")),
            "ordered" in board.events,
            "sealed" in since,
            "labelled" in since,
        )

    def drew(self, drawn: Drawn | None) -> bool:
        """Whether the keys on the chip are those that were drawn here."""
        return drawn is not None and bool(self.sender_id) and drawn.sender_id.hex() == self.sender_id
