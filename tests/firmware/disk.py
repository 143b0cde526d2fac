"""A flash folder below `firmware.store.Files`, in memory, that remembers every step, so that power can be cut after it.

`Disk` stands in for `open` and `os` of `firmware.store`. From its journal `cuts` makes what a power cut may leave: of a
file that was open, nothing, what it held before, or any prefix of the new content, with nothing, erased flash or the
old content behind it. littlefs leaves the first two only; other file systems and worse flash leave the rest.
"""

import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

ERASED = 0xFF


class Step(NamedTuple):
    """`kind`: create, write, close, remove or sync; `note`: what the test wanted to remember at this moment."""

    kind: str
    name: str
    data: bytes
    note: Any


class Cut(NamedTuple):
    """Power is gone after `step` steps of the journal and `byte` bytes of the next; `left` is one thing that the file
    `name` may then hold (None: there is no such file), beside the `files` that were not touched."""

    step: int
    byte: int
    name: str
    left: bytes | None
    files: dict[str, bytes]

    def content(self) -> dict[str, bytes]:
        files = {name: held for name, held in self.files.items() if name != self.name}
        return files if self.left is None else {**files, self.name: self.left}


class Disk:
    """`note()` is asked at each step. `full` and `read_only` refuse changes, `unreadable` refuses files by name."""

    def __init__(self, files: dict[str, bytes] | None = None, note: Callable[[], Any] = lambda: None) -> None:
        self.files = dict(files or {})
        self.start = dict(self.files)
        self.journal: list[Step] = []
        self.note = note
        self.full = self.read_only = False
        self.unreadable: set[str] = set()

    def attach(self, monkeypatch: Any) -> None:
        """Be the flash of every store from now on."""
        monkeypatch.setattr("firmware.store.open", self.open, raising=False)
        monkeypatch.setattr("firmware.store.os", self)

    def open(self, path: str, mode: str) -> Any:
        name = path.rpartition("/")[2]
        if mode == "rb":
            if name in self.unreadable:
                raise OSError(5, "EIO")
            if name not in self.files:
                raise OSError(2, "ENOENT")
            return io.BytesIO(self.files[name])
        assert mode == "wb"
        self._may_change()
        self._step("create", name)
        self.files[name] = b""
        return _File(self, name)

    def write(self, name: str, data: bytes) -> None:
        if self.full:
            raise OSError(28, "ENOSPC")
        self._step("write", name, bytes(data))
        self.files[name] += data

    def close(self, name: str) -> None:
        self._step("close", name)

    def remove(self, path: str) -> None:
        name = path.rpartition("/")[2]
        self._may_change()
        if name not in self.files:
            raise OSError(2, "ENOENT")
        self._step("remove", name)
        del self.files[name]

    def mkdir(self, path: str) -> None:
        raise OSError(17, "EEXIST")

    def sync(self) -> None:
        self._step("sync", "")

    def _may_change(self) -> None:
        if self.read_only:
            raise OSError(30, "EROFS")

    def _step(self, kind: str, name: str, data: bytes = b"") -> None:
        self.journal.append(Step(kind, name, data, self.note()))


class _File:
    def __init__(self, disk: Disk, name: str) -> None:
        self._disk = disk
        self._name = name

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *_: object) -> None:
        self._disk.close(self._name)

    def write(self, data: bytes) -> None:
        self._disk.write(self._name, data)


def cuts(disk: Disk) -> Iterator[Cut]:
    """Everything that a cut at any step or byte of the journal may leave on flash."""
    files, old = dict(disk.start), None
    for place, step in enumerate(disk.journal):
        name = step.name
        if step.kind == "create":
            old = files.get(name)
            yield Cut(place, 0, name, old, files)
            yield Cut(place + 1, 0, name, None, files)
            yield Cut(place + 1, 0, name, b"", files)
            files[name] = b""
        elif step.kind == "write":
            size = len(files[name]) + sum(len(later.data) for later in _until_closed(disk.journal, place))
            for byte in range(1, len(step.data) + 1):
                begun = files[name] + step.data[:byte]
                behind = {begun, begun + bytes([ERASED]) * (size - len(begun)), begun + (old or b"")[len(begun) :]}
                yield Cut(place, byte, name, old, files)
                for left in behind:
                    yield Cut(place, byte, name, left, files)
            files[name] += step.data
        elif step.kind == "remove":
            yield Cut(place, 0, name, files[name], files)
            del files[name]
            yield Cut(place + 1, 0, name, None, files)
        elif name:
            yield Cut(place + 1, 0, name, files[name], files)
    assert files == disk.files


def _until_closed(journal: list[Step], place: int) -> Iterator[Step]:
    while journal[place].kind == "write":
        yield journal[place]
        place += 1
