"""The query parameter `sort`: a name from a list, with a minus in front for descending."""

from collections.abc import Mapping
from typing import TypeVar

from backend.errors import BadInput

Column = TypeVar("Column")


def parse_sort(text: str, columns: Mapping[str, Column]) -> tuple[Column, bool]:
    """`-name` -> `(columns["name"], True)`: the column and whether it descends. Raises `BadInput` with the names."""
    name = text.removeprefix("-")
    if name not in columns:
        raise BadInput.of("sort", f"choose one of {', '.join(columns)}, with - in front for descending")
    return columns[name], text.startswith("-")
