"""What a channel did: the edges that an instrument stamped, and nothing else of it. Analysers see only this.

One trace comes from one clock. A digital instrument (a probe on a pin) gives levels 0 and 1; the simulated bench gives
the dimming output as a share of full scale, so that the same analyser serves both: the mean over a PWM period is the
duty, and that is the level.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class EdgeTrace:
    """The channel has `level[i]` (0..1) from `t_ns[i]` on, until the next edge.

    `t_ns` never goes back; it is the instrument's clock, ns. `resolution_ns` is the step of that clock;
    `uncertainty_ns` the half width within which a stamp lies around the truth (95 %), resolution included. `source`
    names instrument and channel for the report. Raises ValueError for a trace that is none.
    """

    channel: str
    t_ns: tuple[int, ...]
    level: tuple[float, ...]
    resolution_ns: int
    uncertainty_ns: int
    source: str

    def __post_init__(self) -> None:
        if len(self.t_ns) != len(self.level):
            raise ValueError(f"{self.channel}: {len(self.t_ns)} stamps for {len(self.level)} levels")
        if any(later < earlier for earlier, later in zip(self.t_ns, self.t_ns[1:], strict=False)):
            raise ValueError(f"{self.channel}: time goes back; the probe's counter wrapped or it was reset")
        if any(not 0 <= level <= 1 for level in self.level):
            raise ValueError(f"{self.channel}: a level outside 0..1")

    def __len__(self) -> int:
        return len(self.t_ns)

    def check_not_empty(self) -> None:
        """Raises ValueError when the instrument saw nothing of this channel, not even a level."""
        if not len(self):
            raise ValueError(
                f"{self.channel}: the trace is empty; look at the wiring, and whether the probe was started"
            )

    def level_at(self, t_ns: int) -> float | None:
        """The level in force at a moment; None before the first edge."""
        index = bisect_right(self.t_ns, t_ns)
        return self.level[index - 1] if index else None

    def between(self, start_ns: int, end_ns: int) -> "EdgeTrace":
        """The part in [start, end): it begins with the level in force at `start_ns`, if there was one."""
        first, last = bisect_right(self.t_ns, start_ns), bisect_right(self.t_ns, end_ns - 1)
        times, levels = self.t_ns[first:last], self.level[first:last]
        before = self.level_at(start_ns)
        if before is not None:
            times, levels = (start_ns, *times), (before, *levels)
        return replace(self, t_ns=times, level=levels)
