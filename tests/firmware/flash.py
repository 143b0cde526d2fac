"""A flash folder in memory that obeys the rules of the real one: a write can be cut after any byte, and is torn."""

from collections.abc import Iterator


class PowerCut(Exception):
    """The supply went away; nothing after this happened."""


class Flash:
    """The verbs of `firmware.store.Files`. After `budget` steps (a truncation, a byte, a removal) the power is cut.

    `refuse` makes every change an OSError (ENOSPC); `rot` flips a bit of what is stored.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.steps = 0
        self.budget: int | None = None
        self.refuse = False
        self.deaf = False
        self.unreadable = False

    def pieces(self, name: str) -> Iterator[bytes]:
        content = self._content(name)
        yield from (content[at : at + 256] for at in range(0, len(content), 256))

    def read(self, name: str, start: int, count: int) -> bytes:
        return self._content(name)[start : start + count]

    def _content(self, name: str) -> bytes:
        if self.unreadable:
            raise OSError(5, "EIO")
        if name not in self.files:
            raise OSError(2, "ENOENT")
        return self.files[name]

    def write(self, name: str, parts: list[bytes]) -> None:
        data = b"".join(parts)
        if self.refuse:
            raise OSError(28, "ENOSPC")
        self._step()
        if self.deaf:
            return
        self.files[name] = b""
        for index in range(len(data)):
            self._step()
            self.files[name] = data[: index + 1]
        self._step()

    def remove(self, name: str) -> None:
        if self.refuse:
            raise OSError(30, "EROFS")
        self._step()
        self.files.pop(name, None)
        self._step()

    def rot(self, name: str, index: int, bit: int = 0) -> None:
        content = bytearray(self.files[name])
        content[index] ^= 1 << bit
        self.files[name] = bytes(content)

    def _step(self) -> None:
        if self.budget is not None and self.steps >= self.budget:
            raise PowerCut
        self.steps += 1


def cuts(steps: int) -> Iterator[int]:
    """Every number of steps after which an operation of `steps` can be cut."""
    yield from range(steps)
