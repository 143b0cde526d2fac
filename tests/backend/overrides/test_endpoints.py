"""Overrides through the API, on both databases."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

AddLamp = Callable[..., Awaitable[dict[str, Any]]]
BODY = {"level": 40, "reason": "night works"}


async def test_an_override_is_accepted_for_a_lamp_with_an_end_of_two_hours(
    client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    answer = await client.post("/overrides", json={**BODY, "lamp_id": lamp["id"], "start": "2030-01-01T20:00:00Z"})
    assert answer.status_code == 201, answer.text
    override = answer.json()
    assert override["end"] == "2030-01-01T22:00:00.000Z"
    assert override["outcomes"] == {"accepted": 1}
    outcomes = (await client.get(f"/overrides/{override['id']}/outcomes")).json()["items"]
    assert [(item["lamp_id"], item["endpoint"]) for item in outcomes] == [(lamp["id"], "urn:dev:mac:01")]
    trail = (await client.get("/audit")).json()["items"]
    assert any("night works" in str(entry) for entry in trail)


async def test_an_override_of_a_zone_is_for_all_lamps_within_it(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamps = [await add_lamp(f"urn:dev:mac:0{number}") for number in range(3)]
    outer = (await client.post("/zones", json={"name": "City"})).json()
    inner = (await client.post("/zones", json={"name": "Street", "parent_id": outer["id"]})).json()
    await client.post(f"/zones/{outer['id']}/members", json={"lamp_ids": [lamps[0]["id"], lamps[1]["id"]]})
    await client.post(f"/zones/{inner['id']}/members", json={"lamp_ids": [lamps[1]["id"], lamps[2]["id"]]})
    override = (await client.post("/overrides", json={**BODY, "zone_id": outer["id"]})).json()
    assert override["outcomes"] == {"accepted": 3}
    listed = (await client.get("/overrides", params={"lamp_id": lamps[2]["id"], "active": True})).json()["items"]
    assert [item["id"] for item in listed] == [override["id"]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"level": 101}, "level"),
        ({"level": -1}, "level"),
        ({"reason": ""}, "reason"),
        ({"reason": None}, "reason"),
        ({"fade_s": -1}, "fade_s"),
        ({"fade_s": 1e400}, "fade_s"),
        ({"end": "2020-01-01T00:00:00Z"}, "end"),
        ({"end": "2030-01-01T00:00:00"}, "end"),
        ({"end": "tomorrow"}, "end"),
        ({"start": "2030-01-01T00:00:00Z", "end": "2030-01-01T00:00:00Z"}, "end"),
        ({"start": "2030-01-01T00:00:00Z", "end": "2031-01-01T00:00:00Z"}, "end"),
        ({"duration_s": 10**9}, "duration_s"),
        ({"zone_id": 7}, "body"),
        ({"lamp_id": None}, "body"),
        ({"duration_s": 5, "end": "2030-01-01T00:00:00Z"}, "body"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_a_bad_override_is_refused_with_field_and_reason(
    client: httpx.AsyncClient, add_lamp: AddLamp, changes: dict[str, Any], field: str
) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    body = {**BODY, "lamp_id": lamp["id"], **changes}
    import json

    answer = await client.post("/overrides", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert (await client.get("/overrides")).json()["items"] == []


async def test_unknown_targets_and_empty_zones_are_refused(client: httpx.AsyncClient) -> None:
    zone = (await client.post("/zones", json={"name": "Empty"})).json()
    assert (await client.post("/overrides", json={**BODY, "lamp_id": 99})).status_code == 404
    assert (await client.post("/overrides", json={**BODY, "zone_id": 99})).status_code == 404
    assert (await client.post("/overrides", json={**BODY, "zone_id": zone["id"]})).status_code == 422


async def test_an_override_is_cancelled_once(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamp = await add_lamp("urn:dev:mac:01")
    override = (await client.post("/overrides", json={**BODY, "lamp_id": lamp["id"]})).json()
    cancelled = await client.delete(f"/overrides/{override['id']}")
    assert cancelled.status_code == 200
    assert cancelled.json()["cancelled_by"] == "admin"
    assert (await client.delete(f"/overrides/{override['id']}")).status_code == 409
    assert (await client.get("/overrides", params={"active": True})).json()["items"] == []
    assert (await client.delete("/overrides/99")).status_code == 404
