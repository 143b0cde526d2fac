"""From made to retired: each step has its time, is found by it, and goes back when its reason goes."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import Session

from backend.access.models import Role
from backend.clock import Clock
from backend.enrolment.commissioning import Commissioning
from backend.lamps.models import LampState
from backend.schedules.models import DesiredSchedule
from tests.backend.conftest import LAMP, MakeClient, MakeToken

KEYS = {"sender_id": "0a0b0c", "master_secret": "0" * 31 + "1", "master_salt": "0" * 16}
OTHER = {"sender_id": "0d", "master_secret": "0" * 31 + "2", "master_salt": "0" * 16}
ENDPOINT = "urn:lamp:1"


@pytest.fixture
async def technician(make_client: MakeClient, make_token: MakeToken) -> httpx.AsyncClient:
    return make_client(await make_token(Role.TECHNICIAN))


async def enrol(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post("/enrolments", json={**LAMP, **KEYS, "endpoint": ENDPOINT, **fields})


async def lamp_of(client: httpx.AsyncClient, lamp_id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/lamps/{lamp_id}")).json()
    return found


async def commission(app: FastAPI, lamp_id: int) -> None:
    worker: Commissioning = app.state.commissioning
    worker.check_in(lamp_id, "register")
    await worker.settle()


async def test_a_lamp_goes_through_its_life(
    app: FastAPI, client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    made = await technician.post("/enrolments/made", json={"items": [{**LAMP, "asset_id": "A-1", "street": "Le Loi"}]})
    assert made.json() == {"created": 1, "unchanged": 0}
    (lamp,) = (await client.get("/lamps", params={"life": "made"})).json()["items"]
    assert lamp["endpoint"].startswith("made:") and lamp["name"] == "A-1"
    body = {"endpoint": ENDPOINT, "asset_id": "A-1", "serial": "S1"}
    provisioned = (await technician.post("/enrolments/provisioned", json=body)).json()
    assert (provisioned["id"], provisioned["life"], provisioned["endpoint"]) == (lamp["id"], "provisioned", ENDPOINT)
    assert (await technician.post("/enrolments/provisioned", json=body)).json() == provisioned
    enrolled = (await enrol(technician, asset_id="A-1")).json()["lamp"]
    assert (enrolled["life"], enrolled["street"], enrolled["serial"]) == ("enrolled", "Le Loi", "S1")
    assert enrolled["provisioned_at"] == provisioned["provisioned_at"]
    await commission(app, lamp["id"])
    commissioned = await lamp_of(client, lamp["id"])
    assert commissioned["life"] == "commissioned" and commissioned["commissioned_at"] >= enrolled["enrolled_at"]
    await commission(app, lamp["id"])
    assert await lamp_of(client, lamp["id"]) == commissioned
    counts = {"made": 0, "provisioned": 0, "enrolled": 0, "commissioned": 1, "retired": 0}
    assert (await client.get("/lamps/counts")).json() == counts
    await client.delete(f"/lamps/{lamp['id']}")
    (retired,) = (await client.get("/lamps", params={"life": "retired"})).json()["items"]
    assert (retired["life"], retired["commissioned_at"]) == ("retired", commissioned["commissioned_at"])


async def test_a_list_of_assets_is_taken_whole_and_again_changes_nothing(
    client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    items = [{**LAMP, "asset_id": f"A-{number}"} for number in range(3)]
    bad = [*items, {"asset_id": "A-9"}]
    refused = await technician.post("/enrolments/made", json={"items": bad})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["items.3"]
    assert (await client.get("/lamps")).json()["items"] == []
    assert (await technician.post("/enrolments/made", json={"items": items})).json()["created"] == 3
    again = await technician.post("/enrolments/made", json={"items": [*items, items[0]]})
    assert again.json() == {"created": 0, "unchanged": 4}


async def test_a_swap_keeps_the_lamp_and_forgets_the_controller(
    app: FastAPI, client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    before = (await enrol(technician, asset_id="A-1", name="Le Loi 12", serial="S1")).json()["lamp"]
    zone = (await client.post("/zones", json={"name": "Hue"})).json()["id"]
    await client.post(f"/zones/{zone}/members", json={"lamp_ids": [before["id"]]})
    await commission(app, before["id"])
    body = {**OTHER, "endpoint": "urn:lamp:2", "serial": "S2"}
    swapped = await technician.post(f"/lamps/{before['id']}/swap", json=body)
    assert swapped.status_code == 200 and swapped.json()["result"] == "enrolled"
    after = swapped.json()["lamp"]
    assert (after["endpoint"], after["serial"], after["life"], after["status"]) == (
        "urn:lamp:2",
        "S2",
        "enrolled",
        "never",
    )
    for name in ("id", "name", "asset_id", "latitude", "created_at"):
        assert after[name] == before[name]
    assert (await client.get(f"/zones/{zone}/members")).json()["items"] == [before["id"]]
    audit = (await client.get("/audit")).json()["items"][0]
    assert audit["detail"] == "controller urn:lamp:1 swapped for urn:lamp:2"
    again = await technician.post(f"/lamps/{before['id']}/swap", json=body)
    assert again.json() == {**swapped.json(), "result": "unchanged"}
    # The old controller is free: with new keys it may hang somewhere else.
    spare = await enrol(technician, sender_id="0e", asset_id="A-2")
    assert spare.status_code == 201 and spare.json()["lamp"]["id"] != before["id"]


async def test_what_is_desired_of_a_lamp_is_sent_again_after_a_swap(
    app: FastAPI, client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    lamp_id = (await enrol(technician)).json()["lamp"]["id"]
    schedule = {"name": "All night", "programs": [{"name": "P", "switch_points": [{"at": "S", "level": 80}]}]}
    schedule["calendar"] = [{"program": "P"}]  # type: ignore[assignment,list-item]
    made = await client.post("/schedules", json=schedule)
    assert made.status_code == 201, made.text
    await client.post(f"/schedules/{made.json()['id']}/assignments", json={"lamp_ids": [lamp_id]})

    def verify(session: Session) -> None:
        row = session.get(DesiredSchedule, lamp_id)
        assert row is not None
        row.status = "verified"
        session.merge(LampState(lamp_id=lamp_id, digest_reported=row.digest, boot_count=7, times={"boot_count": 5}))

    await app.state.database.write(verify)
    assert (await client.get(f"/lamps/{lamp_id}/schedule")).json()["status"] == "verified"
    await technician.post(f"/lamps/{lamp_id}/swap", json={**OTHER, "endpoint": "urn:lamp:2"})
    assert (await client.get(f"/lamps/{lamp_id}/schedule")).json()["status"] == "pending"
    state = (await lamp_of(client, lamp_id))["state"]
    assert (state["digest_reported"], state["boot_count"], state["fault_count"]) == (None, None, 0)


async def test_an_asset_takes_another_controller_only_when_somebody_says_replace(
    client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    lamp = (await enrol(technician, asset_id="A-1")).json()["lamp"]
    refused = await enrol(technician, **OTHER, endpoint="urn:lamp:2", asset_id="A-1")
    assert refused.status_code == 409 and "replace: true" in refused.json()["advice"]
    assert refused.json()["errors"][0]["field"] == "asset_id"
    swapped = await enrol(technician, **OTHER, endpoint="urn:lamp:2", asset_id="A-1", replace=True)
    assert swapped.status_code == 200
    assert (swapped.json()["lamp"]["id"], swapped.json()["lamp"]["endpoint"]) == (lamp["id"], "urn:lamp:2")


async def test_a_serial_belongs_to_one_lamp(technician: httpx.AsyncClient) -> None:
    await enrol(technician, serial="S1")
    refused = await enrol(technician, **OTHER, endpoint="urn:lamp:2", serial="S1")
    assert refused.status_code == 409 and refused.json()["errors"][0]["field"] == "serial"


async def test_revoked_keys_come_back_only_when_somebody_says_replace(
    app: FastAPI, client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    lamp_id = (await enrol(technician)).json()["lamp"]["id"]
    await commission(app, lamp_id)
    revoked = await technician.delete(f"/lamps/{lamp_id}/keys")
    assert (revoked.json()["life"], revoked.json()["commissioned_at"]) == ("provisioned", None)
    assert (await technician.delete(f"/lamps/{lamp_id}/keys")).status_code == 200
    details = [entry["detail"] for entry in (await client.get("/audit")).json()["items"][:2]]
    assert details == ["no keys to revoke", f"keys revoked of {ENDPOINT}"]
    refused = await enrol(technician)
    assert refused.status_code == 409 and "revoked" in refused.json()["detail"]
    assert (await enrol(technician, replace=True)).json()["lamp"]["life"] == "enrolled"


async def test_two_technicians_with_one_board_end_with_one_winner(
    client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(enrol(technician), enrol(technician, **OTHER))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert "replace: true" in loser.json()["advice"]
    assert len((await client.get("/lamps")).json()["items"]) == 1


async def test_a_technician_of_a_city_enrols_into_it_and_nowhere_else(
    client: httpx.AsyncClient, make_client: MakeClient
) -> None:
    hue = (await client.post("/zones", json={"name": "Hue"})).json()["id"]
    body = {"name": "van", "role": "technician", "expires_hours": 1, "city": "Hue"}
    van = make_client((await client.post("/tokens", json=body)).json()["token"])
    other = (await enrol(client, **OTHER, endpoint="urn:lamp:2", asset_id="A-2")).json()["lamp"]["id"]
    ours = (await enrol(van)).json()["lamp"]["id"]
    assert (await client.get(f"/zones/{hue}/members")).json()["items"] == [ours]
    for fields in ({**OTHER, "endpoint": "urn:lamp:2"}, {"asset_id": "A-2", "endpoint": "urn:lamp:3", "replace": True}):
        refused = await enrol(van, **{"sender_id": "0f", **fields})
        assert refused.status_code == 403 and "city of your token" in refused.json()["advice"]
    assert (await van.delete(f"/lamps/{other}/keys")).status_code == 403
    assert (await van.post(f"/lamps/{other}/swap", json={**KEYS, "endpoint": "urn:lamp:4"})).status_code == 403
    assert (await lamp_of(client, other))["life"] == "enrolled"


async def test_a_token_that_ends_in_the_middle_of_a_batch_keeps_what_was_enrolled(
    app: FastAPI, client: httpx.AsyncClient, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "van", "role": "technician", "expires_hours": 1}
    van = make_client((await client.post("/tokens", json=body)).json()["token"])
    assert (await enrol(van)).status_code == 201
    later_ms = app.state.clock.real_ms() + 3_600_001
    monkeypatch.setattr(Clock, "real_ms", lambda clock: later_ms)
    ended = await enrol(van, **OTHER, endpoint="urn:lamp:2")
    assert ended.status_code == 401 and "expired" in ended.json()["detail"]
    assert [lamp["life"] for lamp in (await client.get("/lamps")).json()["items"]] == ["enrolled"]
