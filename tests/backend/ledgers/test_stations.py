"""The key that ledgers are sealed for, and the computers that may sign them."""

import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI
from nacl.public import PrivateKey, PublicKey, SealedBox

from backend.access.models import Role
from backend.ledgers import service
from backend.ledgers.models import SealingKey
from tests.backend.conftest import MakeClient, MakeToken

STATION = {"name": "bench 1", "public_key": "0a" * 32}


@pytest.fixture
async def technician(make_client: MakeClient, make_token: MakeToken) -> httpx.AsyncClient:
    return make_client(await make_token(Role.TECHNICIAN))


async def test_everybody_who_asks_for_the_key_gets_the_same_one_and_only_its_public_half(
    app: FastAPI, technician: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = await asyncio.gather(*(technician.get("/enrolments/key") for _ in range(8)))
    keys = {answer.json()["public_key"] for answer in answers}
    assert len(keys) == 1 and all(list(answer.json()) == ["public_key"] for answer in answers)
    held = await app.state.database.read(service.find_key)
    assert (
        held is not None
        and SealedBox(PrivateKey(held.private)).decrypt(
            SealedBox(PublicKey(bytes.fromhex(keys.pop()))).encrypt(b"words")
        )
        == b"words"
    )
    private = held.private.hex()
    assert private not in caplog.text and private not in repr(held) and private not in str(held)
    assert repr(held.private) not in caplog.text


def test_the_key_pair_hides_its_private_half() -> None:
    assert repr(SealingKey(private=b"secret", public=b"\x0a", created_at_ms=0)) == "SealingKey(public=0a)"


async def test_a_station_is_registered_once_and_may_change_its_name(
    client: httpx.AsyncClient, technician: httpx.AsyncClient
) -> None:
    first = await technician.post("/enrolments/stations", json=STATION)
    assert first.status_code == 201
    again = await technician.post("/enrolments/stations", json={**STATION, "name": "van 3"})
    assert again.status_code == 200
    assert again.json() == {**first.json(), "name": "van 3"}
    listed = (await client.get("/enrolments/stations")).json()["items"]
    assert listed == [again.json()]
    assert (listed[0]["created_by"], listed[0]["city_id"], listed[0]["revoked_at"]) == ("technician", None, None)


async def test_a_revoked_station_stays_revoked(client: httpx.AsyncClient, technician: httpx.AsyncClient) -> None:
    station = (await technician.post("/enrolments/stations", json=STATION)).json()
    revoked = await client.delete(f"/enrolments/stations/{station['id']}")
    assert revoked.status_code == 200 and revoked.json()["revoked_at"] is not None
    assert (await client.delete(f"/enrolments/stations/{station['id']}")).json() == revoked.json()
    refused = await technician.post("/enrolments/stations", json=STATION)
    assert refused.status_code == 409
    assert "new key" in refused.json()["advice"]
    assert (await client.delete("/enrolments/stations/999")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**STATION, "public_key": "0a" * 31}, "public_key"),
        ({**STATION, "public_key": "zz" * 32}, "public_key"),
        ({**STATION, "name": ""}, "name"),
        ({**STATION, "name": "a\nb"}, "name"),
        ({**STATION, "private_key": "0a" * 32}, "private_key"),
    ],
)
async def test_a_station_that_makes_no_sense_is_refused_by_field(
    technician: httpx.AsyncClient, body: dict[str, str], field: str
) -> None:
    answer = await technician.post("/enrolments/stations", json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_only_technicians_register_and_only_admins_list_and_revoke(
    technician: httpx.AsyncClient, make_client: MakeClient, make_token: MakeToken
) -> None:
    operator = make_client(await make_token(Role.OPERATOR))
    assert (await operator.get("/enrolments/key")).status_code == 403
    assert (await operator.post("/enrolments/stations", json=STATION)).status_code == 403
    assert (await technician.get("/enrolments/stations")).status_code == 403
    assert (await technician.delete("/enrolments/stations/1")).status_code == 403
