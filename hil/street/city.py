"""The operator's part of a street: enrol the lamps, draw a zone a street, write a schedule, assign it; then watch.

Everything goes through the HTTP API, as any operator's client would.
"""

from collections.abc import Sequence
from typing import Any

from hil.street.backend import Api
from hil.street.plan import TIME_ZONE, Pole

NOMINAL_W = 80

SCHEDULE: dict[str, Any] = {
    "name": "City centre",
    "description": "Full light in the evening, half in the small hours, up again before dawn.",
    "programs": [
        {
            "name": "Working night",
            "active_period": {"start": "S", "end": "R"},
            "fade_s": 60,
            "off_when_inactive": True,
            "switch_points": [
                {"at": "S", "level": 100},
                {"at": "23:00", "level": 50},
                {"at": "04:30", "level": 80},
            ],
        },
        {
            "name": "Weekend night",
            "active_period": {"start": "S", "end": "R"},
            "fade_s": 60,
            "off_when_inactive": True,
            "switch_points": [
                {"at": "S", "level": 100},
                {"at": "01:00", "level": 60},
                {"at": "R-60", "level": 80},
            ],
        },
    ],
    "calendar": [
        {"program": "Weekend night", "type": "night", "ranges": [], "date_rule": "* * 5,6"},
        {"program": "Working night", "type": "night", "ranges": [], "date_rule": "* * *"},
    ],
}


def enrol(api: Api, poles: Sequence[Pole], time_zone: str = TIME_ZONE) -> dict[str, int]:
    """Create every lamp with its own keys and an IANA time zone; lamp ids by endpoint."""
    identifiers = {}
    for pole in poles:
        body = {
            "endpoint": pole.endpoint,
            "sender_id": pole.mac.hex(),
            "master_secret": pole.master_secret.hex(),
            "master_salt": pole.master_salt.hex(),
            "name": pole.name,
            "street": pole.street,
            "feeder": pole.feeder,
            "latitude": pole.latitude,
            "longitude": pole.longitude,
            "time_zone": time_zone,
            "nominal_power_w": NOMINAL_W,
        }
        answer = api.post("/enrolments", body)
        identifiers[pole.endpoint] = answer["lamp"]["id"]
    return identifiers


def plan_lighting(
    api: Api, poles: Sequence[Pole], identifiers: dict[str, int], schedule: dict[str, Any] = SCHEDULE
) -> int:
    """A zone a street, one schedule for all of them; the schedule's id."""
    zones = []
    for street in dict.fromkeys(pole.street for pole in poles):
        zone = api.post("/zones", {"name": street})
        members = [identifiers[pole.endpoint] for pole in poles if pole.street == street]
        api.post(f"/zones/{zone['id']}/members", {"lamp_ids": members})
        zones.append(zone["id"])
    identifier: int = api.post("/schedules", schedule)["id"]
    api.post(f"/schedules/{identifier}/assignments", {"zone_ids": zones})
    return identifier


def verified(api: Api, schedule: int) -> dict[int, bool]:
    """For each lamp of a schedule: has it answered with the digest of exactly this program?"""
    return {
        item["lamp_id"]: item["status"] == "verified" for item in api.pages(f"/schedules/{schedule}/lamps", limit=1000)
    }


def faults(api: Api, lamp: int) -> list[dict[str, Any]]:
    """All faults of a lamp, open and past."""
    return api.pages("/faults", lamp_id=lamp, state="all", limit=1000)


def telemetry_times(api: Api, lamp: int) -> list[str]:
    """When each stored reading of a lamp was taken."""
    return [item["at"] for item in api.pages(f"/lamps/{lamp}/telemetry", limit=1000)]
