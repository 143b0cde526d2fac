"""A value change dump as it streams in, one bit a channel. Pure: bytes in, changes out.

Source of truth: IEEE 1364-2001, chapter 18; what libsigrok writes of it.
"""

import re
from typing import NamedTuple

from hil.errors import InstrumentFailed

_UNITS_FS = {"s": 10**15, "ms": 10**12, "us": 10**9, "ns": 10**6, "ps": 1000, "fs": 1}
_TIMESCALE = re.compile(r"\$timescale\s+(\d+)\s*([munpf]?s)\s+\$end")
_VARIABLE = re.compile(r"\$var\s+\w+\s+(\d+)\s+(\S+)\s+(\S+)(?:\s+\[[\d:]+\])?\s+\$end")
_END = "$enddefinitions $end"
# A header is some hundred bytes.
_LONGEST_HEADER = 100_000


class Change(NamedTuple):
    """A channel has `level` (0 or 1) from `t_ns` on. The first of each channel says how it begins."""

    t_ns: int
    channel: str
    level: int


class Dump:
    """Feed it pieces of any size. Raises InstrumentFailed for what is no dump of single bits."""

    def __init__(self) -> None:
        self._text = ""
        self._scale_fs = 0
        self._names: dict[str, str] = {}
        self._t_ns = 0

    @property
    def has_header(self) -> bool:
        return self._scale_fs > 0

    def feed(self, data: bytes) -> list[Change]:
        self._text += data.decode("ascii", "replace")
        if not self.has_header and not self._read_header():
            return []
        # The last word may be cut in two.
        end = max(self._text.rfind(" "), self._text.rfind("\n")) + 1
        words, self._text = self._text[:end].split(), self._text[end:]
        changes = []
        for word in words:
            if word[0] == "#":
                self._advance(word[1:])
            elif word[0] in "01":
                changes.append(Change(self._t_ns, self._name(word[1:]), int(word[0])))
            elif word[0] != "$":  # $dumpvars and its $end frame what is there at the start
                raise InstrumentFailed(f"the dump says {word[:20]!r}, which is no bit", _ADVICE)
        return changes

    def _read_header(self) -> bool:
        head, found, rest = self._text.partition(_END)
        if not found:
            if len(self._text) > _LONGEST_HEADER:
                raise InstrumentFailed("what comes is no value change dump", _ADVICE)
            return False
        scale = _TIMESCALE.search(head)
        self._names = {match[2]: match[3] for match in _VARIABLE.finditer(head) if match[1] == "1"}
        if scale is None or not self._names:
            raise InstrumentFailed("the dump names no timescale or no channel", _ADVICE)
        self._scale_fs = int(scale[1]) * _UNITS_FS[scale[2]]
        self._text = rest
        return True

    def _advance(self, number: str) -> None:
        if not number.isdecimal():
            raise InstrumentFailed(f"the dump's time is {number[:20]!r}", _ADVICE)
        self._t_ns = int(number) * self._scale_fs // 1_000_000

    def _name(self, identifier: str) -> str:
        if identifier not in self._names:
            raise InstrumentFailed(f"the dump changes {identifier[:20]!r}, which it never named", _ADVICE)
        return self._names[identifier]


_ADVICE = "run the same sigrok-cli command in a terminal and look at what it prints"
