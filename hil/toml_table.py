"""Tables of TOML into frozen dataclasses, strictly: what is missing, unknown or of another kind is named with its place
and with what it takes. Pure.

A field says what it takes with `takes`; a field of several kinds of table (`kinds`) is chosen by the table's `driver`.
"""

import math
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, Field, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from hil.errors import BenchFile

_EXAMPLE = "hil/bench.example.toml shows all keys"


def takes(
    text: str, check: Callable[[Any], object] | None = None, default: Any = MISSING, or_number: bool = False
) -> Any:
    """A field of a table. `check` refuses values of the right type; `or_number`: a number is as good as its text."""
    return field(metadata={"takes": text, "check": check, "or_number": or_number}, default=default)


def one_of(kinds: dict[str, type], default: Any = MISSING) -> Any:
    """A field that is a table with `driver`, which names one of `kinds`."""
    return field(metadata={"takes": f"a table with driver = {_listed(kinds)}", "kinds": kinds}, default=default)


def read_table(kind: type, values: dict[str, Any], where: str, name: str = "") -> Any:
    """An instance of `kind` (a dataclass); `where` is the file and `name` the table, for messages. Raises BenchFile."""
    known = {one.name: one for one in fields(kind)}
    for key in values:
        if key not in known:
            raise BenchFile(
                f"{where}: {_place(name)}there is no key {key}", f"it takes {', '.join(known) or 'no key'}; {_EXAMPLE}"
            )
    hints = typing.get_type_hints(kind)
    read = {}
    for key, one in known.items():
        if key in values:
            read[key] = _field(one, hints[key], values[key], where, name)
        elif one.default is MISSING:
            raise BenchFile(f"{where}: {_place(name)}{key} is missing", f"it takes {one.metadata['takes']}")
    return kind(**read)


def _field(one: Field[Any], hint: Any, value: Any, where: str, name: str) -> Any:
    path = f"{name}.{one.name}" if name else one.name
    if "kinds" in one.metadata:
        return _chosen(one.metadata["kinds"], value, where, path)
    inner = _inner(hint)
    if is_dataclass(inner) and isinstance(inner, type):
        if hint is inner or isinstance(hint, types.UnionType):
            if isinstance(value, dict):
                return read_table(inner, value, where, path)
        elif isinstance(value, list) and value and all(isinstance(table, dict) for table in value):
            return tuple(
                read_table(inner, table, where, f"{path}[{table.get('name', number)}]")
                for number, table in enumerate(value, 1)
            )
    elif (found := _scalar(hint, value, one.metadata["or_number"])) is not None:
        check = one.metadata["check"]
        if check is None or check(found):
            return found
    raise BenchFile(f"{where}: {_place(name)}{one.name} is {str(value)[:60]!r}", f"it takes {one.metadata['takes']}")


def _chosen(kinds: dict[str, type], value: Any, where: str, path: str) -> Any:
    driver = value.get("driver") if isinstance(value, dict) else None
    if driver not in kinds:
        what = "has no driver" if driver is None else f"has an unknown driver {driver!r}"
        raise BenchFile(f"{where}: [{path}] {what}", f"driver is {_listed(kinds)}")
    return read_table(kinds[driver], {key: one for key, one in value.items() if key != "driver"}, where, path)


def _inner(hint: Any) -> Any:
    """The dataclass in `X | None` and in `tuple[X, ...]`."""
    arguments = [one for one in typing.get_args(hint) if one not in (type(None), Ellipsis)]
    return arguments[0] if len(arguments) == 1 else hint


def _scalar(hint: Any, value: Any, or_number: bool) -> Any:
    """The value as its field wants it; None when it is of another kind."""
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            return None
        found = tuple(_scalar(_inner(hint), one, False) for one in value)
        return None if None in found else found
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if hint is float and is_number:
        return float(value)
    if hint is int and is_number and isinstance(value, int):
        return value
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and or_number and is_number and isinstance(value, int):
        return str(value)
    if hint in (str, Path) and isinstance(value, str):
        return hint(value)
    return None


def _place(name: str) -> str:
    return f"[{name}] " if name else ""


def _listed(kinds: dict[str, type]) -> str:
    return ", ".join(f'"{kind}"' for kind in kinds)
