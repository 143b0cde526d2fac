"""Tokens for a shift and for a city: they end by themselves, and reach no further than the lamps of that city."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.access import service
from backend.access.models import Role
from backend.db import Database
from backend.errors import BadInput, Unauthorized
from tests.backend.conftest import LAMP, MakeClient, MakeToken

NOW_MS = 1_763_800_000_000
HOUR_MS = 3_600_000


async def make_city(client: httpx.AsyncClient, name: str, endpoint: str) -> tuple[int, int]:
    """A top-level zone with a district that holds a lamp: (zone, lamp)."""
    city = (await client.post("/zones", json={"name": name})).json()["id"]
    district = (await client.post("/zones", json={"name": f"{name} 1", "parent_id": city})).json()["id"]
    lamp = (await client.post("/lamps", json={**LAMP, "endpoint": endpoint})).json()["id"]
    await client.post(f"/zones/{district}/members", json={"lamp_ids": [lamp]})
    return city, lamp


async def technician_of(
    client: httpx.AsyncClient, make_client: MakeClient, city: str, hours: int = 12
) -> httpx.AsyncClient:
    body = {"name": "van 3", "role": "technician", "expires_hours": hours, "city": city}
    answer = await client.post("/tokens", json=body)
    assert answer.status_code == 201, answer.text
    return make_client(answer.json()["token"])


def test_a_token_ends_after_its_hours(database: Database) -> None:
    with database.session(writes=True) as session:
        _, text = service.create(session, NOW_MS, "van 3", "technician", expires_hours=12)
        assert service.authenticate(session, text, NOW_MS + 12 * HOUR_MS - 1).name == "van 3"
        with pytest.raises(Unauthorized, match="expired"):
            service.authenticate(session, text, NOW_MS + 12 * HOUR_MS)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"role": "technician", "expires_hours": 0}, "expires_hours"),
        ({"role": "technician", "expires_hours": 9000}, "expires_hours"),
        ({"role": "technician", "expires_hours": 1, "expires_days": 1}, "expires_hours"),
        ({"role": "operator", "city_id": 1}, "city"),
    ],
)
def test_a_span_or_a_city_that_makes_no_sense_is_refused(
    database: Database, options: dict[str, Any], field: str
) -> None:
    with database.session(writes=True) as session, pytest.raises(BadInput) as refused:
        service.create(session, NOW_MS, "x", **options)
    assert refused.value.errors[0].field == field


async def test_an_administrator_makes_lists_and_revokes_tokens(
    client: httpx.AsyncClient, make_client: MakeClient
) -> None:
    await make_city(client, "Hue", "lamp-1")
    made = (
        await client.post("/tokens", json={"name": "van", "role": "technician", "expires_hours": 8, "city": "Hue"})
    ).json()
    van = make_client(made["token"])
    me = (await van.get("/me")).json()
    assert me == {"name": "van", "role": "technician", "city": "Hue", "expires_at": made["expires_at"]}
    listed = (await client.get("/tokens")).json()["items"]
    assert [token["name"] for token in listed] == ["admin", "van"]
    assert all("token" not in token and made["token"] not in str(token) for token in listed)
    revoked = await client.delete(f"/tokens/{made['prefix']}")
    assert revoked.status_code == 200 and revoked.json()["revoked_at"] is not None
    assert (await van.get("/me")).status_code == 401
    audit = (await client.get("/audit")).json()["items"]
    assert made["token"] not in str(audit)
    assert [entry["detail"] for entry in audit[:2]] == ["revoked van", "created van, technician, 8 h, Hue"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"city": "Nowhere"}, "city"),
        ({"city": "Hue 1"}, "city"),
        ({"role": "operator"}, "city"),
        ({"role": "king"}, "role"),
        ({"expires_hours": 0}, "expires_hours"),
        ({"expires_hours": None}, "expires_hours"),
    ],
)
async def test_a_token_over_the_network_must_end_and_name_a_city_that_is_one(
    client: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    await make_city(client, "Hue", "lamp-1")
    body = {"name": "van", "role": "technician", "expires_hours": 8, "city": "Hue", **change}
    answer = await client.post("/tokens", json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_only_an_administrator_makes_tokens(make_client: MakeClient, make_token: MakeToken) -> None:
    technician = make_client(await make_token(Role.TECHNICIAN))
    assert (await technician.post("/tokens", json={})).status_code == 403
    assert (await technician.get("/tokens")).status_code == 403
    assert (await technician.delete("/tokens/00000000")).status_code == 403


async def test_a_technician_of_a_city_sees_its_lamps_only(client: httpx.AsyncClient, make_client: MakeClient) -> None:
    _, ours = await make_city(client, "Hue", "lamp-1")
    other_city, other = await make_city(client, "Da Nang", "lamp-2")
    van = await technician_of(client, make_client, "Hue")
    assert [lamp["id"] for lamp in (await van.get("/lamps")).json()["items"]] == [ours]
    assert (await van.get("/lamps", params={"zone_id": other_city})).json()["items"] == []
    assert (await van.get(f"/lamps/{ours}")).status_code == 200
    assert (await van.patch(f"/lamps/{ours}", json={"street": "Le Loi"})).status_code == 200
    for missing in (other, 999):
        refused = await van.get(f"/lamps/{missing}")
        assert refused.status_code == 403
        assert "city of your token" in refused.json()["advice"]
    assert (await van.get("/lamps/x")).status_code == 403
    await client.delete(f"/lamps/{ours}")
    assert (await van.get(f"/lamps/{ours}")).status_code == 200
    assert [one["id"] for one in (await van.get("/lamps", params={"retired": True})).json()["items"]] == [ours]


async def test_no_endpoint_of_the_whole_api_shows_a_technician_another_city(
    app: FastAPI, client: httpx.AsyncClient, make_client: MakeClient
) -> None:
    """Every path is asked with the other city's lamp: what answers at all tells nothing of it."""
    await make_city(client, "Hue", "lamp-1")
    _, other = await make_city(client, "Da Nang", "lamp-of-da-nang")
    van = await technician_of(client, make_client, "Hue")
    answered = []
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            for name in ("lamp_id", "zone_id", "fault_id", "override_id", "schedule_id", "incident_id", "station_id"):
                path = path.replace(f"{{{name}}}", str(other))
            answer = await van.request(method.upper(), f"http://test{path}", json={})
            assert "lamp-of-da-nang" not in answer.text and "Da Nang" not in answer.text, path
            if answer.status_code != 403:
                answered.append((method, path.removeprefix("/api/v1")))
    allowed = ("/me", "/lamps", "/enrolments", "/health", "/version")
    assert all(path.startswith(allowed) for _, path in answered), answered
    assert ("post", "/lamps") not in answered


async def test_a_city_takes_its_tokens_with_it(client: httpx.AsyncClient, make_client: MakeClient) -> None:
    """The database gives a number out again: a token must not wake up in another city."""
    city = (await client.post("/zones", json={"name": "Hue"})).json()["id"]
    van = await technician_of(client, make_client, "Hue")
    assert (await client.delete(f"/zones/{city}")).status_code == 204
    assert (await van.get("/me")).status_code == 401


async def test_a_technician_without_a_city_reaches_everything_as_before(
    client: httpx.AsyncClient, make_client: MakeClient, make_token: MakeToken
) -> None:
    await make_city(client, "Hue", "lamp-1")
    await make_city(client, "Da Nang", "lamp-2")
    technician = make_client(await make_token(Role.TECHNICIAN))
    assert len((await technician.get("/lamps")).json()["items"]) == 2
    assert (await technician.get("/zones")).status_code == 200


async def test_a_stranger_is_not_told_that_the_body_is_no_json(stranger: httpx.AsyncClient) -> None:
    broken = {"content": b"{", "headers": {"content-type": "application/json"}}
    assert (await stranger.post("/enrolments", **broken)).status_code == 401  # type: ignore[arg-type]


async def test_who_may_call_is_told_that_the_body_is_no_json(client: httpx.AsyncClient) -> None:
    answer = await client.post("/enrolments", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "body", "reason": "this is not JSON"}]
