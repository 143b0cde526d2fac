"""Faults through the API, on both databases."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.access.models import Role
from backend.device_server.ports import Report
from backend.faults import ingest
from contract import faults as catalogue
from contract.senml import Record

NOW_MS = 1_795_334_400_000
AddLamp = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def lamp(app: FastAPI, add_lamp: AddLamp) -> dict[str, Any]:
    """A lamp with two open faults."""
    found = await add_lamp("urn:dev:mac:01")
    records = [Record(catalogue.LAMP_FAILURE.path, NOW_MS // 1000, True)]
    records += [Record(catalogue.LOW_VOLTAGE.path, NOW_MS // 1000 + 60, True)]
    with app.state.database.writing() as connection:
        ingest.ingest(connection, [Report(found["id"], NOW_MS, records)])
    return found


async def test_faults_are_listed_newest_first_with_meaning_and_advice(
    client: httpx.AsyncClient, lamp: dict[str, Any]
) -> None:
    items = (await client.get("/faults")).json()["items"]
    assert [item["name"] for item in items] == ["low_voltage", "lamp_failure"]
    assert all(item["meaning"] and item["advice"] and item["endpoint"] == "urn:dev:mac:01" for item in items)
    assert items[1]["raised_at"] == "2026-11-22T08:00:00.000Z"


async def test_faults_are_filtered(client: httpx.AsyncClient, lamp: dict[str, Any]) -> None:
    zone = (await client.post("/zones", json={"name": "Street"})).json()

    async def names(**parameters: Any) -> list[str]:
        return [item["name"] for item in (await client.get("/faults", params=parameters)).json()["items"]]

    assert await names(name="lamp_failure") == ["lamp_failure"]
    assert await names(severity=catalogue.LOW_VOLTAGE.severity, name="low_voltage") == ["low_voltage"]
    assert await names(lamp_id=lamp["id"] + 1) == []
    assert await names(zone_id=zone["id"]) == []
    await client.post(f"/zones/{zone['id']}/members", json={"lamp_ids": [lamp["id"]]})
    assert len(await names(zone_id=zone["id"])) == 2
    assert await names(state="cleared") == []
    assert await names(state="acknowledged") == []
    page = (await client.get("/faults", params={"limit": 1})).json()
    rest = (await client.get("/faults", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert [page["items"][0]["name"], rest["items"][0]["name"]] == ["low_voltage", "lamp_failure"]
    for wrong in ({"name": "bored"}, {"state": "odd"}, {"severity": "loud"}):
        assert (await client.get("/faults", params=wrong)).status_code == 422


async def test_a_fault_is_acknowledged_once_and_stays_open(client: httpx.AsyncClient, lamp: dict[str, Any]) -> None:
    fault = (await client.get("/faults")).json()["items"][0]
    answer = await client.post(f"/faults/{fault['id']}/acknowledge", json={"note": "crew on its way"})
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert (seen["state"], seen["acknowledged_by"]) == ("acknowledged", "admin")
    assert [(note["author"], note["text"]) for note in seen["notes"]] == [("admin", "crew on its way")]
    assert (await client.post(f"/faults/{fault['id']}/acknowledge", json={})).status_code == 409
    assert len((await client.get("/faults")).json()["items"]) == 2
    assert (await client.get(f"/lamps/{lamp['id']}")).json()["state"]["fault_count"] == 2


async def test_a_fault_is_cleared_by_hand_and_raised_again_by_the_lamp(
    app: FastAPI, client: httpx.AsyncClient, lamp: dict[str, Any]
) -> None:
    fault = (await client.get("/faults", params={"name": "lamp_failure"})).json()["items"][0]
    answer = await client.post(f"/faults/{fault['id']}/clear", json={"note": "led replaced"})
    assert (answer.json()["state"], answer.json()["cleared_by"]) == ("cleared", "admin")
    assert (await client.post(f"/faults/{fault['id']}/clear", json={})).status_code == 409
    assert (await client.get(f"/lamps/{lamp['id']}")).json()["state"]["fault_count"] == 1
    later_ms = app.state.clock.now_ms() + 60_000
    with app.state.database.writing() as connection:
        records = [Record(catalogue.LAMP_FAILURE.path, later_ms // 1000, True)]
        ingest.ingest(connection, [Report(lamp["id"], later_ms, records)])
    items = (await client.get("/faults", params={"name": "lamp_failure", "state": "all"})).json()["items"]
    assert [item["state"] for item in items] == ["open", "cleared"]


async def test_the_history_holds_every_transition(client: httpx.AsyncClient, lamp: dict[str, Any]) -> None:
    items = (await client.get(f"/lamps/{lamp['id']}/faults/history")).json()["items"]
    assert [(item["name"], item["raised"]) for item in items] == [("low_voltage", True), ("lamp_failure", True)]
    assert (await client.get("/lamps/99/faults/history")).status_code == 404


async def test_a_viewer_may_look_and_not_touch(
    make_client: Callable[[str | None], httpx.AsyncClient],
    make_token: Callable[[Role], Awaitable[str]],
    lamp: dict[str, Any],
) -> None:
    viewer = make_client(await make_token(Role.VIEWER))
    fault = (await viewer.get("/faults")).json()["items"][0]
    assert (await viewer.get(f"/faults/{fault['id']}")).status_code == 200
    for verb in ("acknowledge", "clear"):
        assert (await viewer.post(f"/faults/{fault['id']}/{verb}", json={})).status_code == 403
    assert (await viewer.get("/faults/9999")).status_code == 404
