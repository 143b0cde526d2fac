"""What a check wants the city around its boards to be: the time it is there, where it is, its schedule."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hil.bench import Bench
from hil.seams import BoardFacts
from hil.street.plan import TIME_ZONE

# A lamp that always shines at this level: what a command changes is seen against it.
STEADY_LEVEL = 80


def steady(level: int = STEADY_LEVEL) -> dict[str, Any]:
    """A schedule (as the API takes it) with one level by day and night."""
    name = f"Always {level}"
    return {
        "name": name,
        "programs": [{"name": name, "switch_points": [{"at": "12:00", "level": level}]}],
        "calendar": [{"program": name, "type": "night"}],
    }


@dataclass(frozen=True)
class Scene:
    """`start` is the city's local time when it opens (None: any), in IANA zone `time_zone`; `rate`: how fast its wall
    clock runs; `boards`: how many it wants at most (None: all); `physics` adds to each lamp's own. All of that is for a
    simulated bench: a real one has the time that it is, at rate 1, and the boards that it has."""

    start: datetime | None = None
    time_zone: str = TIME_ZONE
    rate: int = 1
    boards: int | None = None
    schedule: Mapping[str, Any] = field(default_factory=steady)
    physics: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Traits:
    """What a bench is known to have before a scene is opened."""

    is_simulated: bool
    boards: int
    has_consoles: bool


class Benches(Protocol):
    """A bench that can be set for one scene after another; a simulated one for several at a time."""

    name: str
    traits: Traits

    def start(self) -> None:
        """Open what stays open, and measure what belongs to the computer. Raises BenchError."""

    def open(self, scene: Scene, is_settled: bool = True) -> AbstractContextManager[Bench]:
        """All boards online, holding the scene's schedule; as it stands for who asks what is wrong with it (not
        `is_settled`). Raises BenchError."""

    def describe(self) -> str:
        """The instrument, for the report."""

    def boards(self) -> tuple[tuple[str, BoardFacts], ...]: ...

    def firmware_sha256(self) -> str:
        """Of the image that the boards carry; empty when there is none to hash."""

    def jitter_floor_s(self) -> float | None:
        """What the computer alone is late by (p99); None on real boards."""

    def close(self) -> None: ...
