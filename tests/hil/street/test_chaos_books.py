"""The verdict on a night: each way in which a street can fail fails its check, and only that one."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hil.street import chaos_books, chaos_plan
from hil.street.chaos import HOUR_MS, NOON_MS, Asked, iso
from hil.street.passages import Passages
from hil.street.plan import plan
from hil.street.walltime import WallTime

RATE = 1000
BEGIN_NS = 10**12
BEGINS_MS = NOON_MS + round(chaos_plan.BEGINS_H * HOUR_MS)
WALL = WallTime(BEGIN_NS, BEGINS_MS, RATE)
SECOND = 10**9
END_NS = BEGIN_NS + 50 * SECOND
# Sunset about half an hour after the begin, 22:00 and 04:00 after 4.5 and 10.5 hours, sunrise two hours later.
SUNSET_S, HALF_S, MORE_S, SUNRISE_S = 2.0, 16.2, 37.8, 45.3


def at(second: float) -> int:
    return BEGIN_NS + round(second * SECOND)


def utc(second: float) -> str:
    return iso(WALL.utc_ms(at(second)))


class FakeLamp:
    def __init__(self, directory: Path, number: int) -> None:
        self.pole = plan(3)[number]
        self.trace_file = directory / f"trace{number}.txt"
        self.resets = self.watchdog_bites = 0
        self.exit_codes: list[int] = []
        self.lines: list[str] = []
        self.clocked(-4)
        self.changes: list[tuple[float, int]] = [
            (-5, 100), (-4, 0), (SUNSET_S, 100), (HALF_S, 50), (MORE_S, 80), (SUNRISE_S, 0)
        ]  # fmt: skip

    def clocked(self, second: float) -> None:
        self.lines.append(f"{WALL.utc_ms(at(second))} time taken error_bound_ms=300 samples=3")

    def log(self) -> str:
        return "\n".join(self.lines)

    def write_trace(self) -> None:
        rows = sorted(self.changes)
        self.trace_file.write_text("".join(f"{at(s)} {level * 10} {int(level > 0)}\n" for s, level in rows))


class FakeApi:
    """Answers what the books ask, from what it was given."""

    def __init__(self) -> None:
        self.stored: dict[int, list[str]] = {}
        self.history: dict[int, list[dict[str, Any]]] = {}
        self.faults: dict[int, list[dict[str, Any]]] = {}
        self.outcomes: dict[int, dict[str, Any]] = {}

    def get(self, path: str, **_: Any) -> dict[str, Any]:
        return {"items": [self.outcomes[int(path.split("/")[2])]]}

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        if path == "/faults":
            return self.faults.get(query["lamp_id"], [])
        lamp = int(path.split("/")[2])
        if path.endswith("history"):
            return self.history.get(lamp, [])
        return [{"at": moment} for moment in self.stored.get(lamp, [])]


class FakeNetwork:
    def __init__(self) -> None:
        self.ways: defaultdict[int, Passages] = defaultdict(Passages)

    def passages(self, lamp: int) -> Passages:
        return self.ways[lamp]

    def counters(self) -> dict[str, int]:
        return {"up passed": 1}


class FakeStreet:
    def __init__(self, directory: Path) -> None:
        self.wall = WALL
        self.lamps = [FakeLamp(directory, number) for number in range(3)]
        self.poles = [lamp.pole for lamp in self.lamps]
        self.ids = [11, 12, 13]
        self.power = [[at(-5.5)] for _ in range(3)]
        self.api = FakeApi()
        self.network = FakeNetwork()


class FakeNight:
    def __init__(self, directory: Path) -> None:
        self.street = FakeStreet(directory)
        self.begins_ms = BEGINS_MS
        self.happened = [{"at": utc(1), "monotonic_ns": at(1), "event": "backend killed", "lamps": [], "value": 0}]
        self.overrides: list[Asked] = []
        self.downtimes: list[tuple[int, int]] = []
        self.planted: dict[int, str] = {}

    def reported(self, number: int, kind: str, second: float, stored: bool = True) -> None:
        lamp, street = self.street.lamps[number], self.street
        lamp.lines.append(f"report acknowledged kind={kind} at_s={WALL.utc_ms(at(second)) // 1000} ticks_ms=1")
        if stored and kind == "telemetry":
            street.api.stored.setdefault(street.ids[number], []).append(utc(second))
        elif stored:
            street.api.history.setdefault(street.ids[number], []).append({"at": utc(second)})

    def fault(self, number: int, name: str, raised: float, cleared: float | None) -> None:
        fault = {"name": name, "raised_at": utc(raised), "cleared_at": None if cleared is None else utc(cleared)}
        self.street.api.faults.setdefault(self.street.ids[number], []).append(fault)

    def cut(self, number: int, off: float, on: float) -> None:
        self.street.power[number] += [at(off), at(on)]
        lamp = self.street.lamps[number]
        level = [level for second, level in sorted(lamp.changes) if second <= on][-1]
        lamp.changes = [change for change in lamp.changes if not off <= change[0] <= on + 0.4]
        lamp.changes += [(on + 0.2, 100), (on + 0.5, level)]
        lamp.clocked(on + 0.4)

    def override(self, number: int, level: int, begins: float, ends: float, state: str = "executed") -> None:
        identifier = len(self.overrides) + 1
        self.overrides.append(Asked(identifier, number, level, at(begins), WALL.utc_ms(at(ends))))
        self.street.api.outcomes[identifier] = {"state": state, "ended_at": None}

    def verdict(self, recovery_s: float = 4.0, absent: tuple[int, ...] = ()) -> list[str]:
        """The checks that failed."""
        for lamp in self.street.lamps:
            lamp.write_trace()
        report = chaos_books.close(self, recovery_s, list(absent), END_NS)  # type: ignore[arg-type]
        failed = [check["check"] for check in report["checks"] if not check["ok"]]
        assert report["ok"] == (not failed)
        assert report["counters"]["events"] == {"backend killed": 1}
        return failed


@pytest.fixture
def night(tmp_path: Path) -> FakeNight:
    """A night in which everything went right: one fault, one override, one cut that was missed."""
    night = FakeNight(tmp_path)
    night.reported(0, "telemetry", 3)
    night.planted[0] = "lamp_failure"
    night.reported(0, "fault", 5)
    night.fault(0, "lamp_failure", 5, 12)
    night.override(1, 33, 8, 12)
    night.street.lamps[1].changes += [(8.2, 33), (12, 100)]
    night.cut(2, 20, 41)
    night.fault(2, "communication_lost", 36, 42)
    return night


def test_a_night_in_which_everything_went_right_passes(night: FakeNight) -> None:
    assert night.verdict() == []


def dark(night: FakeNight) -> None:
    night.street.lamps[0].changes += [(20, 0), (24, 50)]


def wrong(night: FakeNight) -> None:
    night.street.lamps[0].changes += [(20, 77), (24, 50)]


def lost(night: FakeNight) -> None:
    night.reported(1, "telemetry", 9, stored=False)


def lost_fault(night: FakeNight) -> None:
    night.reported(1, "fault", 9, stored=False)


def silent(night: FakeNight) -> None:
    night.street.lamps[0].lines.clear()


def twice(night: FakeNight) -> None:
    night.street.lamps[1].changes += [(9, 100), (9.2, 33)]


def never(night: FakeNight) -> None:
    night.street.lamps[1].changes = [change for change in night.street.lamps[1].changes if change[1] != 33]


def unreported(night: FakeNight) -> None:
    night.street.api.faults[11].clear()


def reported_twice(night: FakeNight) -> None:
    night.fault(0, "lamp_failure", 14, 15)


def uncleared(night: FakeNight) -> None:
    night.street.api.faults[11][0]["cleared_at"] = None


def false(night: FakeNight) -> None:
    night.fault(1, "clock_error", 5, 6)


def unmissed(night: FakeNight) -> None:
    night.street.api.faults[13].clear()


def missed_for_nothing(night: FakeNight) -> None:
    night.fault(1, "communication_lost", 45, 46)


def still_missed(night: FakeNight) -> None:
    night.street.api.faults[13][0]["cleared_at"] = None


def bitten(night: FakeNight) -> None:
    night.street.lamps[2].watchdog_bites = 1


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (dark, "no lamp was dark"),
        (wrong, "the light showed"),
        (lost, "nothing acknowledged"),
        (lost_fault, "nothing acknowledged"),
        (silent, "nothing acknowledged"),
        (twice, "no command ran twice"),
        (never, "no command ran twice"),
        (unreported, "every planted fault"),
        (reported_twice, "every planted fault"),
        (uncleared, "every planted fault"),
        (false, "no fault was false"),
        (unmissed, "silence was reported"),
        (missed_for_nothing, "silence was reported"),
        (still_missed, "silence was reported"),
        (bitten, "no lamp reset"),
    ],
)
def test_each_harm_fails_its_check_and_no_other(
    night: FakeNight, harm: Callable[[FakeNight], None], check: str
) -> None:
    harm(night)
    (failed,) = night.verdict()
    assert failed.startswith(check)


def test_a_lamp_that_is_missing_fails(night: FakeNight) -> None:
    (failed,) = night.verdict(absent=(1,))
    assert failed.startswith("nobody was locked out")


def test_a_lamp_that_was_missed_because_of_what_the_network_took_was_missed_with_reason(night: FakeNight) -> None:
    missed_for_nothing(night)
    assert len(night.verdict()) == 1
    night.street.network.ways[1].lost(at(31))
    assert night.verdict() == []


def test_a_lamp_that_was_heard_is_missed_falsely_whatever_the_network_took(night: FakeNight) -> None:
    missed_for_nothing(night)
    way = night.street.network.ways[1]
    way.lost(at(31))
    way.delivered(b"\x40\x02a message", at(29))
    assert night.verdict() == []
    way.delivered(b"\x40\x02another message", at(32))
    (failed,) = night.verdict()
    assert failed.startswith("silence was reported")


def test_a_lamp_that_was_lost_before_its_long_cut_is_not_lost_again(night: FakeNight) -> None:
    night.street.api.faults[13].clear()
    night.street.network.ways[2].lost(at(10))
    night.fault(2, "communication_lost", 19, 43)
    assert night.verdict() == []
    night.street.api.faults[13].clear()
    night.fault(2, "communication_lost", 18, 19)
    (failed,) = night.verdict()
    assert failed.startswith("silence was reported")


def test_a_long_cut_need_not_be_missed_while_the_backend_was_down_itself(night: FakeNight) -> None:
    night.street.api.faults[13].clear()
    night.downtimes.append((at(30), at(34)))
    assert night.verdict() == []


def test_an_override_that_was_cancelled_may_be_shown_only_until_the_lamp_knew(night: FakeNight) -> None:
    night.street.api.outcomes[1] = {"state": "cancelled", "ended_at": utc(9)}
    assert night.verdict() == []
    night.street.lamps[1].changes = [c for c in night.street.lamps[1].changes if c[0] != 12] + [(15, 100)]
    (failed,) = night.verdict()
    assert failed.startswith("the light showed")
