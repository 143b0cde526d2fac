"""From single losses to what happened: which lamps were lost together, and what that says about the cause. Pure.

A lamp does not say when it is lost; its silence is noticed a lifetime later. So a loss is an interval, from the moment
it was last heard until its silence counted, and lamps were lost together when their intervals have a moment in common.
Lifetimes that differ spread the moments of notice, not the intervals.

Likely causes:  supply    (nearly) all lamps of a feeder or a cabinet; or a part of one feeder: a phase, a broken cable
                network   a neighbourhood: lamps of several feeders, none of which explains them
                backend   nearly all lamps: `deafness`
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from backend.incidents.bounds import Bounds


class Cause(StrEnum):
    SUPPLY = "supply"
    NETWORK = "network"
    BACKEND = "backend"


class Scope(StrEnum):
    """What the members have in common, narrow to wide."""

    FEEDER = "feeder"
    CABINET = "cabinet"
    ALL = "all"

    @property
    def width(self) -> int:
        return list(Scope).index(self)


class Place(NamedTuple):
    """Where a lamp hangs; "" is not known."""

    feeder: str
    cabinet: str

    def lies_in(self, scope: Scope, name: str) -> bool:
        if scope is Scope.ALL:
            return True
        return name == (self.feeder if scope is Scope.FEEDER else self.cabinet)


class Loss(NamedTuple):
    """A lamp that is lost, some time in [from, to]; real time."""

    lamp_id: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True)
class Finding:
    """Lamps that were lost together, between `from_ms` and `to_ms`, real time. `of` lamps could have been."""

    cause: Cause
    scope: Scope
    name: str
    lamp_ids: frozenset[int]
    of: int
    from_ms: int
    to_ms: int


class Cluster(NamedTuple):
    """Losses with a moment in common, and the interval that they share."""

    lamp_ids: frozenset[int]
    from_ms: int
    to_ms: int


def find(
    losses: Iterable[Loss], inventory: Mapping[int, Place], now_ms: int, bounds: Bounds | None = None
) -> list[Finding]:
    """What the lost lamps have in common; no lamp is in two findings.

    `inventory` has every lamp that should be heard, the lost ones among them; lamps that are not in it are passed over.
    """
    bounds = bounds or Bounds()
    lost = [loss for loss in losses if loss.lamp_id in inventory and loss.from_ms <= now_ms]
    ground = _Ground(lost, inventory)
    feeders = [one for name in ground.names(Scope.FEEDER) if (one := _feeder(name, ground, bounds)) is not None]
    cabinets = [
        one for name in ground.names(Scope.CABINET) if (one := _cabinet(name, ground, feeders, bounds)) is not None
    ]
    narrow = cabinets + _outside(feeders, cabinets)
    wide = _everywhere(ground, narrow, bounds)
    return narrow if wide is None else [wide, *_outside(narrow, [wide])]


class _Ground:
    """The losses and the numbers of lamps by scope and name, counted once."""

    def __init__(self, lost: Sequence[Loss], inventory: Mapping[int, Place]) -> None:
        self.inventory = inventory
        self._lost: dict[tuple[Scope, str], list[Loss]] = {}
        self._lamps: Counter[tuple[Scope, str]] = Counter()
        for loss in lost:
            for key in _keys(inventory[loss.lamp_id]):
                self._lost.setdefault(key, []).append(loss)
        for place in inventory.values():
            self._lamps.update(_keys(place))

    def names(self, scope: Scope) -> list[str]:
        """Of the feeders or cabinets that lost something."""
        return sorted(name for kind, name in self._lost if kind is scope and name)

    def cluster(self, scope: Scope, name: str, bounds: Bounds) -> tuple[Cluster, int]:
        """The losses of a scope that happened together, and of how many: lamps that were lost before do not count."""
        within = self._lost.get((scope, name))
        if not within:
            return Cluster(frozenset(), 0, 0), 0
        cluster = together(within, bounds.slack_s * 1000)
        return cluster, self._lamps[scope, name] - (len(within) - len(cluster.lamp_ids))


def _keys(place: Place) -> tuple[tuple[Scope, str], ...]:
    return (Scope.FEEDER, place.feeder), (Scope.CABINET, place.cabinet), (Scope.ALL, "")


def together(losses: Sequence[Loss], slack_ms: int) -> Cluster:
    """The most losses that have a moment in common; of equal ones the latest."""
    starts = sorted(loss.from_ms for loss in losses)
    ends = sorted(loss.to_ms + slack_ms for loss in losses)
    best, at_ms, ended = 0, 0, 0
    for begun, start in enumerate(starts, 1):
        while ends[ended] < start:
            ended += 1
        if begun - ended >= best:
            best, at_ms = begun - ended, start
    members = [loss for loss in losses if loss.from_ms <= at_ms <= loss.to_ms + slack_ms]
    return Cluster(frozenset(loss.lamp_id for loss in members), at_ms, max(at_ms, min(loss.to_ms for loss in members)))


def _feeder(name: str, ground: _Ground, bounds: Bounds) -> Finding | None:
    cluster, of = ground.cluster(Scope.FEEDER, name, bounds)
    number = len(cluster.lamp_ids)
    whole = number >= bounds.least_lamps and bounds.is_nearly_all(number, of)
    if whole or (number >= bounds.part_least and number >= bounds.part_share * of):
        return Finding(Cause.SUPPLY, Scope.FEEDER, name, cluster.lamp_ids, of, cluster.from_ms, cluster.to_ms)
    return None


def _cabinet(name: str, ground: _Ground, feeders: Sequence[Finding], bounds: Bounds) -> Finding | None:
    cluster, of = ground.cluster(Scope.CABINET, name, bounds)
    number = len(cluster.lamp_ids)
    if len({ground.inventory[lamp_id].feeder for lamp_id in cluster.lamp_ids}) < 2 and any(
        cluster.lamp_ids <= finding.lamp_ids for finding in feeders
    ):
        return None  # one feeder says it all
    whole_feeders = [
        one for one in feeders if one.lamp_ids <= cluster.lamp_ids and bounds.is_nearly_all(len(one.lamp_ids), one.of)
    ]
    unexplained = number - len(_covered(cluster, whole_feeders))
    whole = number >= bounds.least_lamps and bounds.is_nearly_all(number, of)
    if not whole:
        if number < bounds.part_least or number < bounds.part_share * of:
            return None
        if unexplained < bounds.part_least and len(whole_feeders) < 2:
            return None
    cause = Cause.SUPPLY if whole or unexplained < bounds.part_least else Cause.NETWORK
    return Finding(cause, Scope.CABINET, name, cluster.lamp_ids, of, cluster.from_ms, cluster.to_ms)


def _everywhere(ground: _Ground, narrow: Sequence[Finding], bounds: Bounds) -> Finding | None:
    """An incident of the whole installation: where cabinets and feeders do not say it all, or several of them do."""
    cluster, of = ground.cluster(Scope.ALL, "", bounds)
    number = len(cluster.lamp_ids)
    if number < bounds.wide_least or number < bounds.wide_share * of:
        return None
    groups = [finding for finding in narrow if finding.lamp_ids <= cluster.lamp_ids]
    unexplained = number - len(_covered(cluster, groups))
    is_network = unexplained >= bounds.wide_least or any(one.cause is Cause.NETWORK for one in groups)
    if unexplained < bounds.wide_least and len(groups) < (2 if is_network else 3):
        return None
    cause = Cause.NETWORK if is_network else Cause.SUPPLY
    return Finding(cause, Scope.ALL, "", cluster.lamp_ids, of, cluster.from_ms, cluster.to_ms)


def _covered(cluster: Cluster, findings: Iterable[Finding]) -> frozenset[int]:
    covered: frozenset[int] = frozenset().union(*(finding.lamp_ids for finding in findings))
    return covered & cluster.lamp_ids


def _outside(narrow: Iterable[Finding], wide: Sequence[Finding]) -> list[Finding]:
    """The findings that share no lamp with a wider one."""
    taken: frozenset[int] = frozenset().union(*(other.lamp_ids for other in wide))
    return [one for one in narrow if taken.isdisjoint(one.lamp_ids)]
