"""Enrolment: a lamp and its keys in one transaction; repeatable, careful, and silent about secrets."""

import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.access.models import Role
from backend.device_server.models import BootstrapAccount, Credential
from backend.enrolment.service import Keys
from tests.backend.conftest import LAMP, MakeClient, MakeToken

SECRET, SALT = "000102030405060708090a0b0c0d0e0f", "f0f1f2f3f4f5f6f7"
OTHER = "a" * 32
ENDPOINT = "urn:dev:mac:0024befffe804ff1"
ENROLMENT = {**LAMP, "endpoint": ENDPOINT, "sender_id": "0a0b0c", "master_secret": SECRET, "master_salt": SALT}


@pytest.fixture
async def technician(make_client: MakeClient, make_token: MakeToken) -> httpx.AsyncClient:
    return make_client(await make_token(Role.TECHNICIAN))


async def enrol(technician: httpx.AsyncClient, **change: Any) -> httpx.Response:
    body = {name: value for name, value in {**ENROLMENT, **change}.items() if value is not ...}
    return await technician.post("/enrolments", json=body)


async def credential(app: FastAPI, lamp_id: int) -> Credential:
    held = await app.state.database.read(lambda session: session.get(Credential, lamp_id))
    assert isinstance(held, Credential)
    return held


async def test_a_new_lamp_gets_its_place_and_its_keys(app: FastAPI, technician: httpx.AsyncClient) -> None:
    answer = await enrol(technician, name="Le Loi 12", feeder="F1")
    assert answer.status_code == 201
    lamp = answer.json()["lamp"]
    assert (lamp["endpoint"], lamp["name"], lamp["feeder"], lamp["status"]) == (ENDPOINT, "Le Loi 12", "F1", "never")
    assert answer.json()["sender_id"] == "0a0b0c"
    held = await credential(app, lamp["id"])
    assert (held.sender_id, held.secret, held.salt) == (b"\n\x0b\x0c", bytes.fromhex(SECRET), bytes.fromhex(SALT))


async def test_the_same_enrolment_again_changes_nothing(app: FastAPI, technician: httpx.AsyncClient) -> None:
    first, second = await enrol(technician), await enrol(technician)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {**first.json(), "result": "unchanged"}
    third = await enrol(technician, latitude=..., longitude=..., time_zone=..., sender_id="0A0B0C")
    assert third.status_code == 200 and third.json() == second.json()


async def test_a_lamp_of_the_inventory_takes_its_keys_and_what_is_said_about_it(
    app: FastAPI, client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    lamp = (await client.post("/lamps", json={**LAMP, "endpoint": ENDPOINT, "street": "Old", "feeder": "F1"})).json()
    answer = await enrol(technician, latitude=..., longitude=..., time_zone=..., street="New")
    assert answer.status_code == 200
    after = answer.json()["lamp"]
    changed = {name for name in lamp if lamp[name] != after[name]}
    assert changed == {"street", "updated_at", "life", "provisioned_at", "enrolled_at"}
    assert (lamp["life"], after["life"], after["street"]) == ("made", "enrolled", "New")
    assert (await credential(app, lamp["id"])).revoked_real_ms is None


@pytest.mark.parametrize("change", [{"master_secret": OTHER}, {"master_salt": "0" * 16}, {"sender_id": "0a"}])
async def test_other_keys_are_a_conflict_until_somebody_says_replace(
    app: FastAPI, technician: httpx.AsyncClient, change: dict[str, str]
) -> None:
    lamp_id = (await enrol(technician)).json()["lamp"]["id"]
    before = await credential(app, lamp_id)
    refused = await enrol(technician, **change, street="not taken either")
    assert refused.status_code == 409
    assert "replace" in refused.json()["advice"]
    assert refused.json()["errors"][0]["field"] == "endpoint"
    assert (await credential(app, lamp_id)).model_dump() == before.model_dump()
    replaced = await enrol(technician, **change, replace=True)
    assert replaced.status_code == 200 and replaced.json()["lamp"]["street"] == ""
    after = await credential(app, lamp_id)
    assert (after.sender_id, after.secret, after.salt) != (before.sender_id, before.secret, before.salt)


async def test_a_sender_id_belongs_to_one_lamp_until_somebody_says_replace(
    app: FastAPI, technician: httpx.AsyncClient
) -> None:
    first = (await enrol(technician)).json()["lamp"]["id"]
    refused = await enrol(technician, endpoint="urn:lamp:2")
    assert refused.status_code == 409
    assert refused.json()["errors"] == [{"field": "sender_id", "reason": f"belongs to lamp {first}"}]
    assert len((await technician.get("/lamps")).json()["items"]) == 1
    moved = await enrol(technician, endpoint="urn:lamp:2", replace=True)
    assert moved.status_code == 201
    assert (await credential(app, moved.json()["lamp"]["id"])).secret == bytes.fromhex(SECRET)
    assert await app.state.database.read(lambda session: session.get(Credential, first)) is None
    assert (await technician.get(f"/lamps/{first}")).status_code == 200


async def test_a_retired_lamp_returns_only_when_somebody_says_replace(
    client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    lamp_id = (await enrol(technician)).json()["lamp"]["id"]
    await client.delete(f"/lamps/{lamp_id}")
    refused = await enrol(technician)
    assert refused.status_code == 409
    assert "retired" in refused.json()["detail"]
    back = (await enrol(technician, replace=True)).json()["lamp"]
    assert (back["id"], back["retired_at"]) == (lamp_id, None)


BAD: list[tuple[dict[str, Any], set[str]]] = [
    ({"sender_id": ""}, {"sender_id"}),
    ({"sender_id": "0"}, {"sender_id"}),
    ({"sender_id": "00" * 8}, {"sender_id"}),
    ({"sender_id": "lamp"}, {"sender_id"}),
    ({"sender_id": "01"}, {"sender_id"}),
    ({"master_secret": SECRET[:-2]}, {"master_secret"}),
    ({"master_secret": SECRET + "00"}, {"master_secret"}),
    ({"master_secret": "x" * 32}, {"master_secret"}),
    ({"master_secret": 7}, {"master_secret"}),
    ({"master_secret": [SECRET]}, {"master_secret"}),
    ({"master_secret": ...}, {"master_secret"}),
    ({"master_salt": ""}, {"master_salt"}),
    ({"master_salt": SALT + "00"}, {"master_salt"}),
    ({"endpoint": "no spaces"}, {"endpoint"}),
    ({"latitude": ..., "time_zone": ...}, {"latitude", "time_zone"}),
    ({SECRET: SECRET}, {"*"}),
    ({"latitude": 100}, {"latitude"}),
]


async def test_bad_input_is_refused_by_field_keeps_nothing_and_repeats_no_secret(
    technician: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for change, fields in BAD:
            answer = await enrol(technician, **change)
            assert answer.status_code == 422, change
            if fields != {"*"}:
                assert {error["field"] for error in answer.json()["errors"]} == fields, change
                assert SECRET[:30] not in answer.text
            assert SALT not in answer.text
    assert (await technician.get("/lamps")).json()["items"] == []
    assert SECRET[:30] not in caplog.text and SALT not in caplog.text


async def test_keys_appear_in_no_answer_and_in_no_log(
    app: FastAPI, client: httpx.AsyncClient, technician: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Every endpoint of the whole API is asked, with a lamp enrolled, replaced and refused before."""
    with caplog.at_level(logging.DEBUG):
        texts = [(await enrol(technician)).text, (await enrol(technician, master_secret=OTHER)).text]
        texts.append((await enrol(technician, sender_id="0d", master_secret=OTHER, replace=True)).text)
        lamp_id = (await client.get("/lamps")).json()["items"][0]["id"]
        texts.append((await client.patch(f"/lamps/{lamp_id}", json={"street": "x"})).text)
        for path in app.openapi()["paths"]:
            for name in ("lamp_id", "zone_id", "fault_id", "override_id", "schedule_id", "assignment_id"):
                path = path.replace(f"{{{name}}}", str(lamp_id))
            texts.append((await client.get(f"http://test{path}")).text)
        texts.append((await client.delete(f"/lamps/{lamp_id}")).text)
    everything = "\n".join([*texts, caplog.text]).lower()
    for secret in (SECRET, SALT, OTHER, repr(bytes.fromhex(SECRET)).lower(), "agicawqfbgcicqolda0odw"):
        assert secret not in everything
    assert "0a0b0c" in everything


async def test_an_operator_does_not_enrol(make_client: MakeClient, make_token: MakeToken) -> None:
    answer = await enrol(make_client(await make_token(Role.OPERATOR)))
    assert answer.status_code == 403


def test_keys_hide_themselves() -> None:
    assert repr(Keys(b"\x0a", b"secret", b"salt")) == "Keys(sender_id=0a)"


async def test_keys_for_a_bootstrap_are_kept_apart_from_those_of_the_lamp(
    app: FastAPI, technician: httpx.AsyncClient
) -> None:
    first, second = await enrol(technician, bootstrap=True), await enrol(technician, bootstrap=True)
    assert (first.status_code, second.status_code) == (201, 200)
    lamp_id = first.json()["lamp"]["id"]
    held = await app.state.database.read(lambda session: session.get(BootstrapAccount, lamp_id))
    assert (held.sender_id, held.secret, held.endpoint) == (b"\n\x0b\x0c", bytes.fromhex(SECRET), ENDPOINT)
    assert await app.state.database.read(lambda session: session.get(Credential, lamp_id)) is None
    assert SECRET not in first.text + repr(held)
    # What the keys are for is part of what is enrolled.
    assert (await enrol(technician)).status_code == 409
    assert (await enrol(technician, bootstrap=True, master_secret=OTHER)).status_code == 409
    assert (await enrol(technician, replace=True)).status_code == 200
    assert await app.state.database.read(lambda session: session.get(BootstrapAccount, lamp_id)) is None
    assert (await enrol(technician, bootstrap=True)).status_code == 409
    another = {"endpoint": "urn:dev:mac:0024befffe804ff2", "bootstrap": True}
    assert (await enrol(technician, **another)).status_code == 409, "the sender id is another lamp's"
