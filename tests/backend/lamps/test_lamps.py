"""Lamps over HTTP, on both databases."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from fastapi import FastAPI

from backend.device_server.models import Credential, Registration
from backend.lamps.ingest import set_fault_counts
from tests.backend.conftest import LAMP

AddLamp = Callable[..., Awaitable[dict[str, Any]]]


async def test_a_lamp_is_created_and_read_back(client: httpx.AsyncClient) -> None:
    body = {
        **LAMP,
        "endpoint": "urn:dev:mac:0024befffe804ff1",
        "name": "Lê Lợi 12",
        "asset_id": "A-12",
        "street": "Lê Lợi",
        "feeder": "F1",
        "cabinet": "C1",
        "nominal_power_w": 60.5,
        "control_type": 11,
        "notes": "two lines\nof notes",
    }
    answer = await client.post("/lamps", json=body)
    assert answer.status_code == 201
    lamp = answer.json()
    assert {name: lamp[name] for name in body} == body
    assert (lamp["status"], lamp["state"], lamp["retired_at"]) == ("never", None, None)
    assert answer.headers["location"] == f"/api/v1/lamps/{lamp['id']}"
    assert (await client.get(f"/lamps/{lamp['id']}")).json() == lamp


async def test_without_a_name_the_endpoint_is_the_name(add_lamp: AddLamp) -> None:
    assert (await add_lamp("urn:lamp:1"))["name"] == "urn:lamp:1"


BAD_LAMPS: list[tuple[dict[str, Any], str]] = [
    ({"endpoint": None}, "endpoint"),
    ({"endpoint": ""}, "endpoint"),
    ({"endpoint": "a b"}, "endpoint"),
    ({"endpoint": "a" * 121}, "endpoint"),
    ({"latitude": 91}, "latitude"),
    ({"longitude": "east"}, "longitude"),
    ({"time_zone": "Saigon"}, "time_zone"),
    ({"nominal_power_w": 0}, "nominal_power_w"),
    ({"control_type": 14}, "control_type"),
    ({"street": "a\x00b"}, "street"),
    ({"colour": "red"}, "colour"),
    ({"id": 7}, "id"),
]


async def test_a_bad_lamp_is_refused_by_field_and_nothing_is_kept(client: httpx.AsyncClient) -> None:
    for change, field in BAD_LAMPS:
        answer = await client.post("/lamps", json={**LAMP, "endpoint": "urn:lamp:1", **change})
        assert answer.status_code == 422, change
        errors = answer.json()["errors"]
        assert [error["field"] for error in errors] == [field], change
        assert errors[0]["reason"]
    assert (await client.get("/lamps")).json()["items"] == []


async def test_what_is_missing_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post("/lamps", json={})
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"endpoint", "latitude", "longitude", "time_zone"}


async def test_an_endpoint_belongs_to_one_lamp(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamp = await add_lamp("urn:lamp:1")
    answer = await client.post("/lamps", json={**LAMP, "endpoint": "urn:lamp:1"})
    assert answer.status_code == 409
    assert answer.json()["errors"] == [{"field": "endpoint", "reason": f"belongs to lamp {lamp['id']}"}]


async def test_an_id_that_is_no_id_is_refused_and_one_of_nothing_not_found(client: httpx.AsyncClient) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        for lamp_id in ("0", "-1", "x", "9223372036854775808", "1e3"):
            answer = await client.request(method, f"/lamps/{lamp_id}", json={})
            assert answer.status_code == 422, f"{method} {lamp_id}"
            assert answer.json()["errors"][0]["field"] == "lamp_id"
        answer = await client.request(method, "/lamps/9223372036854775807", json={})
        assert answer.status_code == 404


async def test_a_change_keeps_what_it_does_not_name(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamp = await add_lamp("urn:lamp:1", street="Old", nominal_power_w=60)
    answer = await client.patch(
        f"/lamps/{lamp['id']}", json={"street": "New", "latitude": 1.5, "nominal_power_w": None}
    )
    changed = answer.json()
    assert (changed["street"], changed["latitude"], changed["nominal_power_w"]) == ("New", 1.5, None)
    kept = {"endpoint", "name", "longitude", "time_zone", "created_at"}
    assert {name: changed[name] for name in kept} == {name: lamp[name] for name in kept}
    assert (await client.patch(f"/lamps/{lamp['id']}", json={})).json() == changed


async def test_what_a_lamp_needs_cannot_be_null(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamp = await add_lamp("urn:lamp:1")
    for field in ("name", "latitude", "time_zone", "street", "notes"):
        answer = await client.patch(f"/lamps/{lamp['id']}", json={field: None})
        assert answer.status_code == 422, field
        assert field in answer.json()["errors"][0]["reason"]


async def test_the_endpoint_of_a_lamp_never_changes(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    lamp = await add_lamp("urn:lamp:1")
    answer = await client.patch(f"/lamps/{lamp['id']}", json={"endpoint": "urn:lamp:2"})
    assert answer.json()["errors"][0]["field"] == "endpoint"


async def test_retiring_revokes_the_keys_and_keeps_the_history(
    app: FastAPI, client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    lamp = await add_lamp("urn:lamp:1")
    add = app.state.credentials.add
    await app.state.database.write(lambda s: add(s, lamp["id"], "urn:lamp:1", b"\x05", bytes(16), bytes(8)))
    first = (await client.delete(f"/lamps/{lamp['id']}")).json()
    assert first["retired_at"] is not None
    held = await app.state.database.read(lambda s: s.get(Credential, lamp["id"]))
    assert held.revoked_real_ms is not None
    assert (await client.get("/lamps")).json()["items"] == []
    assert [found["id"] for found in (await client.get("/lamps?retired=true")).json()["items"]] == [lamp["id"]]
    assert (await client.get(f"/lamps/{lamp['id']}")).status_code == 200
    assert (await client.delete(f"/lamps/{lamp['id']}")).json()["retired_at"] == first["retired_at"]
    refused = await client.patch(f"/lamps/{lamp['id']}", json={"street": "x"})
    assert refused.status_code == 409
    assert "nrol" in refused.json()["advice"]


async def ids(client: httpx.AsyncClient, query: str) -> list[str]:
    answer = await client.get(f"/lamps?{query}")
    assert answer.status_code == 200, answer.text
    return [lamp["name"] for lamp in answer.json()["items"]]


async def test_filters_must_all_hold(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    await add_lamp("urn:a", name="a", street="Đường Lê Lợi", feeder="F1", cabinet="C1", asset_id="100%")
    await add_lamp("urn:b", name="b", street="Đường Lê Lợi", feeder="F2", cabinet="C1")
    await add_lamp("urn:c", name="c", street="Main_Street", feeder="F1", cabinet="C2")
    assert await ids(client, "street=Đường Lê Lợi") == ["a", "b"]
    assert await ids(client, "street=Đường Lê Lợi&feeder=F1") == ["a"]
    assert await ids(client, "cabinet=C2") == ["c"]
    assert await ids(client, "endpoint=urn:b") == ["b"]
    assert await ids(client, "q=ĐƯỜNG") == ["a", "b"]
    assert await ids(client, "q=n_s") == ["c"]
    assert await ids(client, "q=0%25") == ["a"]
    assert await ids(client, "q=%25") == ["a"]
    assert await ids(client, "feeder=none") == []
    assert await ids(client, "sort=-name") == ["c", "b", "a"]
    assert await ids(client, "sort=endpoint&limit=2") == ["a", "b"]


async def test_status_and_faults_filter_as_they_show(
    app: FastAPI, client: httpx.AsyncClient, add_lamp: AddLamp
) -> None:
    now_ms = app.state.clock.real_ms()
    cases = {
        "new": None,
        "there": (1, 300, True),
        "late": (900, 300, True),
        "left": (1, 300, False),
        "ever": (10**6, 0, True),
    }
    lamps = {name: await add_lamp(f"urn:{name}", name=name) for name in cases}

    def register(session: Any) -> None:
        for name, case in cases.items():
            if case is not None:
                silent_s, lifetime_s, active = case
                session.add(
                    Registration(
                        lamp_id=lamps[name]["id"],
                        location=name,
                        active=active,
                        address="[::1]:1",
                        lifetime_s=lifetime_s,
                        lwm2m_version="1.1",
                        binding="U",
                        objects="</3/0>",
                        registered_real_ms=now_ms - silent_s * 1000,
                        last_heard_real_ms=now_ms - silent_s * 1000,
                    )
                )
        set_fault_counts(session.connection(), {lamps["late"]["id"]: 2, lamps["left"]["id"]: 0})

    await app.state.database.write(register)
    shown = {lamp["name"]: lamp["status"] for lamp in (await client.get("/lamps")).json()["items"]}
    assert shown == {"new": "never", "there": "online", "late": "offline", "left": "offline", "ever": "online"}
    for status in ("never", "online", "offline"):
        assert await ids(client, f"status={status}") == [name for name in cases if shown[name] == status]
    assert await ids(client, "has_fault=true") == ["late"]
    assert await ids(client, "has_fault=false") == ["new", "there", "left", "ever"]
    there = (await client.get(f"/lamps/{lamps['there']['id']}")).json()
    assert there["lifetime_s"] == 300 and there["last_heard_at"].endswith("Z")


BAD_QUERIES = [
    ("limit=0", "limit"),
    ("limit=1001", "limit"),
    ("cursor=x", "cursor"),
    ("sort=colour", "sort"),
    ("status=dead", "status"),
    ("has_fault=perhaps", "has_fault"),
    ("zone_id=0", "zone_id"),
    ("zone_id=9223372036854775808", "zone_id"),
    ("q=%00", "q"),
    ("colour=red", "colour"),
]


async def test_a_bad_query_is_refused_by_parameter(client: httpx.AsyncClient) -> None:
    for query, field in BAD_QUERIES:
        answer = await client.get(f"/lamps?{query}")
        assert answer.status_code == 422, query
        assert [error["field"] for error in answer.json()["errors"]] == [field], query


async def test_pages_are_walked_with_the_cursor(client: httpx.AsyncClient, add_lamp: AddLamp) -> None:
    for number in range(5):
        await add_lamp(f"urn:{number}", name=f"n{4 - number}")
    for sort, expected in (("id", "43210"), ("name", "01234"), ("-name", "43210"), ("-id", "01234")):
        names: list[str] = []
        query: dict[str, str | int] = {"limit": 2, "sort": sort}
        for _ in range(3):
            page = (await client.get("/lamps", params=query)).json()
            names += [lamp["name"][1] for lamp in page["items"]]
            query["cursor"] = page["next_cursor"]
        assert page["next_cursor"] is None
        assert "".join(names) == expected, sort
    other = (await client.get("/lamps?limit=2&sort=name")).json()["next_cursor"]
    assert (await client.get(f"/lamps?cursor={other}")).status_code == 422
