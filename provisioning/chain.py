"""Append-only files of JSON lines, each with the SHA-256 of the line before: journal and ledger are two of them.

A line counts when its newline is on the disk. A process that dies while it writes leaves a torn last line, which the
next one cuts off and tells. `<name>.head` holds number and digest of the last line that was finished, so that a file
cut short at its end, or changed in its last line, is found as well. A person who rewrites file and head together is
not: for that the heads that summaries and uploads carry are compared.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.ledger import digest
from provisioning import state
from provisioning.errors import Failure, of_file

NOTHING = "0" * 64  # What the first line has before it.
_TAIL = 65536  # Lines are under 4 KB; the last whole one is within this.


@dataclass(frozen=True)
class Head:
    """The end of a chain: how many lines, and the digest of the last."""

    count: int
    last: str

    def after(self, line: bytes) -> "Head":
        """The head when `line` was added."""
        return Head(self.count + 1, digest(line))


class Chain:
    """The file at `path`; `broken` is the code of the Failure when it is not as it was written."""

    def __init__(self, path: Path, broken: str) -> None:
        self.path = path
        self._head_path = path.with_name(path.name + ".head")
        self._lock = path.with_name(path.name + ".lock")
        self._broken = broken

    def append(self, make: Callable[[Head, bytes | None], list[bytes]]) -> Head:
        """Add the lines that `make(head, torn)` gives, durable on return; `torn` is what a crash left behind, or None.

        Failure `disk_full` leaves the file as it was; `record_busy`; the chain's own when its end was changed.
        """
        with state.locked(self._lock):
            try:
                return self._append(make)
            except OSError as error:
                raise of_file(error, self.path) from None

    def _append(self, make: Callable[[Head, bytes | None], list[bytes]]) -> Head:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            size = os.fstat(handle).st_size
            start = max(0, size - _TAIL)
            tail = _read(handle, start, size)
            whole, _, torn = tail.rpartition(b"\n")
            if len(torn) == _TAIL:
                raise Failure(self._broken, f"{self.path} ends with {_TAIL} bytes that are no line")
            kept = size - len(torn)
            head = self._end(kept, whole)
            lines = make(head, torn or None)
            try:
                _write(handle, kept, b"".join(line + b"\n" for line in lines))
                os.fsync(handle)
            except OSError:
                _write(handle, kept, torn)
                raise
        finally:
            os.close(handle)
        for line in lines:
            head = head.after(line)
        if size == 0:
            state.sync_folder(self.path.parent)
        # The line stands, whatever becomes of its note: the next one finds the chain ahead of its note, and walks it.
        with suppress(Failure):
            state.write(self._head_path, f"{head.count} {head.last}\n".encode(), private=True)
        return head

    def _end(self, kept: int, whole: bytes) -> Head:
        """The head of the file's `kept` bytes, whose last lines are `whole`; it may be one crash ahead of the note."""
        noted = self.noted()
        if kept == 0:
            if noted.count:
                raise Failure(self._broken, f"{self.path} is empty and had {noted.count} lines")
            return noted
        last = digest(whole.rpartition(b"\n")[2])
        if last == noted.last:
            return noted
        return self.check()  # A crash between line and note, or a change: the whole chain tells which.

    def noted(self) -> Head:
        """The head as it was noted last; a file that was never written has none."""
        try:
            count, last = self._head_path.read_text(encoding="ascii").split()
            return Head(int(count), last)
        except FileNotFoundError:
            return Head(0, NOTHING)
        except (ValueError, OSError):
            raise Failure(self._broken, f"{self._head_path} cannot be read") from None

    def size(self) -> int:
        """Bytes of the file; 0 when it is not there."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number (1 is the first) and bytes of each whole line."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise of_file(error, self.path) from None
        yield from enumerate(data.split(b"\n")[:-1], 1)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Each line's fields, in order, each tied to the one before; raises the chain's Failure at the first that is
        not, and at the end when the file is shorter than it was noted."""
        for _, fields in self._walk():
            yield fields

    def check(self) -> Head:
        """Walk the whole chain; its head, or the Failure that names the first line that was changed."""
        return max((head for head, _ in self._walk()), key=lambda head: head.count, default=Head(0, NOTHING))

    def _walk(self) -> Iterator[tuple[Head, dict[str, Any]]]:
        noted, head = self.noted(), Head(0, NOTHING)
        for number, line in self.lines():
            try:
                fields = json.loads(line)
                tied = isinstance(fields, dict) and fields.get("previous", NOTHING) == head.last
            except ValueError:
                tied = False
            if not tied:
                raise Failure(self._broken, f"{self.path}:{number} does not follow from the line before")
            head = head.after(line)
            if number == noted.count and head != noted:
                raise Failure(self._broken, f"{self.path}:{number} is not what was written last")
            yield head, fields
        if head.count < noted.count:
            raise Failure(self._broken, f"{self.path} has {head.count} lines and had {noted.count}")


def _read(handle: int, start: int, end: int) -> bytes:
    os.lseek(handle, start, os.SEEK_SET)
    parts = []
    while start < end and (part := os.read(handle, end - start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _write(handle: int, at: int, data: bytes) -> None:
    """Make the file end with `data` from `at` on."""
    os.ftruncate(handle, at)
    os.lseek(handle, at, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
