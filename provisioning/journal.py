"""The record of what was done to which board by whom: JSON lines that hang together by their digests.

Events of a board: `assigned` (a batch gave it a plate), `drawn` (keys exist), `written`, `passed` (self-test),
`enrolled` or `recorded` (in the ledger), `sealed`, `labelled`, `failed` (with code), `wiped`, `replaced`, `secured`.
Of the journal itself: `torn` (a crash left half a line, kept in this entry). Keys, passwords and tokens are refused.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.ledger import canonical
from provisioning.chain import Chain, Head

FILE = "journal.jsonl"
FORGOTTEN_BY = ("wiped", "replaced")
SECRETS = frozenset({"master_secret", "master_salt", "secret", "salt", "wifi_password", "password", "token"})
_OWN = frozenset({"at", "operator", "event", "previous"})


@dataclass(frozen=True)
class Board:
    """What the journal knows of one board: its last event, and all facts told since it was wiped or replaced."""

    mac: str
    event: str
    at: str
    operator: str
    facts: dict[str, Any] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    """All events since then, oldest first."""

    @property
    def is_finished(self) -> bool:
        """Sealed and labelled, and nothing undid it."""
        return "sealed" in self.events and "labelled" in self.events


class Journal:
    """The journal in `folder`; `operator` is who holds the cable, `now` gives milliseconds UTC since 1970."""

    def __init__(self, folder: Path, operator: str, now: Callable[[], int]) -> None:
        self.chain = Chain(folder / FILE, "journal_broken")
        self._operator = operator
        self._now = now

    def append(self, event: str, **facts: Any) -> Head:
        """Write one event, durable on return; Failure `disk_full`, `record_busy`, `journal_broken`, `folder_denied`.

        `mac` (as `plate.format_mac` writes it) ties it to a board. Raises ValueError for the name of a secret.
        """
        if forbidden := (SECRETS | _OWN) & set(facts):
            raise ValueError(f"no journal entry holds {', '.join(sorted(forbidden))}")

        def lines(head: Head, torn: bytes | None) -> list[bytes]:
            made: list[bytes] = []
            if torn is not None:
                text = torn.decode("utf-8", "backslashreplace")
                head = self._add(made, head, "torn", {"bytes": len(torn), "text": text[:2000]})
            self._add(made, head, event, facts)
            return made

        return self.chain.append(lines)

    def _add(self, made: list[bytes], head: Head, event: str, facts: dict[str, Any]) -> Head:
        entry = {"at": iso(self._now()), "operator": self._operator, "event": event, "previous": head.last, **facts}
        made.append(canonical(entry))
        return head.after(made[-1])

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every entry, oldest first, checked on the way; Failure `journal_broken` at the first that was changed."""
        return self.chain.entries()

    def check(self) -> Head:
        """Walk the whole journal; Failure `journal_broken` names the line."""
        return self.chain.check()

    def size(self) -> int:
        """Bytes of the journal: as long as they are the same, nothing came."""
        return self.chain.size()

    def boards(self) -> dict[str, Board]:
        """The last known state of every board, by MAC."""
        found: dict[str, Board] = {}
        for entry in self.entries():
            mac = entry.get("mac")
            if isinstance(mac, str):
                found[mac] = _fold(found.get(mac), mac, entry)
        return found

    def board(self, mac: str) -> Board | None:
        """The last known state of one board; None: it was never here."""
        known: Board | None = None
        for entry in self.entries():
            if entry.get("mac") == mac:
                known = _fold(known, mac, entry)
        return known


def _fold(before: Board | None, mac: str, entry: dict[str, Any]) -> Board:
    facts = {name: value for name, value in entry.items() if name not in _OWN and name != "mac"}
    events: tuple[str, ...] = (entry["event"],)
    if before is not None and before.event not in FORGOTTEN_BY and entry["event"] not in FORGOTTEN_BY:
        facts, events = {**before.facts, **facts}, before.events + events
    return Board(mac, entry["event"], entry["at"], entry["operator"], facts, events)


def iso(ms: int) -> str:
    """`2026-11-23T05:11:20.123Z`."""
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
