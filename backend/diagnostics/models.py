"""The shapes of a live reading. There is no table: what a lamp says now is told and not kept."""

from typing import Any, Self

from pydantic import BaseModel

from backend.kit.times import UtcOut
from contract import paths
from contract.paths import Path


class ResourceValue(BaseModel):
    """One resource, or one instance of a multiple one. Opaque values are hexadecimal; times are Unix seconds, as the
    lamp says them."""

    path: str
    name: str
    value: bool | int | float | str
    unit: str

    @classmethod
    def of(cls, path: Path, name: str, unit: str, value: Any) -> Self:
        told = value.hex() if isinstance(value, bytes) else value
        if not isinstance(told, (bool, int, float, str)):
            told = str(told)
        return cls(path=paths.format(path), name=name, value=told, unit=unit)


class LiveReading(BaseModel):
    """What the lamp answered, in the order of the question; what it does not have is missing."""

    lamp_id: int
    at: UtcOut
    items: list[ResourceValue]
