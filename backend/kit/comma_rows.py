"""Lines of comma-separated values for people's spreadsheets.

Source: RFC 4180 (quotes, CRLF), in UTF-8. A spreadsheet runs a cell that begins with =, +, -, @, tab or return as a
formula, and a name or note may be anybody's: such text gets an apostrophe in front, which spreadsheets take as "text".
Numbers are left as they are.
"""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # spreadsheets read the full-width ones too


def lines(rows: Iterable[Sequence[object]]) -> str:
    """Each row as one line; None is an empty cell, a bool `true` or `false`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return value
