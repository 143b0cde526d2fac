"""Explanations through the API, on both databases: the lamp's words next to the backend's."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.device_server.ports import Report
from backend.lamps.ingest import ingest as lamps_ingest
from backend.schedules.ingest import ingest as schedules_ingest
from contract import sun
from contract.objects import lamp_status as ls
from contract.objects import outdoor_lamp_controller as olc
from contract.paths import path
from contract.senml import Record

AddLamp = Callable[..., Awaitable[dict[str, Any]]]
ALWAYS = {
    "name": "Centre",
    "programs": [{"name": "Week", "switch_points": [{"at": "12:00", "level": 40}]}],
    "calendar": [{"program": "Week", "type": "night"}],
}


@pytest.fixture
async def lamp(client: httpx.AsyncClient, add_lamp: AddLamp) -> dict[str, Any]:
    """A lamp that should hold a schedule of 40 % at all times."""
    found = await add_lamp("urn:dev:mac:01")
    schedule = (await client.post("/schedules", json=ALWAYS)).json()
    await client.post(f"/schedules/{schedule['id']}/assignments", json={"lamp_ids": [found["id"]]})
    return found


def say(app: FastAPI, lamp: dict[str, Any], **values: Any) -> None:
    resources = {
        "rung": ls.RUNG,
        "words": ls.EXPLANATION,
        "digest": ls.SCHEDULE_DIGEST,
        "level": olc.COMMAND_IN_ACTION,
        "clock": ls.CLOCK_ERROR_BOUND,
        "floor": ls.SAFETY_FLOOR,
    }
    now_ms = app.state.clock.now_ms()
    records = [
        Record(path(resources[name].object, 0, resources[name].id), now_ms // 1000, value)
        for name, value in values.items()
    ]
    with app.state.database.writing() as connection:
        for ingest in (lamps_ingest, schedules_ingest):
            ingest(connection, [Report(lamp["id"], now_ms, records)])


async def explain(client: httpx.AsyncClient, lamp: dict[str, Any]) -> dict[str, Any]:
    answer = await client.get(f"/lamps/{lamp['id']}/explain")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_both_sides_say_the_same_in_the_same_words(
    app: FastAPI, client: httpx.AsyncClient, lamp: dict[str, Any]
) -> None:
    before = await explain(client, lamp)
    assert (before["agrees"], before["said"]["rung"]) == (None, None)
    expected = before["expected"]
    assert (expected["rung"], expected["level"], expected["program"], expected["rule"]) == ("schedule", 40, "Week", 1)
    assert expected["source"] == "schedule Centre, version 1" and expected["version"] == 1
    digest = (await client.get(f"/lamps/{lamp['id']}/schedule")).json()["digest_desired"]
    say(app, lamp, rung="schedule", words=expected["words"], level=40, digest=digest, clock=50)
    after = await explain(client, lamp)
    assert after["agrees"] is True
    assert after["said"]["words"] == after["expected"]["words"]
    assert after["said"]["at"] is not None
    assert (after["differences"], after["reasons"]) == ([], [])


async def test_a_schedule_that_is_not_verified_is_the_reason(
    app: FastAPI, client: httpx.AsyncClient, lamp: dict[str, Any]
) -> None:
    say(app, lamp, rung="default", words="no program applies", level=100, digest="0" * 16, clock=50)
    found = await explain(client, lamp)
    assert found["agrees"] is False
    assert len(found["differences"]) == 2
    assert "never" in found["reasons"][0]
    assert any("not verified; it is pending" in reason for reason in found["reasons"])


async def test_an_override_on_its_way_is_the_reason_and_its_cancelling_too(
    app: FastAPI, client: httpx.AsyncClient, lamp: dict[str, Any]
) -> None:
    say(app, lamp, rung="schedule", level=40)
    asked = {"lamp_id": lamp["id"], "level": 90, "reason": "parade", "duration_s": 3600}
    override = (await client.post("/overrides", json=asked)).json()
    found = await explain(client, lamp)
    expected = found["expected"]
    assert (expected["rung"], expected["level"], expected["override_id"]) == ("override", 90, override["id"])
    assert expected["source"] == f"override {override['id']} by admin: parade"
    assert expected["until"] == override["end"]
    assert any("has not reached the lamp yet" in reason for reason in found["reasons"])
    say(app, lamp, rung="override", level=90)
    assert (await explain(client, lamp))["agrees"] is True


async def test_by_night_both_sides_hold_the_safety_floor_in_the_same_words(
    app: FastAPI, client: httpx.AsyncClient, lamp: dict[str, Any]
) -> None:
    now_ms = app.state.clock.now_ms()
    place = {}
    for longitude in (0, 90, 180, -90):
        night, until_s, _ = sun.night_at(10_000_000, longitude * 1_000_000, now_ms // 1000)
        place[night] = {"latitude": 10, "longitude": longitude}, until_s * 1000
    say(app, lamp, rung="schedule", level=60, floor=60)
    assert (await client.get(f"/lamps/{lamp['id']}")).json()["state"]["safety_floor"] == 60
    asked = {"lamp_id": lamp["id"], "level": 0, "reason": "stars", "duration_s": 86400}
    await client.post("/overrides", json=asked)

    await client.patch(f"/lamps/{lamp['id']}", json=place[False][0])
    assert (await explain(client, lamp))["expected"]["level"] == 0
    await client.patch(f"/lamps/{lamp['id']}", json=place[True][0])
    found = await explain(client, lamp)
    words = "manual command 0 %, held at the safety floor of 60 % until sunrise"
    assert (found["expected"]["level"], found["expected"]["words"]) == (60, words)
    assert milliseconds(found["expected"]["until"]) == place[True][1]
    say(app, lamp, rung="override", words=words, level=60)
    found = await explain(client, lamp)
    assert (found["agrees"], found["said"]["words"]) == (True, words)

    await client.patch(f"/lamps/{lamp['id']}", json=place[False][0])
    found = await explain(client, lamp)
    assert found["differences"] == ["level: the lamp says 60 %, the backend 0 %"]
    assert any("to it, it is night" in reason for reason in found["reasons"])


def milliseconds(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


async def test_a_lamp_without_a_schedule_stands_at_its_default_level(
    app: FastAPI, client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    bare = await add_lamp("urn:dev:mac:02")
    say(app, bare, rung="default", words="no program applies", level=70)
    found = await explain(client, bare)
    assert found["agrees"] is True
    assert (found["expected"]["rung"], found["expected"]["level"]) == ("default", None)
    assert found["expected"]["words"] == found["said"]["words"]
    assert found["expected"]["source"] == "no schedule"
    say(app, bare, rung="failsafe", level=100, clock=-1)
    lit = await explain(client, bare)
    assert lit["agrees"] is False and any("no clock" in reason for reason in lit["reasons"])
    assert (await client.get("/lamps/999/explain")).status_code == 404
