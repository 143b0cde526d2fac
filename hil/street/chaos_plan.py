"""What goes wrong in a night of chaos, and when: a pure function of seed, number of lamps and length.

Times are real seconds since the play begins, which is late afternoon; at its end it is morning, however fast.
What the plan does not do is what would make a verdict impossible: a planted fault has a lamp with power, light and a
level at which it can be seen, for long enough to be noticed and to be seen healed; the last tenth is left in peace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

# Local time of the play, in hours after noon: from before sunset to after sunrise, near the equator.
BEGINS_H = 5.5
NIGHT_H = 13.0

SHORTEST_S = 60.0
# Of the schedule: levels that no override uses. Night is half way down from 22:00 to 04:00.
LEVELS = (100, 50, 80)
HALF_LIGHT = (0.37, 0.77)
DARK = (0.10, 0.90)

# A lamp's registration lifetime, and a cut that is long enough to be missed; real seconds.
LIFETIME_S = 15
MISSED_S = LIFETIME_S + 6.0
# Real seconds in which a planted fault, or its repair, is surely seen by a lamp that runs.
SEEN_S = 4.0
BOOT_S = 3.0

# Faults to plant, with the part of the play in which each can be seen.
FAULTS = {
    "lamp_failure": DARK,
    "low_voltage": DARK,
    "high_voltage": DARK,
    "control_gear_failure": HALF_LIGHT,
}

WORDS = {
    "cut": "power cut",
    "restart": "power cut and return without network, so without clock",
    "kill": "backend killed",
    "blackout": "network silent",
    "storm": "network stormy",
    "drift": "crystal drifts",
    "fault": "fault planted",
    "repair": "fault repaired",
    "override": "override asked for",
    "cancel": "override cancelled",
}


@dataclass(frozen=True)
class Event:
    """`kind` is one of WORDS; `lamps` whom it hits; `for_s` how long it lasts (0: for good); `value` is the fault's
    name, the level of the override, or the drift in ppm."""

    at_s: float
    kind: str
    lamps: tuple[int, ...] = ()
    for_s: float = 0.0
    value: str | int = 0


def rate(length_s: float) -> int:
    """How fast the wall clock runs, so that the play covers the night."""
    return max(1, round(NIGHT_H * 3600 / length_s))


def drifts(seed: int, lamps: int) -> list[int]:
    """How far each lamp's crystal is off from the beginning, in ppm."""
    draw = Random(f"{seed}/drifts")
    return [draw.randrange(-200, 201) for _ in range(lamps)]


def plan(seed: int, feeders: Sequence[str], length_s: float) -> list[Event]:
    """The events in order of time for lamps on `feeders` (one name a lamp).

    Raises ValueError for fewer than 3 lamps or less than a minute."""
    if len(feeders) < 3 or length_s < SHORTEST_S:
        raise ValueError("chaos needs at least 3 lamps and 1 minute: choose --lamps and --minutes so")
    draw = Random(f"{seed}/{len(feeders)}/{length_s}")
    lamps = list(range(len(feeders)))
    draw.shuffle(lamps)
    # Faults, overrides and power cuts hit lamps of their own: what one lamp must report, no other event takes away.
    share = max(1, len(lamps) // 4)
    faulty, overridden, cut = lamps[:share], lamps[share : 2 * share], lamps[2 * share :]
    events = _faults(draw, faulty, length_s)
    events += _overrides(draw, overridden + cut[: (share + 1) // 2], length_s)
    feeder = draw.choice(sorted({feeders[lamp] for lamp in cut}))
    missed = tuple(lamp for lamp in cut if feeders[lamp] == feeder)
    others = [lamp for lamp in cut if lamp not in missed]
    events += _cuts(draw, missed, others, length_s)
    events += _network(draw, others, len(lamps), length_s)
    events += _kills(draw, next(event for event in events if event.lamps == missed and event.kind == "cut"), length_s)
    events += [
        Event(draw.uniform(0.2, 0.7) * length_s, "drift", (lamp,), 0, draw.choice((-1, 1)) * draw.randrange(200, 501))
        for lamp in draw.sample(lamps, share)
    ]
    return sorted(events, key=lambda event: event.at_s)


def _faults(draw: Random, lamps: Sequence[int], length_s: float) -> list[Event]:
    """One fault a lamp, planted and repaired; every third lamp also loses power for a moment in between."""
    events = []
    for number, lamp in enumerate(lamps):
        name = draw.choice(sorted(FAULTS))
        first_s, last_s = (part * length_s for part in FAULTS[name])
        latest_s = last_s - SEEN_S
        planted_s = draw.uniform(first_s, first_s + (latest_s - first_s) * 0.3)
        repaired_s = draw.uniform(planted_s + (latest_s - planted_s) * 0.7, latest_s)
        events += [Event(planted_s, "fault", (lamp,), 0, name), Event(repaired_s, "repair", (lamp,), 0, name)]
        cut_s = planted_s + SEEN_S
        if number % 3 == 2 and cut_s + 2 + BOOT_S + SEEN_S < repaired_s:
            events.append(Event(cut_s, "cut", (lamp,), draw.uniform(0.2, 2)))
    return events


def _overrides(draw: Random, lamps: Sequence[int], length_s: float) -> list[Event]:
    """One override a lamp with a level of its own; half of them are cancelled before they end."""
    events = []
    levels = draw.sample([level for level in range(15, 96) if level not in LEVELS], len(lamps))
    for number, (lamp, level) in enumerate(zip(lamps, levels, strict=True)):
        begins_s = draw.uniform(0.08, 0.5) * length_s
        lasts_s = draw.uniform(0.2, 0.35) * length_s
        events.append(Event(begins_s, "override", (lamp,), lasts_s, level))
        if number % 2:
            events.append(Event(begins_s + lasts_s * draw.uniform(0.3, 0.7), "cancel", (lamp,), 0, level))
    return events


def _cuts(draw: Random, missed: tuple[int, ...], others: Sequence[int], length_s: float) -> list[Event]:
    """The feeder's lamps for longer than a lifetime, with nothing else that touches them; others for moments."""
    long_s = max(MISSED_S, 0.12 * length_s)
    events = [Event(draw.uniform(0.25, 0.85 - long_s / length_s) * length_s, "cut", missed, long_s)]
    for lamp in others:
        for _ in range(1 + int(length_s // 120)):
            events.append(Event(draw.uniform(0.05, 0.85) * length_s, "cut", (lamp,), draw.uniform(0.2, 4)))
    return events


def _kills(draw: Random, missing: Event, length_s: float) -> list[Event]:
    """The backend is killed, and started again, at any time but while it has a feeder to miss: it counts a silence
    from when it listens."""
    events: list[Event] = []
    while len(events) < 1 + int(length_s // 90):
        at_s, lasts_s = draw.uniform(0.1, 0.8) * length_s, draw.uniform(0.5, 2.5)
        if not missing.at_s - lasts_s - BOOT_S < at_s < missing.at_s + missing.for_s:
            events.append(Event(at_s, "kill", (), lasts_s))
    return events


def _network(draw: Random, cut: Sequence[int], lamps: int, length_s: float) -> list[Event]:
    """A storm, silences of a few seconds for everybody, and a lamp that returns in such a silence, without a clock."""
    events = [Event(draw.uniform(0.3, 0.6) * length_s, "storm", (), length_s / 6)]
    for number in range(1 + int(length_s // 60)):
        at_s = draw.uniform(0.1, 0.8) * length_s
        lasts_s = draw.uniform(3, 6)
        events.append(Event(at_s, "blackout", tuple(range(lamps)), lasts_s))
        if cut and number % 2 == 0:
            events.append(Event(at_s + 0.3, "restart", (draw.choice(cut),), 0.5))
    return events
