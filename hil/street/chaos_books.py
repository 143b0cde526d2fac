"""The verdict on a night of chaos: checks, each with its evidence, from traces, logs and what the API says.

What is not forgiven: darkness by night beyond the boot time, a level that nobody asked for, an acknowledged report that
is not stored, a command that began twice, a fault that was planted and not reported exactly once and cleared, one that
was not planted, a lamp that does not come back, a silence that was none. Silence that follows from a cut, or from what
the network took, is a fault to be reported and cleared, and not a false one.
"""

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from contract import talq
from contract.localtime import TimeZone
from hil.street import chaos_light, chaos_plan, chaos_silence, city, trace
from hil.street.chaos import SCHEDULE, Night, iso, milliseconds
from hil.street.chaos_light import Permit, Run, Stretch
from hil.street.chaos_silence import Course
from hil.street.plan import TIME_ZONE, Pole
from hil.street.verification import tolerance_ms

REPORTED = re.compile(r"\breport acknowledged kind=(\w+) at_s=(\d+)")
# The number before it is the lamp's own time, in ms, as it has just learnt it.
CLOCKED = re.compile(r"^(\d+) time taken\b", re.MULTILINE)
LOST = "communication_lost"
SECOND_NS = 1_000_000_000

# From power to light, for processes that share two cores (product.md: 3 s on the chip).
DARK_S = chaos_plan.BOOT_S
# A clock is set by answers that travel through the storm: one that was sent again (2 to 3 s) may be taken half of that
# wrong until a better one comes. In a fast night that is many minutes, so steps may come early or late by this much.
CLOCK_S = 2.0
WRONG_S = 3.0


@dataclass(frozen=True)
class Check:
    """`evidence` shows the worst that was found, also when all is right; `failures` says what is wrong."""

    name: str
    evidence: dict[str, Any]
    failures: list[str]

    @property
    def ok(self) -> bool:
        return not self.failures

    def document(self) -> dict[str, Any]:
        return {"check": self.name, "ok": self.ok, "evidence": self.evidence, "failures": self.failures[:20]}


def close(night: Night, recovery_s: float, absent: list[int], end_ns: int) -> dict[str, Any]:
    """The report. The backend still runs; `recovery_s` is how long the street took to be whole after the network was
    good again, `absent` who is missing then, `end_ns` until when the light is judged."""
    outcomes = _outcomes(night)
    faults = {n: city.faults(night.street.api, identifier) for n, identifier in enumerate(night.street.ids)}
    checks = [
        *_light(night, outcomes, end_ns),
        _reports(night),
        *_faults(night, faults),
        _recovery(night, recovery_s, absent),
        _processes(night),
    ]
    happened = [{key: value for key, value in event.items() if key != "monotonic_ns"} for event in night.happened]
    kinds: defaultdict[str, int] = defaultdict(int)
    for event in happened:
        kinds[event["event"]] += 1
    return {
        "ok": all(check.ok for check in checks),
        "lamps": len(night.street.lamps),
        "from": iso(night.begins_ms),
        "until": iso(night.street.wall.utc_ms(end_ns)),
        "speed": night.street.wall.rate,
        "checks": [check.document() for check in checks],
        "events": happened,
        "overrides": [
            {"lamp": night.street.poles[asked.lamp].name, "level": asked.level, **outcomes[asked.id]}
            for asked in night.overrides
        ],
        "counters": {"events": dict(sorted(kinds.items())), "network": night.street.network.counters()},
    }


def _outcomes(night: Night) -> dict[int, dict[str, Any]]:
    found = {}
    for asked in night.overrides:
        (outcome,) = night.street.api.get(f"/overrides/{asked.id}/outcomes")["items"]
        found[asked.id] = outcome
    return found


def _permits(night: Night, lamp: int, outcomes: dict[int, dict[str, Any]]) -> list[Permit]:
    """When this lamp may show which override: until its end, or until the lamp has heard that it is cancelled."""
    permits = []
    for asked in night.overrides:
        if asked.lamp == lamp:
            outcome = outcomes[asked.id]
            end_ms = asked.end_ms
            if outcome["state"] == "cancelled":
                end_ms = min(end_ms, milliseconds(outcome["ended_at"]))
            permits.append(Permit(asked.level, asked.asked_ns, night.street.wall.monotonic_ns(end_ms)))
    return permits


def schedule_of(pole: Pole) -> object:
    """The schedule as the engine sees it at this pole, compiled from what the operator wrote."""
    place = round(pole.latitude * 1_000_000), round(pole.longitude * 1_000_000)
    return talq.compile(SCHEDULE, *place, TimeZone(TIME_ZONE, 7 * 3600, ()))


def _light(night: Night, outcomes: dict[int, dict[str, Any]], end_ns: int) -> list[Check]:
    street, wall = night.street, night.street.wall
    begin_ns = wall.monotonic_ns(night.begins_ms)
    slack_ns = round(CLOCK_S * SECOND_NS) + tolerance_ms(wall.rate) * 1_000_000 // wall.rate
    dark: list[tuple[float, str]] = []
    wrong: list[tuple[float, str]] = []
    executed: list[tuple[int, str, str]] = []
    boots: list[float] = []
    for number, lamp in enumerate(street.lamps):
        clocked = [wall.monotonic_ns(int(utc_ms)) + slack_ns for utc_ms in CLOCKED.findall(lamp.log())]
        light = chaos_light.stretches(trace.load(lamp.trace_file), street.power[number], clocked, end_ns)
        permits = _permits(night, number, outcomes)
        plan = [
            (wall.monotonic_ns(at_ms), level)
            for at_ms, level in chaos_light.steps(
                schedule_of(lamp.pole), night.begins_ms - 24 * 3_600_000, wall.utc_ms(end_ns) + 3_600_000
            )
        ]
        judged = [stretch for stretch in light if stretch.end_ns > begin_ns]
        for runs, found in zip(chaos_light.judge(judged, plan, permits, slack_ns), (dark, wrong), strict=True):
            found += [(run.length_ns / SECOND_NS, _place(night, lamp.pole, run, light)) for run in runs]
        boots += _boots(light, street.power[number])
        for permit, asked in zip(permits, [one for one in night.overrides if one.lamp == number], strict=True):
            times = chaos_light.executions(light, permit, slack_ns)
            executed.append((times, outcomes[asked.id]["state"], f"{lamp.pole.name} at {asked.level} %"))
    return [
        Check(
            "no lamp was dark by night for longer than it boots",
            {"limit_s": DARK_S, "longest_dark_s": _longest(dark), "boots": len(boots), "longest_boot_s": max(boots)},
            [place for length_s, place in dark if length_s > DARK_S],
        ),
        Check(
            "the light showed what the schedule or an override asked for",
            {"limit_s": WRONG_S, "clock_slack_s": slack_ns / SECOND_NS, "longest_wrong_s": _longest(wrong)},
            [place for length_s, place in wrong if length_s > WRONG_S],
        ),
        Check(
            "no command ran twice, and those that are said to have run did",
            {"commands": len(executed), "executions": sum(times for times, _, _ in executed)},
            [f"{who} began {times} times ({state})" for times, state, who in executed if times > 1]
            + [f"{who} never began ({state})" for times, state, who in executed if not times and state == "executed"],
        ),
    ]


def _longest(found: list[tuple[float, str]]) -> float:
    return round(max((length_s for length_s, _ in found), default=0.0), 3)


def _boots(light: list[Stretch], power: list[int]) -> list[float]:
    """Seconds from power to light, of each power-up that came so far."""
    lit: dict[int, int] = {}
    for stretch in light:
        if stretch.level:
            lit.setdefault(stretch.session, stretch.start_ns)
    return [round((at_ns - power[2 * session]) / SECOND_NS, 3) for session, at_ns in lit.items()]


def _place(night: Night, pole: Pole, run: Run, light: list[Stretch]) -> str:
    levels = [s.level for s in light if s.start_ns < run.start_ns + run.length_ns and s.end_ns > run.start_ns]
    at = iso(night.street.wall.utc_ms(run.start_ns))
    return f"{pole.name} ({pole.mac.hex()}) from {at} for {run.length_ns / SECOND_NS:.2f} s at {levels[:6]}"


def _reports(night: Night) -> Check:
    counts = {"telemetry": 0, "fault": 0, "stored": 0}
    failures = []
    for number, lamp in enumerate(night.street.lamps):
        told = {(kind, int(at_s)) for kind, at_s in REPORTED.findall(lamp.log())}
        identifier = night.street.ids[number]
        stored = {milliseconds(at) // 1000 for at in city.telemetry_times(night.street.api, identifier)}
        history = night.street.api.pages(f"/lamps/{identifier}/faults/history", limit=1000)
        transitions = {milliseconds(one["at"]) // 1000 for one in history}
        counts["stored"] += len(stored)
        for kind, held in (("telemetry", stored), ("fault", transitions)):
            acknowledged = {at_s for what, at_s in told if what == kind}
            counts[kind] += len(acknowledged)
            failures += [f"{kind} of {lamp.pole.name} at {iso(at_s * 1000)}" for at_s in sorted(acknowledged - held)]
    if not counts["telemetry"]:
        failures.append("no report was acknowledged at all")
    return Check(
        "nothing acknowledged was lost",
        {
            "telemetry_acknowledged": counts["telemetry"],
            "faults_acknowledged": counts["fault"],
            "readings_stored": counts["stored"],
        },
        failures,
    )


def _faults(night: Night, faults: dict[int, list[dict[str, Any]]]) -> list[Check]:
    reported, false, silences = [], [], []
    seen = 0
    for number, found in faults.items():
        who = night.street.poles[number].name
        wanted = night.planted.get(number)
        mine = [fault for fault in found if fault["name"] == wanted]
        seen += len(mine)
        if wanted is not None and len(mine) != 1:
            reported.append(f"{wanted} of {who}: reported {len(mine)} times")
        reported += [f"{wanted} of {who} is not cleared" for fault in mine if fault["cleared_at"] is None]
        for fault in found:
            if fault["name"] == LOST:
                silences.append((number, fault))
            elif fault["name"] != wanted:
                false.append(f"{fault['name']} of {who} at {fault['raised_at']}")
    return [
        Check(
            "every planted fault was reported exactly once and cleared",
            {"planted": len(night.planted), "reported": seen},
            reported,
        ),
        Check("no fault was false", {"faults": sum(len(found) for found in faults.values())}, false),
        _silences(night, silences),
    ]


def _silences(night: Night, silences: list[tuple[int, dict[str, Any]]]) -> Check:
    """Lamps that were cut for longer than their lifetime are missed, once; nobody else is; all are back."""
    wall = night.street.wall
    failures = []
    missed: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for number, fault in silences:
        who = night.street.poles[number].name
        raised_ns = wall.monotonic_ns(milliseconds(fault["raised_at"]))
        cleared = fault["cleared_at"]
        missed[number].append((raised_ns, wall.monotonic_ns(milliseconds(cleared)) if cleared else math.inf))
        if cleared is None:
            failures.append(f"{who} counts as lost")
        wrong = chaos_silence.reproach(raised_ns, _course(night, number))
        if wrong:
            failures.append(f"{who} was missed at {fault['raised_at']}, and {wrong}")
    long_cuts = 0
    for number, power in enumerate(night.street.power):
        for off_ns, on_ns in zip(power[1::2], power[2::2], strict=False):
            if on_ns - off_ns < (chaos_plan.LIFETIME_S + 3) * SECOND_NS or _backend_was_down(night, off_ns, on_ns):
                continue
            long_cuts += 1
            # Also one that was missed before, for what a storm took, and could not come back in time.
            count = sum(
                raised_ns < on_ns + 2 * SECOND_NS and cleared_ns > on_ns for raised_ns, cleared_ns in missed[number]
            )
            if count != 1:
                failures.append(f"{night.street.poles[number].name} had no power for long and was missed {count} times")
    evidence = {"lifetime_s": chaos_plan.LIFETIME_S, "lamps_cut_for_longer": long_cuts, "reported": len(silences)}
    return Check("silence was reported when it was there, and cleared", evidence, failures)


def _course(night: Night, number: int) -> Course:
    power, passages = night.street.power[number], night.street.network.passages(number)
    powerless = list(zip(power[1::2], power[2::2], strict=False))
    return Course(list(passages.heard_ns), list(passages.lost_ns), powerless, night.downtimes)


def _backend_was_down(night: Night, start_ns: int, end_ns: int) -> bool:
    return any(start_ns < up_ns and down_ns < end_ns for down_ns, up_ns in night.downtimes)


def _recovery(night: Night, recovery_s: float, absent: list[int]) -> Check:
    return Check(
        "nobody was locked out: all online and verified after the network healed",
        {"seconds": round(recovery_s, 1)},
        [f"{night.street.poles[number].name} is missing" for number in absent],
    )


def _processes(night: Night) -> Check:
    failures = []
    for lamp in night.street.lamps:
        if lamp.resets or lamp.watchdog_bites or lamp.exit_codes:
            failures.append(
                f"{lamp.pole.name}: {lamp.resets} resets, {lamp.watchdog_bites} bites of the watchdog, "
                f"ended with {lamp.exit_codes}"
            )
    starts = sum((len(power) + 1) // 2 for power in night.street.power)
    return Check("no lamp reset itself or ended", {"power_ups": starts}, failures)
