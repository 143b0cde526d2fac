"""Which schedule a lamp should hold: its own assignment, else that of the innermost zone that has one."""

from collections.abc import Mapping, Sequence


def schedule_of(
    lamp_id: int,
    by_lamp: Mapping[int, int],
    by_zone: Mapping[int, int],
    zones: Sequence[int],
    parents: Mapping[int, int | None],
) -> int | None:
    """`zones` are those that hold the lamp by itself. Of zones equally deep the first made wins. None: no schedule."""
    own = by_lamp.get(lamp_id)
    if own is not None:
        return own
    candidates = []
    for zone in zones:
        inner: int | None = zone
        while inner is not None and inner not in by_zone:
            inner = parents.get(inner)
        if inner is not None:
            candidates.append((-depth(inner, parents), inner))
    return by_zone[min(candidates)[1]] if candidates else None


def depth(zone: int, parents: Mapping[int, int | None]) -> int:
    """How many zones a zone lies within. There are no cycles (backend.zones refuses them)."""
    count = 0
    parent = parents.get(zone)
    while parent is not None:
        count += 1
        parent = parents.get(parent)
    return count
