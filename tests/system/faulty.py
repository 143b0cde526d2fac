"""The play of a street in which every pole has another fault, and is repaired."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.town import Town, running_town
from tests.system.waiting import until

# Cycling is four times within half an hour, and a simulated cycle takes eight real seconds: 9.3 minutes at this rate.
RATE = 70
RAISED_S, CLEARED_S = 60.0, 90.0

ALWAYS_100: dict[str, Any] = {
    "name": "Always 100",
    "programs": [{"name": "Always 100", "switch_points": [{"at": "12:00", "level": 100}]}],
    "calendar": [{"program": "Always 100", "type": "night"}],
}


@dataclass(frozen=True)
class Case:
    """A pole: what is planted (`firmware.hal.simulated_conditions.FAULTS`), the names that must be reported for it,
    and what else is needed to see it."""

    planted: str
    reported: tuple[str, ...]
    level: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    # Whether it is over only when the lamp starts again, by a loss of power.
    restarted: bool = False


UNPOWERED = "no power"
# It is day, so that a lamp that is off and takes power burns by day as well.
CASES = (
    Case("lamp_failure", ("lamp_failure",)),
    Case("partial_failure", ("low_power", "low_current"), settings={"low_power_w": 60.0, "low_current_a": 0.28}),
    Case("control_gear_failure", ("control_gear_failure",), level=40),
    Case("control_gear_dead", ("lamp_failure",)),
    # At this rate each dark half of a cycle is long enough to be a lamp failure of its own.
    Case("cycling", ("cycling", "lamp_failure")),
    Case("relay_open", ("lamp_failure",)),
    Case("relay_welded", ("relay_failure", "day_burner"), level=0),
    Case("low_voltage", ("low_voltage",)),
    Case("high_voltage", ("high_voltage",)),
    Case("over_power", ("high_power", "high_current"), settings={"high_power_w": 100.0, "high_current_a": 0.45}),
    Case("low_power_factor", ("low_power_factor",)),
    Case("over_temperature", ("over_temperature",)),
    Case("storage_error", ("storage_error",), restarted=True),
    Case("reset_loop", ("reset_loop",), restarted=True),
    # It takes 26 hours: tests/firmware/test_health.py.
    Case("photocell_stuck", ()),
    Case("meter_silent", ()),
    Case("meter_absurd", ()),
    Case(UNPOWERED, ("communication_lost",)),
)


@dataclass(frozen=True)
class Books:
    """By what was planted: how often each fault was raised, how often cleared, and what was open before."""

    raised: dict[str, Counter[str]]
    cleared: dict[str, Counter[str]]
    before: list[str]
    exit_codes: list[int]


def play(directory: Path, image: Path) -> Books:
    settings = {number: case.settings for number, case in enumerate(CASES)}
    with running_town(directory, image, len(CASES), RATE, schedule=ALWAYS_100, settings=settings) as town:
        for number, case in enumerate(CASES):
            if case.level is not None:
                town.override(case.level, number, duration_s=86_400)
                town.shines(number, case.level, 20)
        before = [fault["name"] for number in range(len(CASES)) for fault in town.faults(number)]
        numbers = {case.planted: number for number, case in enumerate(CASES)}
        for case in CASES:
            if case.planted == UNPOWERED:
                town.lamps[numbers[UNPOWERED]].power_off()
            else:
                town.lamps[numbers[case.planted]].fail(case.planted)
        waiting = {case.planted for case in CASES if case.reported}
        restarted = {case.planted: case.restarted for case in CASES}
        silent = {case.planted for case in CASES if not case.reported}

        def repaired() -> bool:
            for planted in list(waiting):
                number = numbers[planted]
                if _names(town, number, "open") | _names(town, number, "cleared") < _reported(planted):
                    continue
                if planted == UNPOWERED:
                    town.lamps[number].power_on()
                else:
                    town.lamps[number].fail()
                    if restarted[planted]:
                        town.lamps[number].power_off()
                        town.lamps[number].power_on()
                waiting.discard(planted)
            return not waiting

        until(repaired, RAISED_S, f"faults are raised (not yet: {waiting})")
        for planted in silent:
            town.lamps[numbers[planted]].fail()
        until(lambda: not town.api.get("/faults", state="open")["items"], CLEARED_S, "all faults are cleared")
        found = {planted: town.faults(number) for planted, number in numbers.items()}
        return Books(
            raised={planted: Counter(fault["name"] for fault in faults) for planted, faults in found.items()},
            cleared={
                planted: Counter(fault["name"] for fault in faults if fault["state"] == "cleared")
                for planted, faults in found.items()
            },
            before=before,
            exit_codes=[code for lamp in town.lamps for code in lamp.exit_codes],
        )


def _reported(planted: str) -> set[str]:
    return {name for case in CASES if case.planted == planted for name in case.reported}


def _names(town: Town, number: int, state: str) -> set[str]:
    return {fault["name"] for fault in town.faults(number) if fault["state"] == state}
