"""The offline day: enrolments wait in a file that this computer signs and only the backend can read.

JSON lines (docs/architecture.md, Provisioning). A line is never read back here: its keys exist on the chip and, sealed,
in this file. Uploading is repeatable; the backend answers the same for a line that it has had.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.ledger import (
    BACKEND,
    ENTRY,
    FORMAT,
    FORMAT_FIELD,
    MADE_AT,
    PREVIOUS,
    SEALED,
    SIGNATURE,
    STATION,
    canonical,
    digest,
    signed,
)
from provisioning import sealing, state
from provisioning.chain import Chain, Head
from provisioning.enrolment import Known, Order, Outcome
from provisioning.errors import Failure, of_file
from provisioning.journal import iso

FILE = "ledger.jsonl"
DONE = "ledgers"


class Ledger:
    """The ledger in `folder` for the backend whose public key is `backend`; `now` gives milliseconds UTC since 1970."""

    def __init__(self, folder: Path, station: sealing.Station, backend: str, now: Callable[[], int]) -> None:
        self.path = folder / FILE
        self._station = station
        self._backend = backend
        self._now = now

    def enrol(self, order: Order) -> Outcome:
        """Add the order, sealed and signed, durable on return; Failure `disk_full`, `ledger_damaged`."""

        def lines(head: Head, torn: bytes | None) -> list[bytes]:
            made: list[bytes] = []
            if head.count == 0:
                made.append(canonical({FORMAT_FIELD: FORMAT, STATION: self._station.public, BACKEND: self._backend}))
                head = head.after(made[-1])
            else:
                self._check_owner()
            fields = {
                SEALED: b64encode(sealing.seal(canonical(order.document()), self._backend)).decode(),
                MADE_AT: iso(self._now()),
                PREVIOUS: head.last,
            }
            made.append(canonical({**fields, SIGNATURE: self._station.sign(signed(fields))}))
            return made

        _chain(self.path).append(lines)
        return Outcome("recorded", order.endpoint)

    def find(self, endpoint: str) -> Known | None:
        """Offline nobody knows: the journal says what this computer did."""
        return None

    def _check_owner(self) -> None:
        head = check(self.path, whole=False)
        if (head.station, head.backend) != (self._station.public, self._backend):
            raise Failure(
                "ledger_damaged", f"{self.path} is of another computer or for another backend; upload it first"
            )


@dataclass(frozen=True)
class Checked:
    """A ledger whose every line follows from the one before and is signed."""

    station: str
    backend: str
    lines: int


def check(path: Path, *, whole: bool = True) -> Checked:
    """Whose ledger this is, every signature checked unless not `whole`; Failure `ledger_damaged` names the line."""
    chain = _chain(path)
    station = backend = ""
    count = 0
    for count, fields in enumerate(chain.entries() if whole else _first(path), 1):
        if count == 1:
            try:
                if fields.get(FORMAT_FIELD) != FORMAT:
                    raise ValueError("it is no ledger of this format")
                station, backend = sealing.check_key(fields[STATION]), sealing.check_key(fields[BACKEND])
            except (KeyError, ValueError) as error:
                raise Failure("ledger_damaged", f"{path}:1 {error}") from None
        elif not _signed(fields, station):
            raise Failure("ledger_damaged", f"{path}:{count} is not signed by the computer of its first line")
    if not count:
        raise Failure("ledger_damaged", f"{path} is empty")
    return Checked(station, backend, count - 1)


def _signed(fields: Mapping[str, Any], station: str) -> bool:
    if set(fields) != set(ENTRY):
        return False
    try:
        b64decode(fields[SEALED], validate=True)
    except (ValueError, TypeError):
        return False
    return isinstance(fields[SIGNATURE], str) and sealing.is_signed(signed(fields), fields[SIGNATURE], station)


def _first(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as lines:
            fields = json.loads(lines.readline())
    except ValueError:
        fields = None
    except OSError as error:
        raise of_file(error, path) from None
    return [fields] if isinstance(fields, dict) else [{}]


def _chain(path: Path) -> Chain:
    return Chain(path, "ledger_damaged")


def whole_lines(path: Path) -> bytes:
    """What is uploaded: everything to the last newline. A line that a crash tore was never an enrolment."""
    return b"".join(line + b"\n" for _, line in _chain(path).lines())


def put_away(path: Path, uploaded: bytes) -> Path | None:
    """Move a ledger that the backend took whole to the done ones; None when a line came since: it stays."""
    with state.locked(path.with_name(path.name + ".lock")):
        if whole_lines(path) != uploaded:
            return None
        done = path.parent / DONE
        try:
            done.mkdir(mode=0o700, exist_ok=True)
            # The head first: a ledger without its note is whole, a note without its ledger would look like a loss.
            path.with_name(path.name + ".head").unlink(missing_ok=True)
            kept = path.rename(done / f"{digest(uploaded)[:16]}.jsonl")
        except OSError as error:
            raise of_file(error, path) from None
    return kept
