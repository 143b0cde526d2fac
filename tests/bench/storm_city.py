"""A city of modelled lamps in the database, before its server starts: enrolled, keyed, with a schedule to be verified.

Through the backend's own services in one transaction; over HTTP 20,000 enrolments would take minutes.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session

from backend import migrations
from backend.access import service as access
from backend.clock import Clock
from backend.db import Database
from backend.device_server.models import Credential
from backend.lamps.models import Lamp
from backend.schedules import repository as schedule_rows
from backend.schedules import service as schedules
from backend.schedules.shapes import AssignmentInput, ScheduleInput
from backend.zones import service as zones
from hil.street.city import SCHEDULE
from hil.street.plan import TIME_ZONE
from tests.bench.load import SALT, keys_of
from tests.bench.storm_lamp import endpoint_of

PLACES = 20
"""Different places, each with a digest of its own; lamps of one street share the sun to the second anyway."""


@dataclass(frozen=True)
class City:
    """What a drill must know: an API token, the schedule, and the digest that each lamp (by index) should hold."""

    token: str
    schedule_id: int
    digests: list[str]


def found(database_url: str, lamps: int) -> City:
    """Make the database at `database_url` hold `lamps` lamps, none of which was ever heard."""
    database = Database(database_url)
    try:
        migrations.upgrade(database)
        now_ms = Clock().real_ms()
        with database.session(writes=True) as session:
            _add_lamps(session, lamps, now_ms)
            lamp_ids = list(range(1, lamps + 1))
            zone = zones.create(session, now_ms, {"name": "City"})
            assert zone.id is not None
            zones.add_members(session, zone.id, lamp_ids, lambda *_: None)
            schedule = schedules.create(session, ScheduleInput.model_validate(SCHEDULE), now_ms)
            schedules.assign(session, schedule.id, AssignmentInput(zone_ids=[zone.id]), now_ms)
            wanted = schedule_rows.desired(session, lamp_ids)
            _, token = access.create(session, now_ms, "storm", "operator")
            return City(token, schedule.id, [wanted[lamp_id].digest for lamp_id in lamp_ids])
    finally:
        database.close()


def _add_lamps(session: Session, lamps: int, now_ms: int) -> None:
    session.execute(insert(Lamp), [_lamp(index, now_ms) for index in range(lamps)])
    rows: list[dict[str, Any]] = []
    for index in range(lamps):
        sender_id, secret = keys_of(index)
        row = {"lamp_id": index + 1, "endpoint": endpoint_of(index), "sender_id": sender_id, "secret": secret}
        rows.append({**row, "salt": SALT, "ssn_reserved": 0, "created_real_ms": now_ms})
    session.execute(insert(Credential), rows)
    numbered = session.execute(select(Lamp.id).order_by(Lamp.id).limit(1)).scalar()  # type: ignore[call-overload]
    assert numbered == 1, "a city is founded in an empty database"


def _lamp(index: int, now_ms: int) -> dict[str, Any]:
    lamp = Lamp(
        endpoint=endpoint_of(index),
        name=f"Pole {index + 1}",
        latitude_e6=10_776_550 + index % PLACES * 100,
        longitude_e6=106_700_900,
        time_zone=TIME_ZONE,
        feeder=f"F{index // 100 + 1}",
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )
    return lamp.model_dump(exclude={"id"})
