"""The tool's folder on this computer, its files, and writing them so that a crash leaves the old or the new one.

`journal.jsonl` and its head, `station.key` (Ed25519, 0600), `backend.json` (addresses and public keys), `token` (0600),
`ledger.jsonl` and `ledgers/` (those that were uploaded), `labels/`, `batches/` (summaries).
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning.errors import Failure, of_file

VARIABLE = "STREETLIGHT_STATE"
LOCK_WAIT_S = 20.0  # Holders append a line or rename a file: milliseconds, unless one hangs.


def folder() -> Path:
    """Where records are kept: $STREETLIGHT_STATE, else the operating system's place; made for its owner only."""
    given = os.environ.get(VARIABLE)
    if given:
        place = Path(given)
    elif sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "streetlight"
    else:
        place = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "streetlight"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise of_file(error, place) from None
    return place


def write(path: Path, data: bytes, *, private: bool = False) -> None:
    """Put `data` at `path`, whole or not at all, durable when this returns; `private`: only its owner may read it."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise of_file(error, path) from None


def sync_folder(place: Path) -> None:
    """Make a new name in a folder durable; where the system cannot, it does so by itself."""
    if sys.platform != "win32":
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def locked(path: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the lock file `path` against other processes and threads; Failure `record_busy` after `wait_s`."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise of_file(error, path) from None
    try:
        until = time.monotonic() + wait_s
        while not _take(handle):
            if time.monotonic() >= until:
                raise Failure("record_busy", str(path))
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)  # Gives the lock back, as does the end of the process.


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
