"""The verdict on a night: for every lamp what its light did, what it reported and what is stored, what failed."""

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from contract import talq
from contract.localtime import TimeZone
from hil.street import city, trace, verification
from hil.street.demo import Street
from hil.street.lamp import Lamp
from hil.street.plan import TIME_ZONE

MINUTE_MS = 60_000
REPORT_LINE = re.compile(r"\breport (sent|acknowledged) kind=(\w+) at_s=(\d+)")


def report(running: Street) -> dict[str, Any]:
    """`{"lamps": [...], "summary": {...}}`; `summary.ok` is true only when all of it is right."""
    states = city.verified(running.api, running.schedule)
    lamps = [_lamp(running, lamp, states) for lamp in running.lamps]
    summary = {
        "ok": all(lamp["ok"] for lamp in lamps),
        "lamps": len(lamps),
        "lamps_right": sum(lamp["ok"] for lamp in lamps),
        "from": _iso(running.start_ms),
        "until": _iso(running.end_ms),
        "speed": running.wall.rate,
        "tolerance_ms": verification.tolerance_ms(running.wall.rate),
        "samples": sum(lamp["samples"] for lamp in lamps),
        "samples_differing": sum(lamp["samples_differing"] for lamp in lamps),
        "samples_unpowered": sum(lamp["samples_unpowered"] for lamp in lamps),
        "reports_sent": sum(lamp["reports"]["sent"] for lamp in lamps),
        "reports_acknowledged": sum(lamp["reports"]["acknowledged"] for lamp in lamps),
        "reports_stored": sum(lamp["reports"]["stored"] for lamp in lamps),
        "digests_verified": sum(lamp["digest_verified"] for lamp in lamps),
        "events": [{"at": _iso(at_ms), "event": words} for at_ms, words in running.happened],
    }
    return {"lamps": lamps, "summary": summary}


def _lamp(running: Street, lamp: Lamp, states: dict[int, bool]) -> dict[str, Any]:
    identifier = running.identifiers[lamp.pole.endpoint]
    excused = running.dark[lamp.pole.endpoint]
    moments = range(running.start_ms, running.end_ms, MINUTE_MS)
    taken = [
        (running.wall.utc_ms(at_ns), edge.level)
        for at_ns, edge in trace.samples(
            trace.load(lamp.trace_file), (running.wall.monotonic_ns(moment) for moment in moments)
        )
    ]
    powered = [(at_ms, level) for at_ms, level in taken if not any(interval.holds(at_ms) for interval in excused)]
    wrong = verification.differing(schedule_of(lamp), powered, verification.tolerance_ms(running.wall.rate))
    reports = reports_of(running, lamp, identifier)
    raised = {fault["name"] for fault in city.faults(running.api, identifier)}
    expected = running.expected[lamp.pole.endpoint]
    enough = len(taken) >= len(moments) and bool(powered)
    return {
        "endpoint": lamp.pole.endpoint,
        "name": lamp.pole.name,
        "samples": len(taken),
        # Taken while the feeder was away: a lamp without supply is dark whatever its schedule says.
        "samples_unpowered": len(taken) - len(powered),
        "samples_differing": len(wrong),
        "differing": [
            {"at": _iso(at_ms), "level": level, "allowed": [lowest, highest]}
            for at_ms, level, lowest, highest in wrong[:20]
        ],
        "reports": reports,
        "digest_verified": states.get(identifier, False),
        "faults_raised": sorted(raised),
        "faults_expected": sorted(expected),
        "resets": lamp.resets,
        "exit_codes": lamp.exit_codes,
        "ok": enough
        and not wrong
        and raised == expected
        and reports["sent"] > 0
        # The report that is on its way when the feeder is cut has nobody to be acknowledged to.
        and reports["sent"] - reports["acknowledged"] <= len(excused)
        and not reports["missing"]
        and states.get(identifier, False)
        and not lamp.exit_codes
        and not lamp.resets,
    }


def schedule_of(lamp: Lamp) -> object:
    """The schedule as the engine sees it at this pole, compiled here from what the operator wrote: a second opinion."""
    return talq.compile(
        city.SCHEDULE,
        round(lamp.pole.latitude * 1_000_000),
        round(lamp.pole.longitude * 1_000_000),
        # The zone has had no daylight saving since 1975: its standard offset is all of it.
        TimeZone(TIME_ZONE, 7 * 3600, ()),
    )


def reports_of(running: Street, lamp: Lamp, identifier: int) -> dict[str, Any]:
    """What the lamp says it sent and had acknowledged, against what the database holds."""
    lines = Counter((what, kind, int(at_s)) for what, kind, at_s in REPORT_LINE.findall(lamp.log()))
    acknowledged = {at_s for what, kind, at_s in lines if what == "acknowledged" and kind == "telemetry"}
    stored = {_seconds(at) for at in city.telemetry_times(running.api, identifier)}
    missing = acknowledged - stored
    return {
        "sent": len({(kind, at_s) for what, kind, at_s in lines if what == "sent"}),
        "acknowledged": len({(kind, at_s) for what, kind, at_s in lines if what == "acknowledged"}),
        "stored": len(stored),
        "missing": sorted(missing),
    }


def _seconds(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp())


def _iso(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
