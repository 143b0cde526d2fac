"""Uploading ledgers: any number of times, with the same result. A ledger is put away when every line was taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from contract.ledger import ENROLLED, UNCHANGED
from provisioning import ledger
from provisioning.enrolment_http import Answered
from provisioning.errors import Failure
from provisioning.journal import Journal

_TAKEN = (ENROLLED, UNCHANGED)


class Uploader(Protocol):
    def upload(self, ledger: bytes) -> list[Answered]: ...


@dataclass(frozen=True)
class Synced:
    """What became of one ledger: lines by result, the refused ones, and where the file is now."""

    path: Path
    enrolled: int
    unchanged: int
    refused: tuple[Answered, ...]
    kept_at: Path


def sync(folder: Path, files: Sequence[Path], uploader: Uploader, journal: Journal) -> Iterator[Synced]:
    """Upload `files`, or this computer's waiting ledger; nothing waiting gives nothing. Failure `ledger_damaged` before
    anything is sent, and those of the backend; a run that was cut off is simply run again."""
    waiting = folder / ledger.FILE
    for path in files or ([waiting] if waiting.exists() else []):
        checked = ledger.check(path)
        content = ledger.whole_lines(path)
        answers = uploader.upload(content)
        if sorted(answer.line for answer in answers) != list(range(2, checked.lines + 2)):
            raise Failure("backend_failed", f"it answered {len(answers)} of {checked.lines} lines of {path.name}")
        refused = tuple(answer for answer in answers if answer.result not in _TAKEN)
        kept_at = path
        if not refused and path == waiting:
            kept_at = ledger.put_away(path, content) or path
        counts = [sum(answer.result == result for answer in answers) for result in _TAKEN]
        journal.append(
            "synced",
            ledger=path.name,
            enrolled=counts[0],
            unchanged=counts[1],
            refused=len(refused),
            station=checked.station,
        )
        yield Synced(path, counts[0], counts[1], refused, kept_at)
