"""Incidents through the API, on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.access.models import Role
from backend.faults.silence import Hearing
from backend.incidents.bounds import Bounds
from backend.incidents.correlation import Loss, Place
from backend.incidents.record import Look, record
from backend.incidents.watch import SilenceWatch

AddLamp = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(autouse=True)
def quiet_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else looks for silence: a look that began before these lamps were there takes them for retired, and ends
    the incident."""

    async def never(watch: SilenceWatch) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(SilenceWatch, "run", never)


@pytest.fixture
async def incident(app: FastAPI, add_lamp: AddLamp) -> dict[str, Any]:
    """Three lamps of one feeder that were lost together, and one that was not."""
    lamps = [await add_lamp(f"urn:dev:mac:0{n}", feeder="F1" if n < 3 else "F2", cabinet="C1") for n in range(4)]
    ids = [lamp["id"] for lamp in lamps]
    now_ms = app.state.clock.now_ms()
    look = Look(
        at_ms=now_ms,
        real_ms=now_ms,
        losses=[Loss(lamp_id, now_ms - 300_000, now_ms) for lamp_id in ids[:3]],
        cleared=[],
        unheard=[],
        lost=frozenset(ids[:3]),
        hearings={lamp_id: Hearing(lamp_id, now_ms - 300_000, 300) for lamp_id in ids},
        places={lamp["id"]: Place(lamp["feeder"], lamp["cabinet"]) for lamp in lamps},
    )
    with app.state.database.writing() as connection:
        record(connection, look, Bounds())
    return {"ids": ids}


async def test_an_incident_has_a_cause_its_members_and_advice(
    client: httpx.AsyncClient, incident: dict[str, Any]
) -> None:
    (item,) = (await client.get("/incidents")).json()["items"]
    assert (item["cause"], item["scope"], item["name"]) == ("supply", "feeder", "F1")
    assert (item["members"], item["missing"], item["state"]) == (3, 3, "open")
    assert item["meaning"] == "3 of 3 lamps of feeder F1 were lost together." and item["advice"]
    detail = (await client.get(f"/incidents/{item['id']}")).json()
    assert [lamp["lamp_id"] for lamp in detail["lamps"]] == incident["ids"][:3]
    assert detail["notes"] == []
    page = (await client.get(f"/incidents/{item['id']}/members", params={"limit": 2, "missing": True})).json()
    assert len(page["items"]) == 2 and page["next_cursor"]
    none = (await client.get(f"/incidents/{item['id']}/members", params={"missing": False})).json()
    assert none["items"] == []
    faults = (await client.get("/faults")).json()["items"]
    assert {fault["incident_id"] for fault in faults} == {item["id"]}
    assert (await client.get("/faults", params={"incidents": "collapse"})).json()["items"] == []


async def test_incidents_are_filtered(client: httpx.AsyncClient, incident: dict[str, Any]) -> None:
    async def number(**parameters: Any) -> int:
        return len((await client.get("/incidents", params=parameters)).json()["items"])

    for parameters, expected in (
        ({"cause": "supply"}, 1),
        ({"cause": "network"}, 0),
        ({"feeder": "F1"}, 1),
        ({"feeder": "F2"}, 0),
        ({"cabinet": "C1"}, 1),
        ({"lamp_id": incident["ids"][0]}, 1),
        ({"lamp_id": incident["ids"][3]}, 0),
        ({"state": "ended"}, 0),
        ({"state": "acknowledged"}, 0),
        ({"state": "all"}, 1),
        ({"since": "2100-01-01T00:00:00Z"}, 0),
        ({"until": "2100-01-01T00:00:00Z"}, 1),
    ):
        assert await number(**parameters) == expected, parameters
    assert (await client.get("/incidents", params={"cause": "ghosts"})).status_code == 422
    assert (await client.get("/incidents/999")).status_code == 404
    assert (await client.get("/incidents/999/members")).status_code == 404


async def test_an_incident_is_acknowledged_once_and_takes_notes(
    client: httpx.AsyncClient, incident: dict[str, Any]
) -> None:
    (item,) = (await client.get("/incidents")).json()["items"]
    path = f"/incidents/{item['id']}"
    seen = (await client.post(f"{path}/acknowledge", json={"note": "crew on its way"})).json()
    assert (seen["state"], seen["acknowledged_by"]) == ("acknowledged", "admin")
    assert (await client.post(f"{path}/acknowledge", json={})).status_code == 409
    answer = await client.post(f"{path}/notes", json={"text": "fuse replaced"})
    assert answer.status_code == 201
    assert [note["text"] for note in answer.json()["notes"]] == ["crew on its way", "fuse replaced"]
    assert (await client.post(f"{path}/notes", json={"text": ""})).status_code == 422
    assert (await client.post("/incidents/999/notes", json={"text": "x"})).status_code == 404


async def test_a_viewer_only_looks(
    make_client: Callable[[str | None], httpx.AsyncClient],
    make_token: Callable[[Role], Awaitable[str]],
    incident: dict[str, Any],
) -> None:
    viewer = make_client(await make_token(Role.VIEWER))
    (item,) = (await viewer.get("/incidents")).json()["items"]
    for verb, body in (("acknowledge", {}), ("notes", {"text": "x"})):
        assert (await viewer.post(f"/incidents/{item['id']}/{verb}", json=body)).status_code == 403
