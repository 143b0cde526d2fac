"""Schedules through the API, on both databases."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.backend.schedules.content import content

AddLamp = Callable[..., Awaitable[dict[str, Any]]]


async def created(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/schedules", json=content(**changes))
    assert answer.status_code == 201, answer.text
    schedule: dict[str, Any] = answer.json()
    return schedule


async def test_a_schedule_is_stored_listed_changed_and_removed(client: httpx.AsyncClient) -> None:
    schedule = await created(client)
    assert schedule["version"] == 1
    listed = (await client.get("/schedules")).json()
    assert [item["name"] for item in listed["items"]] == ["Centre"]
    changed = content()
    changed["programs"][0]["switch_points"][1]["level"] = 40
    answer = await client.put(f"/schedules/{schedule['id']}", json=changed)
    assert answer.json()["version"] == 2
    same = await client.put(f"/schedules/{schedule['id']}", json=changed | {"description": "words only"})
    assert same.json()["version"] == 2, "words do not make a new version"
    assert (await client.delete(f"/schedules/{schedule['id']}")).status_code == 204
    assert (await client.get(f"/schedules/{schedule['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (("programs", 0, "switch_points", 1, "at"), "25:00", "programs.0.switch_points.1.at"),
        (("programs", 0, "switch_points", 1, "at"), "S+x", "programs.0.switch_points.1.at"),
        (("programs", 0, "switch_points", 1, "level"), 101, "programs.0.switch_points.1.level"),
        (("programs", 0, "active_period", "end"), "dawn", "programs.0.active_period.end"),
        (("calendar", 0, "ranges", 0, "start"), "--02-30", "calendar.0.ranges.0"),
        (("calendar", 1, "date_rule"), "* * 9", "calendar.1.date_rule"),
        (("calendar", 1, "type"), "dusk", "calendar.1.type"),
        (("programs", 0, "switch_points"), [], "programs.0.switch_points"),
    ],
)
async def test_a_bad_schedule_is_refused_with_field_and_reason(
    client: httpx.AsyncClient, place: tuple[str | int, ...], value: object, field: str
) -> None:
    bad: Any = content()
    inner = bad
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    answer = await client.post("/schedules", json=bad)
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert field in [error["field"] for error in errors], answer.text
    assert all(error["reason"] for error in errors)


async def test_a_rule_without_its_program_and_two_programs_of_one_name_are_refused(client: httpx.AsyncClient) -> None:
    orphan = content()
    orphan["calendar"][0]["program"] = "Nothing"
    twins = content()
    twins["programs"][1]["name"] = "Week"
    for bad, word in ((orphan, "Nothing"), (twins, "Week")):
        answer = await client.post("/schedules", json=bad)
        assert answer.status_code == 422
        assert word in answer.text


async def test_a_name_is_taken_once(client: httpx.AsyncClient) -> None:
    await created(client)
    assert (await client.post("/schedules", json=content())).status_code == 409


async def test_a_lamps_own_assignment_goes_before_its_zones_and_an_inner_zone_before_an_outer(
    client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    city = (await client.post("/zones", json={"name": "City"})).json()
    street = (await client.post("/zones", json={"name": "Street", "parent_id": city["id"]})).json()
    await client.post(f"/zones/{street['id']}/members", json={"lamp_ids": [lamp["id"]]})
    schedules = [await created(client, name=name) for name in ("one", "two", "three")]

    async def held() -> int | None:
        found: int | None = (await client.get(f"/lamps/{lamp['id']}/schedule")).json()["schedule_id"]
        return found

    for schedule, target in zip(
        schedules, ({"zone_ids": [city["id"]]}, {"zone_ids": [street["id"]]}, {"lamp_ids": [lamp["id"]]}), strict=True
    ):
        answer = await client.post(f"/schedules/{schedule['id']}/assignments", json=target)
        assert answer.status_code == 200, answer.text
        assert await held() == schedule["id"]
    await client.request("DELETE", f"/schedules/{schedules[2]['id']}/assignments", json={"lamp_ids": [lamp["id"]]})
    assert await held() == schedules[1]["id"]
    await client.delete(f"/schedules/{schedules[1]['id']}")
    assert await held() == schedules[0]["id"]


async def test_moving_a_lamp_or_its_membership_changes_what_it_should_hold(
    client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    zone = (await client.post("/zones", json={"name": "Street"})).json()
    schedule = await created(client)
    await client.post(f"/schedules/{schedule['id']}/assignments", json={"zone_ids": [zone["id"]]})
    assert (await client.get(f"/lamps/{lamp['id']}/schedule")).status_code == 404
    await client.post(f"/zones/{zone['id']}/members", json={"lamp_ids": [lamp["id"]]})
    before = (await client.get(f"/lamps/{lamp['id']}/schedule")).json()
    await client.patch(f"/lamps/{lamp['id']}", json={"latitude": 11.0})
    after = (await client.get(f"/lamps/{lamp['id']}/schedule")).json()
    assert (before["schedule_id"], after["schedule_id"]) == (schedule["id"], schedule["id"])
    assert before["digest_desired"] != after["digest_desired"]
    await client.request("DELETE", f"/zones/{zone['id']}/members", json={"lamp_ids": [lamp["id"]]})
    gone = (await client.get(f"/lamps/{lamp['id']}/schedule")).json()
    assert gone["schedule_id"] is None, "it must hold no schedule now"


async def test_unknown_lamps_and_zones_are_named(client: httpx.AsyncClient) -> None:
    schedule = await created(client)
    for target, field in (({"lamp_ids": [99]}, "lamp_ids.0"), ({"zone_ids": [99]}, "zone_ids.0"), ({}, "lamp_ids")):
        answer = await client.post(f"/schedules/{schedule['id']}/assignments", json=target)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field


async def test_a_night_is_previewed_at_a_place_and_at_a_lamp(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    schedule = await created(client)
    place = {"latitude": 10.7769, "longitude": 106.7009, "time_zone": "Asia/Ho_Chi_Minh"}
    there = await client.get(f"/schedules/{schedule['id']}/preview", params={"date": "2026-11-22", **place})
    at_lamp = await client.get(
        f"/schedules/{schedule['id']}/preview", params={"date": "2026-11-22", "lamp_id": lamp["id"]}
    )
    assert there.status_code == 200, there.text
    assert there.json() == at_lamp.json()
    night = there.json()
    assert (night["start"], night["end"]) == ("2026-11-22T05:00:00.000Z", "2026-11-23T05:00:00.000Z")
    assert [segment["level"] for segment in night["segments"]] == [0, 100, 50, 80, 0]
    assert night["segments"][1]["start"] == night["sunset"]
    assert night["segments"][2]["start"] == "2026-11-22T16:00:00.000Z"
    unsaved = content()
    unsaved["programs"][0]["switch_points"][1]["level"] = 30
    body = {key: unsaved[key] for key in ("programs", "calendar")}
    draft = await client.post("/schedules/preview", params={"date": "2026-11-22", **place}, json=body)
    assert [segment["level"] for segment in draft.json()["segments"]] == [0, 100, 30, 80, 0]


async def test_a_preview_needs_one_place(client: httpx.AsyncClient) -> None:
    schedule = await created(client)
    for parameters in ({}, {"latitude": 10}, {"lamp_id": 1, "latitude": 1, "longitude": 1, "time_zone": "UTC"}):
        answer = await client.get(f"/schedules/{schedule['id']}/preview", params={"date": "2026-11-22", **parameters})
        assert answer.status_code == 422, parameters
