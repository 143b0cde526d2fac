"""What can go wrong, as one kind of error with a code.

Exception
└── Failure(code, detail)     a known bad end: `.advice(language)` says what to do, `.exit_status` is the process's
    └── Refusals(code, lines) many places in one file are wrong, each with its line: a manifest

Foreign exceptions become one of these at the adapter that met them. A detail names things (a port, a file, a field) and
never holds a key, a password or a token: it is printed, kept in the journal and sent to the office.
"""

import errno
from collections.abc import Sequence
from pathlib import Path

from provisioning.codes import ALL, Code

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Failure(Exception):
    """A run that ends; `code` is a name of `codes.ALL`, `detail` what was met, in English, for the journal."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.row: Code = ALL[code]
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}" if detail else code)

    @property
    def exit_status(self) -> int:
        return self.row.exit_status

    def advice(self, language: str = "en") -> str:
        """What a person does now, in `language` ("en" or "vi")."""
        return self.row.advice(language)

    def __reduce__(self) -> tuple[type["Failure"], tuple[str, str]]:
        return type(self), (self.code, self.detail)


class Refusals(Failure):
    """A file with errors in `lines`: pairs of line number (1 is the first) and reason."""

    def __init__(self, code: str, lines: Sequence[tuple[int, str]]) -> None:
        self.lines = tuple(lines)
        shown = "; ".join(f"line {number}: {reason}" for number, reason in self.lines[:3])
        more = f"; and {len(self.lines) - 3} more" if len(self.lines) > 3 else ""
        super().__init__(code, shown + more)

    def __reduce__(self) -> tuple[type["Refusals"], tuple[str, tuple[tuple[int, str], ...]]]:  # type: ignore[override]
        return Refusals, (self.code, self.lines)


def of_file(error: OSError, path: Path) -> Failure:
    """The `Failure` for a file of this computer that could not be read or written."""
    code = "disk_full" if error.errno in _NO_ROOM else "folder_denied"
    return Failure(code, f"{path}: {error.strerror or type(error).__name__}")
